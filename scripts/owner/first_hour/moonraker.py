# Talks to Moonraker over HTTP
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import ast
import http.client
import json
import re
import socket
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple
from urllib.parse import quote, urlencode, urlsplit

from .errors import CommandFailed, TrialError

DEFAULT_PORT = 7125
ANSWER_TIMEOUT_S = 30.0
_LONGEST_ANSWER_BYTES = 1 << 28
_UNAUTHORIZED, _FORBIDDEN, _BAD_REQUEST, _UNAVAILABLE = 401, 403, 400, 503
# Where installers put moonraker.conf, below the home folder; a second printer has a name of its own
_CONFIGS = ("printer_data/config", "printer*data/config", "klipper_config")


class Place(NamedTuple):
    """Where a Moonraker listens; prefix is what comes before its paths."""

    is_secure: bool
    host: str
    port: int
    prefix: str

    @property
    def url(self) -> str:
        """As the owner would write it."""
        kind = "https" if self.is_secure else "http"
        return "%s://%s:%d%s" % (kind, self.host, self.port, self.prefix)


def parse_place(text: str) -> Place:
    """The place that an URL or HOST[:PORT] names; raises TrialError."""
    bad = TrialError("'%s' is no address of a Moonraker, such as http://localhost:7125" % (text,))
    try:
        parts = urlsplit(text if "://" in text else "http://" + text)
        port = parts.port
    except ValueError:
        raise bad from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise bad
    default = 443 if parts.scheme == "https" else DEFAULT_PORT
    return Place(parts.scheme == "https", parts.hostname, port or default, parts.path.rstrip("/"))


def find_places(home: Path) -> List[Place]:
    """Where Moonraker may be on this computer: what its configuration says, then the default."""
    ports: List[int] = []
    for pattern in _CONFIGS:
        for folder in sorted(home.glob(pattern)):
            port = _configured_port(folder / "moonraker.conf")
            ports += [port] if port else []
    return [Place(False, "127.0.0.1", p, "") for p in dict.fromkeys([*ports, DEFAULT_PORT])]


def _configured_port(path: Path) -> Optional[int]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    server = re.search(r"^\[server\]\s*$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    port = (
        re.search(r"^port\s*[:=]\s*(\d{1,5})\s*$", server.group(1), re.MULTILINE)
        if server
        else None
    )
    return int(port.group(1)) if port else None


class Moonraker:
    """One Moonraker; ask_key() is called if it wants an API key."""

    def __init__(self, place: Place, ask_key: Callable[[], str]) -> None:
        self.place = place
        self._ask_key = ask_key
        self._key = ""

    def get(self, path: str, **query: str) -> Any:
        """What answers a GET request; raises TrialError."""
        return self._result("GET", path, query, ANSWER_TIMEOUT_S)

    def post(self, path: str, **query: str) -> Any:
        """What answers a POST request; raises TrialError."""
        return self._result("POST", path, query, ANSWER_TIMEOUT_S)

    def run(self, script: str) -> None:
        """Run G-code to its end, however long that takes; raises CommandFailed and TrialError."""
        self._result("POST", "/printer/gcode/script", {"script": script}, None)

    def download(self, path: str) -> bytes:
        """The bytes of a file; raises TrialError."""
        status, body = self._authorized("GET", path, {}, ANSWER_TIMEOUT_S)
        if status != 200:
            raise TrialError("Moonraker has no file '%s'" % (path,))
        return body

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def _result(
        self, method: str, path: str, query: Dict[str, str], timeout_s: Optional[float]
    ) -> Any:
        status, body = self._authorized(method, path, query, timeout_s)
        try:
            answer = json.loads(body.decode("utf-8"))
            error = answer.get("error")
            if status == 200 and error is None:
                return answer["result"]
            message = _plain(str((error or {}).get("message", "")))
        except (ValueError, KeyError, AttributeError):
            raise TrialError(
                "what answers at %s is no Moonraker: give its address with --moonraker URL"
                % (self.place.url,)
            ) from None
        if status == _BAD_REQUEST:
            raise CommandFailed(message)
        if status == _UNAVAILABLE:
            raise TrialError(
                "Klipper is not connected to Moonraker (%s): sudo systemctl restart klipper, then"
                " begin again" % (message or "no reason given",)
            )
        raise TrialError("Moonraker answers '%s' with error %d: %s" % (path, status, message))

    def _authorized(
        self, method: str, path: str, query: Dict[str, str], timeout_s: Optional[float]
    ) -> Tuple[int, bytes]:
        status, body = self._exchange(method, path, query, timeout_s)
        if status in (_UNAUTHORIZED, _FORBIDDEN) and not self._key:
            self._key = self._ask_key().strip()
            # A header has only these, and no line may be smuggled into it
            if not re.match(r"[\x21-\x7e]+$", self._key):
                raise TrialError("that is no API key: Moonraker's has 32 letters and digits")
            status, body = self._exchange(method, path, query, timeout_s)
        if status in (_UNAUTHORIZED, _FORBIDDEN):
            self._key = ""
            raise TrialError(
                "Moonraker at %s refuses the API key: look it up in the settings of Mainsail or"
                " Fluidd, or add this computer to trusted_clients" % (self.place.url,)
            )
        return status, body

    def _exchange(
        self, method: str, path: str, query: Dict[str, str], timeout_s: Optional[float]
    ) -> Tuple[int, bytes]:
        """Status and body of the answer to one request."""
        kind = http.client.HTTPSConnection if self.place.is_secure else http.client.HTTPConnection
        connection = kind(self.place.host, self.place.port, timeout=timeout_s)
        target = quote(self.place.prefix + path) + ("?" + urlencode(query) if query else "")
        headers = {"X-Api-Key": self._key} if self._key else {}
        try:
            connection.request(method, target, headers=headers)
            response = connection.getresponse()
            return response.status, response.read(_LONGEST_ANSWER_BYTES)
        except socket.timeout:
            raise TrialError(
                "Moonraker at %s has not answered for %d s: is the host overloaded?"
                % (self.place.url, timeout_s or 0)
            ) from None
        except http.client.HTTPException:
            raise TrialError(
                "the connection to Moonraker at %s broke off, or what answers there is none"
                % (self.place.url,)
            ) from None
        except OSError as e:
            raise TrialError(
                "no Moonraker answers at %s (%s): see that it runs, or give its address with"
                " --moonraker URL" % (self.place.url, e.strerror or e)
            ) from None
        finally:
            connection.close()


def _plain(message: str) -> str:
    """Klipper's own words; some versions wrap them in a dictionary."""
    if message.startswith("{"):
        try:
            message = str(ast.literal_eval(message)["message"])
        except (ValueError, SyntaxError, KeyError, TypeError):
            pass
    return " ".join(message.split())
