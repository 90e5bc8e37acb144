# The starters of what a developer measures with
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "name, options",
    [
        *[(name, ()) for name in ("bench", "demo", "faults", "mutants", "speed", "first_hour")],
        ("first_hour", ("--rehearse",)),
    ],
)
def test_starter_runs_what_lies_beside_it_wherever_it_is_called(name, options, tmp_path):
    # As in another clone, whose code would be measured instead
    for package in ("scripts", "virtual_printer"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise ImportError('not this one')\n")
    script = "scripts/%s.sh" % (name,)
    done = subprocess.run(
        [str(ROOT / script), *options, "--help"],
        cwd=str(tmp_path),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    # Another test may be setting up at the same time
    shown = [line for line in done.stdout.splitlines() if not line.startswith("setup: waiting")]
    assert shown[0].startswith("usage: %s [-h] " % (script,))
