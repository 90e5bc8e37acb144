# Threads in virtual time: order, ends, and the same schedule whatever the machine's load
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Tuple

import pytest

from helpers import managed
from virtual_printer import build

TOY = Path(__file__).with_name("virtual_time_toy.c")
# Eight threads that wait for each other in every way, and one that computes
BUSY_PROGRAM = """
    items, lock, pipe, seen = queue.Queue(), threading.Lock(), os.pipe(), []
    def work(i):
        for k in range(20):
            time.sleep(0.001 * (i % 3))
            with lock:
                seen.append((i, k))
                time.sleep(0.0002)
            items.put(i)
            if k % 4 == i % 4:
                os.write(pipe[1], b"x")
            sum(range(500 * i))
    threads = [start(work, i) for i in range(8)]
    for _ in range(160):
        items.get()
        select.select([pipe[0]], [], [], 0.0001)
    for thread in threads:
        thread.join()
    print(hash(tuple(seen)), id(seen), time.monotonic())
"""


@contextmanager
def burners(count: int) -> Iterator[None]:
    """Keep the CPUs busy meanwhile."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def schedule(folder: Path, seed: int) -> Tuple[str, str]:
    """Return what the busy program prints, and the hash of its schedule."""
    printed = managed.output(folder, BUSY_PROGRAM, seed=seed, latency_us="100:500:2000:20")
    return printed, (folder / "schedule").read_text()


def test_same_seed_gives_the_same_schedule_also_beside_cpu_burners(tmp_path: Path) -> None:
    # What lies in the folder makes a difference to Python's memory
    schedule(tmp_path, 1)
    alone = schedule(tmp_path, 1)
    with burners(2 * (os.cpu_count() or 1)):
        assert [schedule(tmp_path, 1) for _ in range(3)] == [alone] * 3


def test_another_seed_gives_another_schedule(tmp_path: Path) -> None:
    assert schedule(tmp_path, 1)[1] != schedule(tmp_path, 2)[1]


@pytest.mark.parametrize("wait", ["event.wait()", "lock.acquire(); lock.release()"])
def test_waiting_threads_run_in_the_order_they_came(tmp_path: Path, wait: str) -> None:
    program = f"""
        event, lock = threading.Event(), threading.Lock()
        lock.acquire()
        def work(name):
            {wait}
            print(name, end="")
        for name in "cadbfe":
            start(work, name)
        time.sleep(1)
        event.set()
        lock.release()
    """
    assert managed.output(tmp_path, program) == "cadbfe"


def test_threads_due_at_the_same_instant_run_in_the_order_they_slept(tmp_path: Path) -> None:
    program = """
        until = time.clock_gettime(time.CLOCK_MONOTONIC) + 1
        def work(name, seconds):
            select.poll().poll(seconds * 1000 // 1)
            print(name, end="")
        threads = [start(work, name, 3 - i / 1000) for i, name in enumerate("abc")]
    """
    assert managed.output(tmp_path, program) == "cba"


def test_waits_of_c_programs_take_their_virtual_time(tmp_path: Path) -> None:
    program = tmp_path / "toy"
    compiler = os.environ.get("CC", "").split() or ["cc"]
    flags = ["-O2", "-D_FORTIFY_SOURCE=2", "-pthread", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*compiler, *flags, str(TOY), "-o", str(program)], check=True)
    done = managed.run(tmp_path, [str(program)])
    assert (done.returncode, done.stdout) == (0, "")


def test_library_leaves_a_program_alone_that_only_loads_it() -> None:
    load = f"import ctypes; ctypes.CDLL({str(build.library())!r}); import time; time.sleep(0.05)"
    program = f"import time; a = time.time(); {load}; assert 0.05 < time.time() - a < 30"
    done = subprocess.run([sys.executable, "-c", program], timeout=managed.REAL_TIMEOUT_S)
    assert done.returncode == 0
