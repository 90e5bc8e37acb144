# The extra runs under every Python from 3.8 to 3.13
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import List, Optional

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXTRA = ROOT / "klippy" / "extras"
FILES = sorted(EXTRA.rglob("*.py"))
PYENV = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"
# pytest and hypothesis in versions that run under all of them
LIBRARIES = ROOT / ".env" / "tools" / "pythons"
# Few examples, since the suite has them all under one Python
FEW_EXAMPLES = """
from hypothesis import settings
settings.register_profile("few", max_examples=10)
settings.load_profile("few")
"""
# It needs hosts and a compiler
LEFT_OUT = "--ignore=test/resync/test_chelper.py"


def find_python(minor: int) -> Optional[str]:
    """Return the Python 3.minor of the PATH or of pyenv, whose shims may lead nowhere."""
    name = "python3.%d" % (minor,)
    on_path = [os.path.join(folder, name) for folder in os.environ["PATH"].split(os.pathsep)]
    in_pyenv = [str(path) for path in sorted(PYENV.glob("3.%d.*/bin/%s" % (minor, name)))]
    for candidate in on_path + in_pyenv:
        if not os.access(candidate, os.X_OK):
            continue
        done = subprocess.run([candidate, "--version"], capture_output=True, text=True)
        if done.stdout.startswith("Python 3.%d." % (minor,)):
            return candidate
    return None


def search_newer(paths: List[Path]) -> "subprocess.CompletedProcess[str]":
    """Search files for what needs a newer Python than 3.8; exit code 1 if there is any."""
    command = [sys.executable, "-c", "from vermin import main; main()"]
    options = ["-t=3.8-", "--violations", "--eval-annotations", "--no-tips"]
    return subprocess.run([*command, *options, *map(str, paths)], capture_output=True, text=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_parses_as_python_3_8(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_nothing_newer_than_python_3_8_is_used(tmp_path: Path) -> None:
    done = search_newer(FILES)
    assert done.returncode == 0, done.stdout + done.stderr
    newer = tmp_path / "newer.py"
    newer.write_text("import math\nprint(math.lcm(4, 6))\n")
    done = search_newer([newer])
    assert done.returncode == 1
    assert "'math.lcm' member requires !2, 3.9" in done.stdout


@pytest.mark.parametrize("minor", range(8, 14), ids=lambda minor: "3.%d" % (minor,))
def test_extra_and_its_tests_run_under_python(minor: int, tmp_path: Path) -> None:
    python = find_python(minor)
    if python is None:
        pytest.skip("no Python 3.%d on the PATH or in pyenv" % (minor,))
    # What the extra loads its C helper with is compiled for one Python, and not called here
    (tmp_path / "cffi.py").write_text("")
    (tmp_path / "few_examples.py").write_text(FEW_EXAMPLES)
    (tmp_path / "test_import.py").write_text("import extras.multi_mcu_resync\n\ndef test(): pass\n")
    folders = [tmp_path, LIBRARIES, ROOT / "klippy"]
    # This Python runs the tests of the extra anyway
    tests = [] if minor == sys.version_info.minor else [LEFT_OUT, "test/resync"]
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "few_examples"]
        + [*tests, str(tmp_path)],
        cwd=str(ROOT),
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            # Compiled once for each Python, and apart from what is under test
            "PYTHONPYCACHEPREFIX": str(ROOT / ".env" / "bytecode"),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
