# Child processes run in real time, and their work takes no virtual time
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path

import pytest

from helpers import managed


@pytest.mark.parametrize(
    "run",
    [
        "subprocess.run(['sleep', '0.1'])",
        "subprocess.run(['sleep', '0.1'], timeout=0.05)",
        "subprocess.run('sleep 0.1; echo out; echo err >&2', shell=True, capture_output=True)",
        "subprocess.check_output('sleep 0.1; echo out', shell=True, timeout=0.05)",
        "subprocess.Popen(['sleep', '0.1'], preexec_fn=lambda: time.sleep(0.1)).wait()",
        "os.system('sleep 0.1')",
        "os.popen('sleep 0.1; echo').read()",
        "os.posix_spawn('/bin/sh', ['sh', '-c', 'sleep 0.1'], {}) and os.wait()",
    ],
)
def test_child_takes_no_virtual_time(tmp_path: Path, run: str) -> None:
    (slept_s,) = managed.seconds(tmp_path, f"print(slept(lambda: {run}))")
    assert slept_s < 10 * managed.TICKS_S


def test_child_is_not_managed(tmp_path: Path) -> None:
    program = """
        child = "import time; a = time.time(); time.sleep(0.05); print(1.8e9 > a > 1.76e9, a)"
        real = subprocess.check_output([sys.executable, "-c", child]).decode().split()
        read = "echo ${LD_PRELOAD-unset}; date +%s"
        print(subprocess.check_output(read, shell=True).decode(), time.time())
    """
    preload, real_s, virtual_s = managed.output(tmp_path, program).split()
    assert preload == "unset"
    assert abs(float(real_s) - float(virtual_s)) > 60


def test_forked_child_is_in_real_time(tmp_path: Path) -> None:
    program = """
        lock = threading.Lock()
        child = os.fork()
        if child == 0:
            before = time.monotonic()
            start(lock.acquire).join()
            assert not lock.acquire(timeout=0.05)
            time.sleep(0.05)
            os._exit(7 if time.monotonic() - before > 0.09 else 8)
        print(os.WEXITSTATUS(os.waitpid(child, 0)[1]))
    """
    assert managed.output(tmp_path, program) == "7\n"


def test_other_threads_go_on_at_this_instant_while_one_waits_for_a_child(tmp_path: Path) -> None:
    program = """
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        start(lambda: (child.stdin.write(b"x" * 300000), child.stdin.close()))
        before = time.monotonic()
        print(len(child.stdout.read()), child.wait(), time.monotonic() - before)
    """
    size, status, slept_s = managed.seconds(tmp_path, program)
    assert (size, status) == (300000, 0)
    assert slept_s < 10 * managed.TICKS_S


def test_schedule_does_not_depend_on_how_quick_a_child_is(tmp_path: Path) -> None:
    hashes = set()
    for pause in ("0", "0.01", "0.1"):
        command = f"echo out; sleep {pause}; echo err >&2; sleep {pause}; echo out"
        managed.output(tmp_path, f"subprocess.run({command!r}, shell=True, capture_output=True)")
        hashes.add((tmp_path / "schedule").read_text())
    assert len(hashes) == 1
