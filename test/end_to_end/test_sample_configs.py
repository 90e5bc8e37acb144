# The sample configs of config/, in motion on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from pathlib import Path

import pytest
from end_to_end.driving import log_of_moves, mapping_skew_mm

CONFIG = Path(__file__).resolve().parents[2] / "config"
Z4 = ("stepper_z", "stepper_z1", "stepper_z2", "stepper_z3")
# Each sample with its shared rails, the height it starts at (mm), and its G-code
SAMPLES = {
    "sample-voron2-four-boards": ([Z4], 20.0, "QUAD_GANTRY_LEVEL", "G28 Z"),
    "sample-trident-three-z-two-boards": ([Z4[:3]], 20.0, "Z_TILT_ADJUST", "G28 Z"),
    "sample-awd-corexy": (
        [("stepper_x", "stepper_x1"), ("stepper_y", "stepper_y1")],
        20.0,
        "G1 X100 Y100 F6000",
        "G28 X Y",
    ),
    "sample-dual-y-gantry": ([("stepper_y", "stepper_y1")], -20.0, "G1 Y50 F3000", "G28 Y"),
}


class SampleConfig:
    """A file of config/ as it is."""

    def __init__(self, name, height_mm):
        self._text = (CONFIG / (name + ".cfg")).read_text(encoding="utf-8")
        self._height_mm = height_mm

    def printer_cfg(self):
        return self._text

    def machine_cfg(self):
        names = [n for n in Z4 if "[%s]" % (n,) in self._text]
        heights = [
            "height_%s: %.2f" % (name, self._height_mm + higher_mm)
            # No two alike: v0.11 cannot sort steppers that Z_TILT_ADJUST has to move alike
            for name, higher_mm in zip(names, (0.0, 0.3, 0.17, 0.25))
        ]
        return "\n".join(["[gantry]", "start_x: 120", "start_y: 130", *heights, ""])


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_config_homes_again_and_again_in_sync(start, name):
    rails, height_mm, move, homing = SAMPLES[name]
    printer = start(SampleConfig(name, height_mm))
    printer.gcode("G28\n%s\n%s\nG90\nM400" % (move, homing))
    before_mm = [mapping_skew_mm(printer, rail) for rail in rails]
    for _ in range(2):
        printer.gcode("%s\n%s\nM400" % (move if move.startswith("G1") else "", homing))
        status = printer.status("multi_mcu_resync")
        assert status["corrected"] and set(status["in_sync"].values()) == {True}
        assert set(status["correction_steps"]) == {name for rail in rails for name in rail}
    # Something was there to correct
    assert re.search(r"stepper_\w+=\S+,[+-][1-9]", log_of_moves(printer))
    for rail, skew_mm in zip(rails, before_mm):
        assert mapping_skew_mm(printer, rail) == pytest.approx(skew_mm, abs=1e-9)


def test_every_sample_config_is_tested():
    assert set(SAMPLES) == {path.stem for path in CONFIG.glob("*.cfg")}
