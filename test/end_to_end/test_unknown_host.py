# Hosts of some day that lack what the extra needs: refused at start, by name
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import os
import shutil
from dataclasses import replace

import pytest

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

pytestmark = pytest.mark.area("start-up")


@pytest.fixture
def changed(host, tmp_path):
    """changed(path, text): the host from a copy, in which a file ends with that text."""

    def change(path, text):
        # A package is looked for where it is started, whatever is installed under its name
        copy = tmp_path / "session" / "klippy"
        shutil.copytree(str(host.klippy), str(copy), symlinks=True)
        for link in (path for path in copy.rglob("*") if path.is_symlink()):
            target = os.path.realpath(str(host.klippy / link.relative_to(copy)))
            link.unlink()
            link.symlink_to(target)
        with open(str(copy / path), "a") as f:
            f.write(text)
        return host if host.entry[0] == "-m" else replace(host, entry=(str(copy / "klippy.py"),))

    return change


def refusal(host, folder):
    """The first line of what such a host says at its start."""
    sample = SamplePrinter()
    work_dir = folder / "session"
    with Session(
        host, sample.printer_cfg(), sample.machine_cfg(), work_dir=work_dir, ready=False
    ) as printer:
        assert printer.state() == "error"
        return printer.state_message().splitlines()[0]


# A constant of mcu.py, or in Kalico an option
NO_TIMEOUT = """
if "TRSYNC_TIMEOUT" in globals():
    del TRSYNC_TIMEOUT
"""
NO_TIMEOUT_OPTION = """
class DangerOptions(DangerOptions):
    def __init__(self, config):
        super().__init__(config)
        del self.multi_mcu_trsync_timeout
"""
REFUSED = "multi_mcu_resync: this version of the host is not supported, it has no "
GONE = """
del MCU_stepper.get_past_mcu_position, MCU_stepper.get_trapq
"""


def test_all_that_is_missing_is_named_before_anything_moves(changed, tmp_path):
    line = refusal(changed("stepper.py", GONE), tmp_path)
    assert line.startswith(REFUSED)
    for name in ("get_past_mcu_position", "get_trapq"):
        assert "stepper.MCU_stepper.%s" % (name,) in line


def test_check_that_has_gone_is_named_when_the_section_is_read(changed, tmp_path):
    # Whatever class has it, by another name than the one that is looked for
    text = "\nclass TriggerDispatch:\n    pass\n"
    line = refusal(changed("mcu.py", text), tmp_path)
    assert line.startswith(REFUSED)
    assert "mcu.TriggerDispatch.add_stepper" in line


def test_timeout_of_homing_that_has_gone_is_named_before_anything_moves(host, changed, tmp_path):
    path, text = "mcu.py", NO_TIMEOUT
    if (host.klippy / "extras" / "danger_options.py").exists():
        path, text = "extras/danger_options.py", NO_TIMEOUT_OPTION
    line = refusal(changed(path, text), tmp_path)
    assert line.startswith(REFUSED)
    assert "mcu.TRSYNC_TIMEOUT" in line
