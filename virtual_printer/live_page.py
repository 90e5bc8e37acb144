# A page that shows where a printer in real time truly is
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Serves the page and, as /truth.json, what it shows, to this computer alone.

The page asks for the truth ten times a second. It is what the simulation last put here, so that
whoever looks never holds that up.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

from virtual_printer.model import MachineError
from virtual_printer.resource import Resource

_PAGE = Path(__file__).with_name("live_page.html")
_PLACES: Dict[str, str] = {"/": "text/html; charset=utf-8", "/truth.json": "application/json"}


class _Server(ThreadingHTTPServer):
    """Says nothing of browsers that go away in the middle of an answer."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what else has gone wrong."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class LivePage(Resource):
    """A server of the page at a port, 0 for any that is free; use it in a `with` statement."""

    def __init__(self, port: int) -> None:
        self._truth = b"{}"
        content = _PAGE.read_bytes()

        def answer(path: str) -> Optional[Tuple[str, bytes]]:
            if path not in _PLACES:
                return None
            return _PLACES[path], content if path == "/" else self._truth

        class Handler(BaseHTTPRequestHandler):
            """Answers one request."""

            def do_GET(self) -> None:
                """Answer with one of the two things that there are."""
                found = answer(self.path.partition("?")[0])
                self.send_response(200 if found else 404)
                kind, body = found or ("text/plain", b"not found\n")
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing: the console is for the printer."""

        try:
            self._server = _Server(("127.0.0.1", port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise MachineError(f"--page: port {port} cannot be used ({reason})") from None
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Return where the page is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def open(self) -> None:
        """Start to answer."""
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def show(self, truth: Dict[str, Any]) -> None:
        """Have the page show this from now on: Server.whole_truth(), with the `area` (mm) to draw.

        That is least and greatest x, least and greatest y, and greatest z.
        """
        self._truth = json.dumps(truth).encode()
