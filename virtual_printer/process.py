# Starts a host's Klippy in virtual time
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import ctypes
import itertools
import os
import subprocess
from pathlib import Path
from typing import IO, Dict, Optional

from virtual_printer import hosts

# Klippy's files, all in its work folder; it is given their names without a path, so that logs of
# runs in different folders are alike
CONFIG = Path("printer.cfg")
API = Path("klippy.api")
LOG = Path("klippy.log")
INPUT_TTY = Path("klippy.tty")
OUTPUT = Path("klippy.out")
REPORT = Path("virtual_time.report")
SCHEDULE = Path("virtual_time.schedule")

# Settings for who looks for a mistake of ours
_PASSED_ON = ("VIRTUAL_PRINTER_WATCHDOG_S", "VIRTUAL_PRINTER_KERNEL_SWITCHES")
_ADDR_NO_RANDOMIZE = 0x0040000
_ADD_PERSONALITY_QUERY = 0xFFFFFFFF

_libc = ctypes.CDLL(None, use_errno=True)
_turns = itertools.count(os.getpid())


def _next_cpu() -> int:
    """Return the CPU for the next process: one is enough for it, and saves moving between CPUs."""
    cpus = sorted(os.sched_getaffinity(0))
    return cpus[next(_turns) % len(cpus)]


def environment(
    library: Path, description: Path, control_fd: int, seed: int, latency_us: Optional[str]
) -> Dict[str, str]:
    """Return the whole environment of a managed process; nothing of ours leaks into it."""
    variables = {
        # Hosts ask git for their version: it would find ours, and children take real time
        "PATH": "/nonexistent",
        "HOME": ".",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        # First and later runs do the same then
        "PYTHONDONTWRITEBYTECODE": "1",
        "LD_PRELOAD": str(library),
        "VIRTUAL_PRINTER_DESCRIPTION": str(description),
        "VIRTUAL_PRINTER_CONTROL_FD": str(control_fd),
        "VIRTUAL_PRINTER_SEED": str(seed),
        "VIRTUAL_PRINTER_REPORT": str(REPORT),
        "VIRTUAL_PRINTER_SCHEDULE": str(SCHEDULE),
    }
    if latency_us is not None:
        variables["VIRTUAL_PRINTER_LATENCY_US"] = latency_us
    for name in _PASSED_ON:
        if name in os.environ:
            variables[name] = os.environ[name]
    return variables


def start(
    host: hosts.Host,
    work_dir: Path,
    library: Path,
    description: Path,
    control_fd: int,
    seed: int,
    latency_us: Optional[str] = None,
) -> "subprocess.Popen[bytes]":
    """Start a host's Klippy with our library on a description, steered through a descriptor."""
    variables = environment(library, description, control_fd, seed, latency_us)
    cpu = _next_cpu()

    def prepare() -> None:
        # Addresses decide the order of sets of objects, so they have to be the same each time.
        # Where a container forbids it, runs are right all the same, only not always alike.
        persona = _libc.personality(ctypes.c_ulong(_ADD_PERSONALITY_QUERY))
        if persona >= 0:
            _libc.personality(ctypes.c_ulong(persona | _ADDR_NO_RANDOMIZE))
        os.sched_setaffinity(0, {cpu})

    output: IO[bytes]
    with open(str(work_dir / OUTPUT), "wb") as output:
        return subprocess.Popen(
            host.command(CONFIG, API, LOG, INPUT_TTY),
            cwd=str(work_dir),
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(control_fd,),
            start_new_session=True,
            preexec_fn=prepare,
        )
