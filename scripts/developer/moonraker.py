# A headless Moonraker on a session's Klippy, and what lets time pass while it answers
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import http.client
import json
import os
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple, TypeVar
from urllib.parse import urlencode

from virtual_printer import hosts, process
from virtual_printer.resource import Resource
from virtual_printer.session import Session, SessionError

Answer = TypeVar("Answer")

PYTHON = hosts.ENVIRONMENTS / "moonraker" / "bin" / "python"
# Generous, as other tests take the CPUs at the same time
START_TIMEOUT_REAL_S = 60.0
REQUEST_TIMEOUT_REAL_S = 120.0
EXIT_TIMEOUT_REAL_S = 10.0
# Moonraker lives in real time: while it owes an answer, virtual time passes, 20 times as fast at
# most. Klippy sees requests in between, and on a slow machine too long before its idle timeout.
STEP_S = 0.02
PAUSE_REAL_S = 0.001


class Pace(NamedTuple):
    """How much virtual time passes at once, and how long it stands still then."""

    step_s: float
    pause_real_s: float


USUAL_PACE = Pace(STEP_S, PAUSE_REAL_S)

# What reaches for the network or for the system's services is off
CONFIG = """
[server]
host: 127.0.0.1
port: %d
klippy_uds_address: %s
[authorization]
trusted_clients: 127.0.0.1
[machine]
provider: none
validate_service: False
validate_config: False
[announcements]
dev_mode: True
"""


class Moonraker(Resource):
    """Moonraker with its data in a folder that is to be made; use it in a `with` statement.

    tick() is called whenever a little virtual time has passed.
    """

    def __init__(
        self, printer: Session, folder: Path, tick: Callable[[], None] = lambda: None
    ) -> None:
        self._printer = printer
        self._folder = folder
        self._tick = tick
        self._requester = ThreadPoolExecutor(1)
        self._process: Optional[subprocess.Popen[bytes]] = None
        self.port = _free_port()

    def open(self) -> None:
        """Start it, and wait until it knows that Klippy is ready or what else it is."""
        for name in ("config", "logs", "misc"):
            (self._folder / name).mkdir(parents=True)
        address = self._printer.work_dir / process.API
        (self._folder / "config" / "moonraker.conf").write_text(CONFIG % (self.port, address))
        # Downloaded if there is none
        (self._folder / "misc" / "usb.ids").write_text("")
        self._process = subprocess.Popen(
            [str(PYTHON), "-m", "moonraker", "-d", str(self._folder)],
            cwd=str(self._folder),
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder), "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._await_klippy()

    def close(self) -> None:
        """End it."""
        self._requester.shutdown(wait=False)
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(EXIT_TIMEOUT_REAL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def post(self, path: str, **query: str) -> Tuple[int, Any]:
        """The status and the decoded body that answer a POST request."""
        return self._request("POST", path, query)

    def get(self, path: str, **query: str) -> Tuple[int, Any]:
        """The status and the decoded body that answer a GET request."""
        return self._request("GET", path, query)

    def log(self) -> str:
        """moonraker.log so far."""
        path = self._folder / "logs" / "moonraker.log"
        return path.read_text() if path.exists() else ""

    def while_time_passes(
        self, action: Callable[[], Answer], pace: Callable[[], Pace] = lambda: USUAL_PACE
    ) -> Answer:
        """Do what waits for Moonraker, in a thread, while virtual time passes."""
        answer = self._requester.submit(action)
        while not answer.done():
            self.pass_time(pace().step_s)
            time.sleep(pace().pause_real_s)
        return answer.result()

    def pass_time(self, duration_s: float) -> None:
        """Let virtual time pass at once; Moonraker sees what has come of it."""
        self._printer.sleep(duration_s)
        self._tick()

    def _await_klippy(self) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_REAL_S
        state = "not there"
        # It may be in error, and is known then
        while state in ("not there", "disconnected", "startup"):
            if self._process is None or self._process.poll() is not None:
                raise SessionError("Moonraker has ended:\n" + self.log())
            if time.monotonic() > deadline_s:
                raise SessionError("to Moonraker Klippy is %s:\n%s" % (state, self.log()))
            try:
                state = self.get("/server/info")[1]["result"]["klippy_state"]
            except ConnectionError:
                time.sleep(0.05)

    def _request(self, method: str, path: str, query: Dict[str, str]) -> Tuple[int, Any]:
        return self.while_time_passes(lambda: self._exchange(method, path, query))

    def _exchange(self, method: str, path: str, query: Dict[str, str]) -> Tuple[int, Any]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=REQUEST_TIMEOUT_REAL_S
        )
        try:
            connection.request(method, "%s?%s" % (path, urlencode(query)))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
