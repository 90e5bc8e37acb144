# A program that hangs, or cannot be managed, ends with a report that says why
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
import time
from pathlib import Path

import pytest

from helpers import managed

EXIT_HANG, EXIT_DEADLOCK, EXIT_BAD_SETUP = 70, 71, 72


def test_deadlock_names_who_waits_for_what(tmp_path: Path) -> None:
    program = """
        first, second, pipe = threading.Lock(), threading.Lock(), os.pipe()
        def take(mine, other):
            with mine:
                time.sleep(1)
                with other:
                    pass
        start(take, first, second)
        start(os.read, pipe[0], 1)
        take(second, first)
    """
    done = managed.run(tmp_path, managed.python(program))
    assert done.returncode == EXIT_DEADLOCK
    report = (tmp_path / "report").read_text()
    report = report[report.index("virtual printer: ") :]
    assert re.match(r"virtual printer: deadlock at 1\.\d+ s", report)
    waits = re.findall(r"slot (\d), thread .*: waits for (\w+) (0x\w+), since (\S+)", report)
    assert [(wait[0], wait[1], round(float(wait[3]), 3)) for wait in waits] == [
        ("0", "semaphore", 1.0),
        ("1", "semaphore", 1.0),
        ("2", "descriptors", 0.0),
    ]
    assert waits[0][2] != waits[1][2]
    assert re.search(r"deadline never, fds \d \(pair\)", report)
    # Where each thread is, in C and in Python
    assert report.count("stack of slot") == 3
    assert report.count("in take") == 2
    assert "in os.read" not in report
    assert report.split("threads:")[0] in done.stderr


def test_hang_names_the_holder_and_its_stack(tmp_path: Path) -> None:
    program = """
        def hang():
            while True:
                pass
        start(time.sleep, 5)
        time.sleep(0.25)
        hang()
    """
    done = managed.run(tmp_path, managed.python(program), watchdog_s=1.5)
    assert done.returncode == EXIT_HANG
    report = (tmp_path / "report").read_text()
    assert re.search(r"no progress for \d\.\d s of real time at 0\.25\d+ s", report)
    assert re.search(r"slot 0, thread \d+ \".*\": holds the baton", report)
    assert re.search(r"slot 1, .*: waits for sleep .* deadline 5\.0\d+ s", report)
    assert re.search(r"  0\.25\d+ 0 sleep\n", report)
    assert "in hang" in report
    assert report.count("stack of slot") == 1


def test_watchdog_is_patient_while_the_driver_computes(tmp_path: Path) -> None:
    with managed.Driven(tmp_path, "time.sleep(5)", watchdog_s=1) as driven:
        driven.now_s()
        time.sleep(1.4)
        assert driven.wait(1) == ("time", 1)


def test_blocking_calls_in_real_time_are_named(tmp_path: Path) -> None:
    managed.output(tmp_path, "start(print)")
    report = (tmp_path / "report").read_text()
    # Python is a library of its own in some builds, and in others the program itself
    by_python = r"^not in virtual time: sigtimedwait, used by (.*python|the program$)"
    assert re.search(by_python, report, re.M)
    assert not re.search(r"not in virtual time: (poll|read|sem_wait),", report)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("description", "/nonexistent", "/nonexistent"),
        ("latency_us", "5", 'host latency "5" is not'),
        ("latency_us", "5:1:0:0", 'host latency "5:1:0:0" is not'),
        ("control_fd", "77", 'control descriptor "77" is not open'),
        ("watchdog_s", "soon", 'watchdog limit "soon" is no time'),
    ],
)
def test_bad_set_up_ends_with_one_line(
    tmp_path: Path, setting: str, value: str, message: str
) -> None:
    done = managed.run(tmp_path, managed.python(""), **{setting: value})
    assert done.returncode == EXIT_BAD_SETUP
    assert done.stderr.startswith("virtual printer: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
