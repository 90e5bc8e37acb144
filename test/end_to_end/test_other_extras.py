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
REPLACED = (
    "FORCE_MOVE G28 STEPPER_BUZZ add_stepper adjust_steppers check_move check_retry_result"
    " home_start home_wait homing_move manual_move set_position setup_pin stop"
)


def before_ours(name):
    """Replacements for a printer.cfg in which a section comes before ours."""
    return [(SECTION, "[%s]\n\n%s" % (name, SECTION))]


def inspected(printer):
    """The functions that are replaced, those that show it, and those left from the last start."""
    return json.loads(printer.gcode("INSPECT")[-1].partition(" ")[2])


def test_functions_that_are_stood_in_for_look_like_the_hosts_own(start):
    sample = SamplePrinter().with_resync(probe_pins="z0:PB6, z1:PB6, z2:PB6, z3:PB6")
    printer = start(sample, replace=before_ours("inspecting"))
    inspected(printer)
    printer.gcode("G28\nG1 Z10 F600\nPROBE")
    replaced, changed, left = inspected(printer)
    assert replaced == REPLACED.split()
    assert changed == left == []


def end_at_rest(printer):
    printer.restart()


def end_while_it_homes(printer):
    printer.control("mcu z0 shutdown reason=Command_request at_s=%.3f" % (printer.now_s() + 1,))
    with pytest.raises(GCodeError):
        printer.gcode("PROBE")
    printer.restart("FIRMWARE_RESTART")


def end_with_armed_endstops(printer, probe="PROBE"):
    printer.gcode("UNRULY AT=begin DO=home_start_raises")
    with pytest.raises(GCodeError, match="unruly"):
        printer.gcode(probe)
    printer.restart("FIRMWARE_RESTART")


def end_with_armed_endstops_of_a_move_that_is_not_followed(printer):
    end_with_armed_endstops(printer, "UNRULY_PROBE")


ENDINGS = (
    end_at_rest,
    end_while_it_homes,
    end_with_armed_endstops,
    end_with_armed_endstops_of_a_move_that_is_not_followed,
)


@pytest.mark.parametrize("options", [{}, {"probe_pins": "z0:PB6"}], ids=["relayed", "pins"])
@pytest.mark.parametrize("end", ENDINGS)
def test_nothing_is_replaced_after_a_restart_without_the_section(start, end, options):
    sample = SamplePrinter().with_resync(include_single_mcu=True, **options).on_one_mcu()
    others = "\n[inspecting]\n\n[unruly_extra]\n"
    printer = start(sample, sections=others)
    printer.gcode("G28\nG1 Z10 F600\nPROBE")
    printer.write("printer.cfg", sample.without_section().printer_cfg() + others)
    end(printer)
    assert inspected(printer)[2] == []
    printer.gcode("G28\nG1 Z10 F600\nPROBE")
    assert inspected(printer) == [[], [], []]


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


# Extras that move single steppers

AWD = SamplePrinter(x_mcus=("mcu", "x1"), y_mcus=("mcu", "y1"))
X_STEP_MM = 0.0125


def start_motors_sync(start):
    printer = start(AWD, sections="[standin_motors_sync]\naxes: x, y\n")
    printer.gcode("G28\nG90\nG1 X150 Y150 F6000")
    return printer, level_truth(printer, "stepper_x")


def in_sync(printer):
    return printer.status("multi_mcu_resync")["in_sync"]


def level_needed(printer, axis):
    return printer.status("multi_mcu_resync")["level_needed"][axis]


def assert_shift_is_kept(printer, before, steps):
    printer.gcode("G1 X100 Y120 F6000\nG28 X\nG28\nG1 X150 Y150 F6000")
    after = level_truth(printer, "stepper_x")
    assert skew_gained_mm(before, after) == pytest.approx(steps * X_STEP_MM, abs=1e-6)


@pytest.mark.area("levelling")
def test_steppers_that_were_synchronized_are_in_sync_where_they_were_put(start):
    printer, before = start_motors_sync(start)
    assert level_needed(printer, "x") is True
    printer.gcode("SYNC_MOTORS AXES=x STEPS=4")
    assert (level_needed(printer, "x"), level_needed(printer, "y")) == (False, True)
    assert in_sync(printer) == {"x": True, "y": True, "z": True}
    assert_shift_is_kept(printer, before, 4)
    printer.gcode("SYNC_MOTORS STEPS=-1")
    assert in_sync(printer) == {"x": True, "y": True, "z": True}
    assert_shift_is_kept(printer, before, 3)


@pytest.mark.area("levelling")
def test_steppers_that_could_not_be_synchronized_are_in_an_unknown_state(start):
    printer, _ = start_motors_sync(start)
    with pytest.raises(GCodeError, match="Too many retries"):
        printer.gcode("SYNC_MOTORS AXES=x STEPS=4 FAIL=1")
    assert in_sync(printer) == {"x": None, "y": True, "z": True}
    assert "axis x" in "\n".join(printer.gcode("G28 X\nQUERY_RESYNC"))
    assert level_needed(printer, "x") is True


@pytest.mark.area("levelling")
def test_what_another_extra_moves_is_meant_and_what_force_move_moves_is_not(start):
    printer, before = start_motors_sync(start)
    printer.gcode("SHIFT_MOTOR AXIS=x STEPS=5")
    assert in_sync(printer)["x"] is True
    assert_shift_is_kept(printer, before, 5)
    printer.gcode("FORCE_MOVE STEPPER=stepper_x1 DISTANCE=0.1 VELOCITY=5")
    assert in_sync(printer)["x"] is False
    # Neither puts it right nor makes it worse
    printer.gcode("SHIFT_MOTOR AXIS=x STEPS=2")
    assert in_sync(printer)["x"] is False
    printer.gcode("RESYNC")
    assert in_sync(printer)["x"] is True
    assert_shift_is_kept(printer, before, 7)


# Others that wrap what we wrap


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
@pytest.mark.parametrize("is_first, in_class", [(True, False), (False, False), (True, True)])
def test_other_extra_that_sets_functions_back_takes_nothing_from_us(start, is_first, in_class):
    called = "called: check_move manual_move set_position"
    section = "[setting_back]\nin_class: %s\n" % (in_class,)
    printer = start(
        UNLIKE,
        sections="" if is_first else section,
        replace=[(SECTION, "%s\n%s" % (section, SECTION))] if is_first else [],
    )
    assert_all_functions_work(printer)
    assert called in printer.gcode("SET_BACK")[-1]
    assert_all_functions_work(printer)
    printer.gcode("WRAP")
    assert_all_functions_work(printer)
    assert called in printer.gcode("SET_BACK")[-1]
    printer.restart()
    assert_all_functions_work(printer)
