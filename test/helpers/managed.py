# Runs small programs in virtual time, for tests
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from virtual_printer import build
from virtual_printer.resource import Resource

# What every toy program may use; slept(f) is how long f() takes on the virtual clock
PRELUDE = """
import os, queue, select, socket, subprocess, sys, threading, time
def slept(function, *arguments):
    before = time.monotonic()
    function(*arguments)
    return time.monotonic() - before
def start(function, *arguments):
    thread = threading.Thread(target=function, args=arguments)
    thread.start()
    return thread
def after(seconds, function, *arguments):
    def run():
        time.sleep(seconds)
        function(*arguments)
    return start(run)
"""
# Wake-ups come exactly when they are due
EXACT = "0:0:0:0"
REAL_TIMEOUT_S = 30.0
# A few readings of the clock, which take 200 ns each
TICKS_S = 20e-6


def environment(
    folder: Path, packages: Optional[Path] = None, **settings: object
) -> Dict[str, str]:
    """Return the environment of a managed program; settings are named without their prefix.

    What it imports may be in the folder `packages`.
    """
    variables = {
        "PATH": os.environ["PATH"],
        "LD_PRELOAD": str(build.library()),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "VIRTUAL_PRINTER_LATENCY_US": EXACT,
        "VIRTUAL_PRINTER_REPORT": str(folder / "report"),
        "VIRTUAL_PRINTER_SCHEDULE": str(folder / "schedule"),
    }
    if packages is not None:
        variables["PYTHONPATH"] = str(packages)
    variables.update({f"VIRTUAL_PRINTER_{k.upper()}": str(v) for k, v in settings.items()})
    return variables


def python(program: str) -> List[str]:
    """Return the command of a toy program, which may use what the prelude defines."""
    return [sys.executable, "-c", PRELUDE + textwrap.dedent(program)]


def run(
    folder: Path, command: Sequence[str], **settings: object
) -> "subprocess.CompletedProcess[str]":
    """Run a command in virtual time without a driver."""
    return subprocess.run(
        command,
        env=environment(folder, **settings),
        cwd=str(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=REAL_TIMEOUT_S,
    )


def output(folder: Path, program: str, **settings: object) -> str:
    """Return what a toy program prints; it must succeed."""
    done = run(folder, python(program), **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def seconds(folder: Path, program: str, **settings: object) -> List[float]:
    """Return the numbers that a toy program prints."""
    return [float(word) for word in output(folder, program, **settings).split()]


class Driven(Resource):
    """A toy program in virtual time which this process drives; use it in a `with` statement."""

    def __init__(self, folder: Path, program: str, **settings: object) -> None:
        self._socket, process_end = socket.socketpair()
        self._socket.settimeout(REAL_TIMEOUT_S)
        self._file = self._socket.makefile("rw")
        with process_end:
            self.process = subprocess.Popen(
                python(program),
                env=environment(folder, control_fd=process_end.fileno(), **settings),
                cwd=str(folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                pass_fds=[process_end.fileno()],
            )

    def close(self) -> None:
        """End the program, whatever it does."""
        self.hang_up()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def ask(self, request: str) -> str:
        """Return the reply to a request, "" if the program has ended."""
        self._file.write(request + "\n")
        self._file.flush()
        return self._file.readline().rstrip("\n")

    def wait(self, until_s: Optional[float] = None) -> Tuple[str, float]:
        """Let time pass; return why it stopped and when."""
        request = "wait" if until_s is None else f"wait {until_s:.9f}"
        status, reason, now_s = self.ask(request).split()
        assert status == "ok"
        return reason, float(now_s)

    def now_s(self) -> float:
        """Return the virtual time."""
        return float(self.ask("now").split()[1])

    def hang_up(self) -> None:
        """Close the control socket."""
        self._file.close()
        self._socket.close()

    def end(self) -> Tuple[int, str]:
        """Wait for the program's end; return its exit code and what it printed."""
        printed, _ = self.process.communicate(timeout=REAL_TIMEOUT_S)
        return self.process.returncode, printed
