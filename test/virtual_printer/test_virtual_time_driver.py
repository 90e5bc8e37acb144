# The driver: time stands still while it computes, and passes while it waits
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import os
import socket
import time
from pathlib import Path
from typing import Tuple

import pytest

from helpers import managed

# A server that answers each message after 0.25 s of virtual time, with the time
SERVER = """
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("api")
    listener.listen()
    poller = select.poll()
    poller.register(listener, select.POLLIN)
    connection = None
    while True:
        for fd, _ in poller.poll(1000):
            if fd == listener.fileno():
                connection, _ = listener.accept()
                poller.register(connection, select.POLLIN)
                continue
            if not connection.recv(100):
                sys.exit(5)
            time.sleep(0.25)
            connection.send(str(time.monotonic()).encode())
"""


def connect(folder: Path) -> socket.socket:
    api = socket.socket(socket.AF_UNIX)
    api.settimeout(managed.REAL_TIMEOUT_S)
    api.connect(str(folder / "api"))
    return api


def test_time_stands_still_while_the_driver_computes(tmp_path: Path) -> None:
    with managed.Driven(tmp_path, "while True: time.sleep(0.1)") as driven:
        started_s = driven.now_s()
        time.sleep(0.2)
        assert driven.now_s() == started_s < 0.1


def test_time_passes_exactly_until_the_driver_wants_to_go_on(tmp_path: Path) -> None:
    with managed.Driven(tmp_path, "while True: time.sleep(0.1)") as driven:
        assert driven.wait(12.345678901) == ("time", 12.345678901)
        assert driven.now_s() == 12.345678901
        # The past is over at once
        assert driven.wait(1) == ("time", 12.345678901)


def test_program_sees_at_the_same_instant_what_the_driver_sent(tmp_path: Path) -> None:
    with managed.Driven(tmp_path, SERVER) as driven:
        driven.wait(3.5)
        with connect(tmp_path) as api:
            api.send(b"x")
            reason, now_s = driven.wait(10)
            assert reason == "api"
            assert now_s == pytest.approx(3.75, abs=managed.TICKS_S)
            assert float(api.recv(100)) == pytest.approx(1003.75, abs=managed.TICKS_S)
            # Nothing more to say
            assert driven.wait(10) == ("time", 10)


def test_driver_is_woken_when_the_program_closes_its_connection(tmp_path: Path) -> None:
    program = """
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("api")
        listener.listen()
        connection, _ = listener.accept()
        time.sleep(2)
        connection.close()
        time.sleep(50)
    """
    with managed.Driven(tmp_path, program) as driven:
        driven.now_s()
        with connect(tmp_path) as api:
            reason, now_s = driven.wait(20)
            assert (reason, round(now_s, 3)) == ("api", 2.0)
            assert api.recv(1) == b""


def test_program_ends_at_the_same_instant_as_the_drivers_connection(tmp_path: Path) -> None:
    with managed.Driven(tmp_path, SERVER) as driven:
        driven.now_s()
        with connect(tmp_path):
            driven.wait(1)
        assert driven.ask("wait") == ""
        assert driven.end()[0] == 5


@pytest.mark.parametrize("wait_s", [None, 1e9])
def test_program_ends_when_the_driver_hangs_up(tmp_path: Path, wait_s: float) -> None:
    with managed.Driven(tmp_path, "while True: time.sleep(0.001)") as driven:
        driven.wait(1)
        if wait_s is not None:
            driven._file.write(f"wait {wait_s}\n")
        driven.hang_up()
        assert driven.end() == (0, "")


def test_schedule_is_told_on_request_and_at_the_end(tmp_path: Path) -> None:
    with managed.Driven(tmp_path, "time.sleep(1)") as driven:
        status, first, switches = driven.ask("schedule").split()
        assert (status, int(switches)) == ("ok", 0)
        assert driven.ask("wait") == ""
        assert driven.end()[0] == 0
    last = (tmp_path / "schedule").read_text().strip()
    assert len(first) == len(last) == 16
    assert first != last


@pytest.mark.parametrize("request_line", ["wait soon", "wait nan", "steppers"])
def test_bad_request_is_answered_with_one_line(tmp_path: Path, request_line: str) -> None:
    with managed.Driven(tmp_path, "time.sleep(1)") as driven:
        assert driven.ask(request_line).startswith("error ")
        assert driven.now_s() < 1


def test_stalled_program_runs_no_thread_until_the_stall_is_over(tmp_path: Path) -> None:
    program = """
        def count():
            while True:
                time.sleep(0.1)
                print(time.monotonic(), flush=True)
        start(count)
        time.sleep(5.05)
        os._exit(0)
    """
    with managed.Driven(tmp_path, program) as driven:
        assert driven.wait(2.05) == ("time", 2.05)
        assert driven.ask("stall 1.5") == "ok"
        # The driver is not stalled
        assert driven.wait(3.0) == ("time", 3.0)
        driven.ask("wait")
        _, printed = driven.end()
    times_s = [float(line) - 1000.0 for line in printed.split()]
    assert not [time_s for time_s in times_s if 2.05 < time_s < 3.55]
    assert min(time_s for time_s in times_s if time_s > 2.05) == pytest.approx(3.55, abs=1e-3)


@pytest.mark.parametrize("duration", ["", "soon", "-1", "nan"])
def test_stall_needs_a_duration(tmp_path: Path, duration: str) -> None:
    with managed.Driven(tmp_path, "while True: time.sleep(0.1)") as driven:
        assert driven.ask(f"stall {duration}") == f"error no duration: {duration}"


def cpu_ns(driven: managed.Driven) -> Tuple[int, int]:
    """Return the CPU time that the program reports, and what the kernel reports of its process."""
    fields = Path(f"/proc/{driven.process.pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return int(driven.ask("cpu").split()[1]), ticks * 10**9 // os.sysconf("SC_CLK_TCK")


def test_cpu_of_the_program_is_real_and_leaves_out_what_waits_take(tmp_path: Path) -> None:
    program = """
        def nap():
            for _ in range(10000):
                time.sleep(0.001)
        threads = [start(nap) for _ in range(4)]
        time.sleep(20)
        sum(range(10000000))
        time.sleep(20)
        os._exit(0)
    """
    with managed.Driven(tmp_path, program) as driven:
        found = [cpu_ns(driven)]
        for until_s in (15, 25):
            driven.wait(until_s)
            found.append(cpu_ns(driven))
        driven.ask("wait")
    (own_ns, all_ns), (computing_ns, _) = (
        (b[0] - a[0], b[1] - a[1]) for a, b in zip(found, found[1:])
    )
    assert computing_ns > 50e6
    assert 0 < own_ns < 0.9 * all_ns
