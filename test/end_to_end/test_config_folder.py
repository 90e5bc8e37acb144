# Every config that comes with Klipper runs on the virtual printer, as it is
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from pathlib import Path
from typing import List

import pytest

from scripts.developer.configs import check
from virtual_printer import hosts

HOST = "klipper_v0_12"
FOLDER = hosts.find(HOST).klippy / "config"
CHUNK = 10
PATHS = sorted(FOLDER.glob("*.cfg"))
CHUNKS = [PATHS[i : i + CHUNK] for i in range(0, len(PATHS), CHUNK)]
# What a real printer does with these, too
NOT_HOMED = {
    # A chamber that is to be 40 C at least, in a room of 25 C
    "generic-duet2-duex.cfg": "G28: Homing failed due to printer shutdown",
    # With 256 microsteps at 2 mm/s the endstop is sampled 31 us before each step, and has to be
    # pressed for 45 us: the stepper is one step further then, and the host wants to go back to a
    # place that is outside. Klipper's issue 6041 has it from a real printer.
    "printer-modix-big60-2020.cfg": "G28: Move out of range: -0.001 600.001",
}


def name_of(paths: List[Path]) -> str:
    return paths[0].stem


@pytest.mark.parametrize("paths", CHUNKS, ids=name_of)
def test_config_is_ready_and_homes(paths: List[Path]) -> None:
    for path in paths:
        outcome = check.check(path, HOST, lambda text: None)
        if outcome.is_fragment:
            assert "[mcu]" not in path.read_text(encoding="utf-8")
            continue
        assert outcome.ready, (path.name, outcome.reason)
        expected = NOT_HOMED.get(path.name)
        assert outcome.homed is (expected is None), (path.name, outcome.reason)
        assert outcome.reason.startswith(expected or ""), path.name
        assert outcome.not_simulated == [], path.name


def test_folder_has_all_its_printers() -> None:
    printers = [path for path in PATHS if "\n[mcu]" in path.read_text(encoding="utf-8")]
    assert len(printers) == 194
