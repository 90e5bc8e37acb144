# The two sockets to a managed Klippy: the scheduler's control socket and Klippy's own API
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import json
import os
import socket
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

_API_END = b"\x03"
# As much is sent at once as any kernel takes, so that long requests take Klippy equally long on all
_PIECE_BYTES = 32768


class SessionError(Exception):
    """A session with a managed host went wrong."""


class ConnectionLost(SessionError):
    """The managed process has closed its end of the control socket, so it is ending."""


class ApiClosed(SessionError):
    """Klippy has closed the connection to its API, as it does when it restarts."""


class ControlSocket:
    """Requests to the scheduler and the simulation: one line each way.

    The driver's turn lasts from one `wait` to the next, and virtual time stands still meanwhile.
    """

    def __init__(self, real_timeout_s: float) -> None:
        self._socket, self._process_end = socket.socketpair()
        self._socket.settimeout(real_timeout_s)
        self._received = b""

    @property
    def process_fd(self) -> int:
        """Descriptor that the managed process inherits."""
        return self._process_end.fileno()

    def started(self) -> None:
        """Close our copy of the process's end, so that its death is seen."""
        self._process_end.close()

    def close(self) -> None:
        """Hang up; the managed process ends itself then."""
        self._process_end.close()
        self._socket.close()

    def request(self, line: str) -> str:
        """Return the reply to a request, without its leading "ok"."""
        if "\n" in line:
            raise SessionError(f"a control request is one line: {line!r}")
        try:
            self._socket.sendall(line.encode() + b"\n")
            while b"\n" not in self._received:
                data = self._socket.recv(65536)
                if not data:
                    raise ConnectionLost("the managed process has ended")
                self._received += data
        except socket.timeout:
            seconds = self._socket.gettimeout()
            raise SessionError(f"no reply to '{line}' within {seconds:g} real seconds") from None
        except OSError as error:
            raise ConnectionLost(f"the managed process has ended ({error.strerror})") from None
        reply, self._received = self._received.split(b"\n", 1)
        status, _, rest = reply.decode().partition(" ")
        if status != "ok":
            raise SessionError(f"control request '{line}': {rest or reply.decode()}")
        return rest

    def now_s(self) -> float:
        """Return the virtual time since the process started."""
        return float(self.request("now"))

    def wait(self, until_s: float) -> Tuple[bool, float]:
        """Let virtual time pass until Klippy says something or until a time.

        Returns whether Klippy spoke, and the virtual time now.
        """
        reason, now_s = self.request(f"wait {until_s:.9f}").split()
        return reason == "api", float(now_s)


class ApiSocket:
    """Klippy's API: JSON requests over a Unix socket; nothing here ever blocks."""

    def __init__(self) -> None:
        self._socket: Optional[socket.socket] = None
        self._received = b""
        self._unsent = b""
        self._last_id = 0

    @property
    def is_sent(self) -> bool:
        """Whether nothing waits for Klippy to take what came before."""
        return self._socket is None or not self._unsent

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that Klippy has not closed."""
        return self._socket is not None

    def connect(self, path: Path) -> bool:
        """Try to connect; false when nobody listens there."""
        self.close()
        connecting = socket.socket(socket.AF_UNIX)
        folder = os.open(str(path.parent), os.O_RDONLY | os.O_DIRECTORY)
        try:
            # A socket's address has room for 107 bytes only, work folders are often longer
            connecting.connect(f"/proc/self/fd/{folder}/{path.name}")
        except OSError:
            connecting.close()
            return False
        finally:
            os.close(folder)
        connecting.setblocking(False)
        self._socket = connecting
        return True

    def close(self) -> None:
        """Drop the connection and what came over it."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._received = self._unsent = b""

    def send(self, method: str, params: Dict[str, Any]) -> int:
        """Send a request; return the id that its response will carry.

        Each receive() sends on what is too long to be sent at once.
        """
        if self._socket is None:
            raise ApiClosed(f"not connected to Klippy, cannot request '{method}'")
        self._last_id += 1
        request = {"id": self._last_id, "method": method, "params": params}
        self._unsent += json.dumps(request).encode() + _API_END
        try:
            self._send_on(self._socket)
        except OSError as error:
            raise ApiClosed(f"cannot request '{method}': {error.strerror}") from None
        return self._last_id

    def _send_on(self, connection: socket.socket) -> None:
        try:
            sent = connection.send(self._unsent[:_PIECE_BYTES])
        except BlockingIOError:
            return
        self._unsent = self._unsent[sent:]

    def receive(self) -> List[Dict[str, Any]]:
        """Return the messages that have come; closes the connection when Klippy has."""
        if self._socket is not None and self._unsent:
            try:
                self._send_on(self._socket)
            except OSError:
                # Klippy has closed it, which shows below
                pass
        while self._socket is not None:
            try:
                data = self._socket.recv(65536)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self._socket.close()
                self._socket = None
            self._received += data
        *messages, self._received = self._received.split(_API_END)
        return [json.loads(message) for message in messages]
