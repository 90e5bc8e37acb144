# What a managed Klippy takes of the real machine
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
import time
from pathlib import Path
from typing import Callable, NamedTuple

from virtual_printer.session import Session


class Turn(NamedTuple):
    """What a printer took for a piece of work.

    cpu_s is user and system time of Klippy's process, the simulation's included. host_cpu_s is
    what Klippy itself has taken of it, 0 if nobody asked.
    """

    virtual_s: float
    wall_s: float
    cpu_s: float
    host_cpu_s: float


def process_cpu_s(process_id: int) -> float:
    """Return the CPU time (s) that a process has taken."""
    # As clock_getcpuclockid(3) makes it: of all threads, in the order of the scheduler
    return time.clock_gettime((~process_id << 3) | 2)


def resident_kb(process_id: int) -> int:
    """Return how much memory of a process is resident (kB)."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])


def take_turn(printer: Session, work: Callable[[Session], None], with_host_cpu: bool) -> Turn:
    """Measure a piece of work; looking at the host's own CPU time makes the rest slower."""

    def reading() -> Turn:
        host_cpu_s = printer.host_cpu_s() if with_host_cpu else 0.0
        return Turn(
            printer.now_s(), time.perf_counter(), process_cpu_s(printer.process_id), host_cpu_s
        )

    before = reading()
    work(printer)
    return Turn(*(end - start for start, end in zip(before, reading())))
