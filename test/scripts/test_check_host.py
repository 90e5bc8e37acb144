# check_host.sh on real hosts, on broken ones, and on what is no host
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.developer.host_table import HostTable, Row
from virtual_printer import hosts

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}

# Of the end-to-end tests, those of the areas below.  The others do on a copy of a host what
# they do on the host itself
AREA_TESTS = ("test_invariants.py", "test_rules.py", "test_safety.py", "test_time.py")
EVERY_HOST_HAS = (
    "start-up",
    "homing",
    "probing",
    "levelling",
    "mapping kept",
    "corrections",
    "safety limits",
    "failure paths",
    "time cost",
    "commands",
)


@pytest.fixture
def clone(tmp_path):
    """A copy of the project, with the environments of this one but a checkout of its own."""
    folder = tmp_path / "clone"
    ignore = shutil.ignore_patterns(".*", "__pycache__")
    shutil.copytree(str(ROOT), str(folder), ignore=ignore)
    for path in (folder / "test" / "end_to_end").glob("test_*.py"):
        if path.name not in AREA_TESTS:
            path.unlink()
    (folder / ".env").mkdir()
    for environment in hosts.ENVIRONMENTS.iterdir():
        if environment.is_dir() and environment.name != hosts.CHECKOUT:
            (folder / ".env" / environment.name).symlink_to(environment)
    return folder


def check(clone, *arguments):
    # What is set up already needs no network
    return subprocess.run(
        [str(clone / "scripts" / "check_host.sh"), *map(str, arguments)],
        env={**os.environ, **NOWHERE},
        capture_output=True,
        text=True,
        timeout=900,
    )


def rows(done):
    return dict(re.findall(r"^  (\w.*?) +(pass|FAIL|skipped) +\d", done.stdout, re.MULTILINE))


def listing(folder):
    return sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


@pytest.mark.parametrize("name", hosts.REGISTRY_HOSTS)
def test_every_row_passes_on_a_host_from_the_registry(clone, name):
    host = hosts.find(name)
    before = listing(host.klippy.resolve())
    done = check(clone, "--quick", host.klippy.parent)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    found = rows(done)
    assert {found[area] for area in EVERY_HOST_HAS} == {"pass"}
    # What is about something that this host does not have may be skipped
    assert "FAIL" not in found.values()
    assert listing(host.klippy.resolve()) == before


def test_broken_host_in_a_folder_with_blanks_fails_with_its_logs(clone, tmp_path):
    klippy = tmp_path / "my klipper" / "klippy"
    shutil.copytree(str(hosts.find("klipper_v0_12").klippy), str(klippy))
    (klippy / ".version").write_text("v9.9-changed\n")
    with open(str(klippy / "stepper.py"), "a") as f:
        f.write("\ndel MCU_stepper.get_past_mcu_position\n")
    done = check(clone, "--quick", klippy.parent)
    assert done.returncode == 1
    assert "check_host: version v9.9-changed of %s" % (klippy.parent,) in done.stdout
    assert rows(done)["probing"] == "FAIL"
    failure = re.search(
        r"^FAILED, probing: .*\n.*has no \S*stepper.MCU_stepper.get_past_mcu_position.*\n"
        r"    logs: (.*)$",
        done.stdout,
        re.MULTILINE,
    )
    folder = Path(failure.group(1))
    assert "MCU_stepper" in (folder / "failure.txt").read_text()
    assert list(folder.glob("*/klippy.log"))


@pytest.mark.parametrize("arguments", [(), ("--quick",), ("a", "b"), ("--fast", "a")], ids=str)
def test_wrong_arguments_are_one_line(clone, arguments):
    done = check(clone, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "check_host: usage: scripts/check_host.sh [--quick] PATH_TO_KLIPPER\n"


def test_path_that_is_no_klipper_is_one_line(clone, tmp_path):
    done = check(clone, tmp_path / "no where")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "setup: no Klipper there: no klippy.py with chelper/ and extras/ in %s/no where\n"
        % (tmp_path,)
    )


def report(outcome, when="call"):
    return SimpleNamespace(
        when=when,
        outcome=outcome,
        nodeid="test_x.py::test_x",
        user_properties=[("area", "homing")],
        longrepr=("", 1, "Skipped: no such thing"),
        longreprtext="E  wrong",
        **{name: name == outcome for name in ("passed", "failed", "skipped")},
    )


def test_table_without_a_test_that_passed_is_no_success():
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    table = HostTable()
    table.pytest_runtest_logreport(report("passed", "setup"))
    table.pytest_runtest_logreport(report("skipped", "setup"))
    table.pytest_sessionfinish(session)
    assert session.exitstatus != 0


def test_row_fails_with_any_of_its_tests():
    row = Row()
    row.counts.update(passed=2, skipped=1)
    assert row.describe("homing").split() == "homing pass 2 passed, 1 skipped".split()
    row.counts["failed"] = 1
    assert row.verdict() == "FAIL"
