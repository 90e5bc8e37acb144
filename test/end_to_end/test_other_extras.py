# Other extras that inspect, wrap and set back the functions that are stood in for
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json

import pytest
from end_to_end.driving import level_truth, skew_gained_mm

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError

pytestmark = pytest.mark.area("start-up")

SECTION = "[multi_mcu_resync]"
UNLIKE = SamplePrinter(z_gear_ratios=("80:16", "75:16", "77:16", "73:16"))
REPLACED = "G28 add_stepper check_move home_start home_wait manual_move set_position setup_pin stop"


def before_ours(name):
    """Replacements for a printer.cfg in which a section comes before ours."""
    return [(SECTION, "[%s]\n\n%s" % (name, SECTION))]


def inspected(printer):
    """The functions that are replaced, and those of them that show it."""
    return json.loads(printer.gcode("INSPECT")[-1].partition(" ")[2])


def test_functions_that_are_stood_in_for_look_like_the_hosts_own(start):
    sample = SamplePrinter().with_resync(probe_pins="z0:PB6, z1:PB6, z2:PB6, z3:PB6")
    printer = start(sample, replace=before_ours("inspecting"))
    inspected(printer)
    printer.gcode("G28\nG1 Z10 F600\nPROBE")
    replaced, changed = inspected(printer)
    assert replaced == REPLACED.split()
    assert changed == []


@pytest.mark.area("mapping kept")
@pytest.mark.parametrize("way", ["defaults", "signature", "variables"])
def test_probe_that_looks_how_to_set_a_position_can_set_it(start, way):
    printer = start(UNLIKE, replace=before_ours("inspecting"))
    printer.gcode("G28")
    before = level_truth(printer)
    for _ in range(20):
        printer.gcode("G1 Z10.001\nINSPECT_SET WAY=%s\nG1 Z10" % (way,))
    assert printer.status("toolhead")["homed_axes"] == "xyz"
    assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0.0, abs=0.0025)


def assert_all_functions_work(printer):
    """The mapping is kept, moves are refused, and moves of single steppers are noticed."""
    printer.gcode("G28")
    before = level_truth(printer)
    for _ in range(10):
        printer.gcode("G28 Z")
    after = level_truth(printer)
    # Half a step of each stepper, however often the axis is homed
    assert skew_gained_mm(before, after) == pytest.approx(0.0, abs=0.0026)
    printer.gcode("FORCE_MOVE STEPPER=stepper_z1 DISTANCE=0.5 VELOCITY=5")
    assert printer.status("multi_mcu_resync")["in_sync"]["z"] is False
    with pytest.raises(GCodeError, match="Axis z is not in sync"):
        printer.gcode("G1 Z11")
    printer.gcode("FORCE_MOVE STEPPER=stepper_z1 DISTANCE=-0.5 VELOCITY=5\nG1 Z10")


@pytest.mark.area("mapping kept")
@pytest.mark.parametrize("is_first", [True, False])
def test_other_extra_that_sets_functions_back_takes_nothing_from_us(start, is_first):
    called = "called: check_move manual_move set_position"
    printer = start(
        UNLIKE,
        sections="" if is_first else "[setting_back]\n",
        replace=before_ours("setting_back") if is_first else [],
    )
    assert_all_functions_work(printer)
    assert called in printer.gcode("SET_BACK")[-1]
    assert_all_functions_work(printer)
    printer.gcode("WRAP")
    assert_all_functions_work(printer)
    assert called in printer.gcode("SET_BACK")[-1]
    printer.restart()
    assert_all_functions_work(printer)
