# Which tests scripts/test.sh --changed runs, and how it holds the limit of CPU time
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import subprocess
import sys
from pathlib import Path

import pytest
from changed import ROOT, changed_paths, files_to_test, needs_a_printer

CONFTEST = Path(__file__).with_name("conftest.py")
SLOW_TEST = """
import subprocess, sys
import pytest

@pytest.fixture
def child():
    yield
    subprocess.run([sys.executable, "-c", "while __import__('time').process_time() < 0.4: pass"])

def test_waits(): __import__("time").sleep(0.4)
def test_computes(child): pass
"""


@pytest.mark.parametrize(
    "path, wanted",
    [
        ("test/resync/test_plan.py", "test/resync/test_plan.py"),
        ("klippy/extras/resync/model/plan.py", "test/resync/test_plan.py"),
        ("klippy/extras/resync/pins/fan_out.py", "test/end_to_end/test_fan_out.py"),
        ("klippy/extras/resync/state/guard.py", "test/end_to_end/test_safety.py"),
        ("klippy/chelper/kin_resync.c", "test/resync/test_chelper.py"),
        ("virtual_printer/session.py", "test/virtual_printer/test_session.py"),
        (
            "virtual_printer/src/simulation/firmware/stepper.c",
            "test/virtual_printer/test_simulation_stepper.py",
        ),
        ("scripts/developer/faults/judge.py", "test/scripts/test_faults.py"),
        ("scripts/install.sh", "test/scripts/test_install.py"),
        ("test/end_to_end/driving.py", "test/end_to_end/test_motion.py"),
        ("test/docs/conftest.py", "test/docs/test_docs.py"),
        ("docs/Guide.md", "test/docs/test_docs.py"),
        ("config/sample.cfg", "test/end_to_end/test_sample_configs.py"),
    ],
)
def test_changed_file_asks_for_its_tests(path, wanted):
    found = files_to_test([path])
    assert wanted in found
    # By far not all
    assert len(found) < len(list((ROOT / "test").rglob("test_*.py"))) / 4


def test_what_a_printer_runs_asks_for_a_look_at_printers():
    assert needs_a_printer("klippy/extras/resync/state/guard.py")
    assert needs_a_printer("virtual_printer/session.py")
    assert not needs_a_printer("docs/Guide.md")


def test_change_is_what_is_not_committed_and_without_that_the_last_commit(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True)

    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("")
    git("init", "-q")
    git("add", "a.py")
    git("commit", "-q", "-m", "a")
    assert changed_paths(tmp_path) == ["b.py"]
    git("add", "b.py")
    git("commit", "-q", "-m", "b")
    assert changed_paths(tmp_path) == ["b.py"]
    (tmp_path / "a.py").write_text("changed\n")
    (tmp_path / "c.py").write_text("")
    assert changed_paths(tmp_path) == ["a.py", "c.py"]


def test_test_above_the_cpu_limit_fails_with_its_children_but_not_one_that_waits(tmp_path):
    (tmp_path / "test_slow.py").write_text(SLOW_TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--cpu-limit=0.3"]
    done = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), "-p", "conftest", str(tmp_path)],
        cwd=str(CONFTEST.parent),
        capture_output=True,
        text=True,
    )
    assert "2 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "test_slow.py::test_computes - Failed: took 0." in done.stdout
    assert " s of CPU time, more than 0.3 s" in done.stdout
