# Threads that go on without the kernel are what they are with it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
from pathlib import Path

import pytest

from helpers import managed

WAITING = "PyThread_acquire_lock_timed"
# Threads come and go, wait in several ways, and keep what is their own
PROGRAM = """
    import ctypes, signal
    libm = ctypes.CDLL("libm.so.6")
    own, told = threading.local(), []
    signal.signal(signal.SIGUSR1, lambda *ignored: told.append("signal"))
    def work(number):
        own.number = number
        libm.fesetround(0x400 * (number % 4))
        for i in range(10):
            time.sleep(0.001 * (1 + (number + i) % 3))
            told.append((own.number, libm.fegetround() // 0x400))
        if number == 3:
            os.kill(os.getpid(), signal.SIGUSR1)
    for turn in range(3):
        threads = [start(work, number) for number in range(8)]
        for thread in threads:
            thread.join()
    assert told.count("signal") == 3
    told = [numbers for numbers in told if numbers != "signal"]
    assert all(rounding == number % 4 for number, rounding in told)
    assert len(told) == 3 * 8 * 10 and libm.fegetround() == 0
    print(told, time.monotonic())
"""
ENDS = """
    def brief():
        time.sleep(0.001)
    def place(name):
        with open("/proc/self/" + name) as file:
            return len(file.readlines())
    sleeper = start(time.sleep, 100)
    counts = []
    for turn in range(4):
        for _ in range(2):
            threads = [start(brief) for _ in range(10)]
            for thread in threads:
                thread.join()
        counts.append((len(os.listdir("/proc/self/task")), place("maps")))
    assert len(set(counts[1:])) == 1, counts
    print(counts[-1][0])
"""


def run(folder: Path, program: str, **settings: object) -> "tuple[str, str]":
    """Return what a program prints, and the hash of its schedule."""
    printed = managed.output(folder, program, seed=1, **settings)
    return printed, (folder / "schedule").read_text()


def test_threads_are_the_same_whoever_switches_between_them(tmp_path: Path) -> None:
    assert run(tmp_path, PROGRAM) == run(tmp_path, PROGRAM, kernel_switches=1)


@pytest.mark.parametrize("settings", [{}, {"kernel_switches": 1}], ids=["own", "kernel"])
def test_thread_that_ends_leaves_nothing_behind(tmp_path: Path, settings: "dict[str, int]") -> None:
    # The first, the sleeper and the watchdog
    assert managed.output(tmp_path, ENDS, **settings) == "3\n"


def test_report_of_the_kernels_switches_shows_the_same_stacks(tmp_path: Path) -> None:
    program = """
        lock = threading.Lock()
        lock.acquire()
        start(lock.acquire)
        lock.acquire()
    """
    stacks = []
    for settings in ({}, {"kernel_switches": 1}):
        done = managed.run(tmp_path, managed.python(program), **settings)
        found = re.split(r"^stack of slot \d+:$", done.stderr, flags=re.MULTILINE)[1:]
        stacks.append([re.findall(r"\((\w+)\+0x", stack) for stack in found])
    own, kernel = stacks
    assert len(own) == len(kernel) == 2
    for one, other in zip(own, kernel):
        # From the call that waits outwards
        assert one[one.index(WAITING) :] == other[other.index(WAITING) :]
