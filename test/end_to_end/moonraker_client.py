# A headless Moonraker on a session's Klippy, and a client that talks HTTP to it
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
from urllib.parse import urlencode

from virtual_printer import hosts, process

PYTHON = hosts.ENVIRONMENTS / "moonraker" / "bin" / "python"
# Generous, as other tests take the CPUs at the same time
START_TIMEOUT_REAL_S = 60.0
REQUEST_TIMEOUT_REAL_S = 120.0
EXIT_TIMEOUT_REAL_S = 10.0
# Moonraker lives in real time: while it owes an answer, virtual time passes, 20 times as fast at
# most. Klippy sees requests in between, and on a slow machine too long before its idle timeout.
STEP_S = 0.02
PAUSE_REAL_S = 0.001

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


class Moonraker:
    """Moonraker with its data in a folder; use it in a `with` statement."""

    def __init__(self, printer, folder):
        self._printer = printer
        self._folder = folder
        self._requester = ThreadPoolExecutor(1)
        self._port = _free_port()
        for name in ("config", "logs", "misc"):
            (folder / name).mkdir(parents=True)
        address = printer.work_dir / process.API
        (folder / "config" / "moonraker.conf").write_text(CONFIG % (self._port, address))
        # Downloaded if there is none
        (folder / "misc" / "usb.ids").write_text("")

    def __enter__(self):
        self._process = subprocess.Popen(
            [str(PYTHON), "-m", "moonraker", "-d", str(self._folder)],
            cwd=str(self._folder),
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder), "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._await_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        self._process.terminate()
        try:
            self._process.wait(EXIT_TIMEOUT_REAL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._requester.shutdown()

    def post(self, path, **query):
        """The status and the decoded body that answer a POST request."""
        return self._request("POST", path, query)

    def get(self, path, **query):
        """The status and the decoded body that answer a GET request."""
        return self._request("GET", path, query)

    def log(self):
        """moonraker.log so far."""
        path = self._folder / "logs" / "moonraker.log"
        return path.read_text() if path.exists() else ""

    def _await_ready(self):
        deadline_s = time.monotonic() + START_TIMEOUT_REAL_S
        state = "not there"
        while state != "ready":
            assert self._process.poll() is None, "Moonraker has ended:\n" + self.log()
            assert time.monotonic() < deadline_s, "Klippy is %s:\n%s" % (state, self.log())
            try:
                state = self.get("/server/info")[1]["result"]["klippy_state"]
            except ConnectionError:
                time.sleep(0.05)

    def _request(self, method, path, query):
        answer = self._requester.submit(self._exchange, method, path, query)
        while not answer.done():
            self._printer.sleep(STEP_S)
            time.sleep(PAUSE_REAL_S)
        return answer.result()

    def _exchange(self, method, path, query):
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=REQUEST_TIMEOUT_REAL_S
        )
        try:
            connection.request(method, "%s?%s" % (path, urlencode(query)))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
