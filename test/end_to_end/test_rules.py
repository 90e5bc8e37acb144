# The rules that follow from the maths, on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re

import pytest
from end_to_end.driving import level_truth, probe_at_random, skew_gained_mm

from virtual_printer.samples import SamplePrinter

Z_STEP_MM = 0.0025


def last_range_mm(lines):
    return float(re.search(r"range (\d+\.\d+)", "\n".join(lines)).group(1))


@pytest.mark.area("levelling")
def test_levelling_changes_mappings_and_the_resync_keeps_the_change(start):
    printer = start(SamplePrinter())
    printer.gcode("G28")
    crooked = level_truth(printer)
    printer.gcode("QUAD_GANTRY_LEVEL")
    level = level_truth(printer)
    assert skew_gained_mm(crooked, level) > 0.3
    probe_at_random(printer, 10)
    assert level_truth(printer) == level


@pytest.mark.area("levelling")
def test_force_move_changes_a_mapping_and_the_resync_keeps_the_change(start):
    printer = start(SamplePrinter())
    printer.gcode("G28")
    before = level_truth(printer)
    printer.gcode("FORCE_MOVE STEPPER=stepper_z1 DISTANCE=0.5 VELOCITY=5")
    printer.gcode("RESYNC CLEAR=1")
    probe_at_random(printer, 5)
    after = level_truth(printer)
    assert skew_gained_mm(before, after) == pytest.approx(0.5, abs=Z_STEP_MM)
    probe_at_random(printer, 5)
    assert level_truth(printer) == after


@pytest.mark.area("probing")
def test_probe_accuracy_is_that_of_one_mcu(start):
    printer = start(SamplePrinter())
    printer.gcode("G28\nG1 Z10 F600")
    shared_mm = last_range_mm(printer.gcode("PROBE_ACCURACY SAMPLES=10"))
    printer = start(SamplePrinter().on_one_mcu().without_section())
    printer.gcode("G28\nG1 Z10 F600")
    one_mcu_mm = last_range_mm(printer.gcode("PROBE_ACCURACY SAMPLES=10"))
    assert shared_mm <= one_mcu_mm + Z_STEP_MM + 1e-9


@pytest.mark.area("homing")
def test_stepper_with_an_endstop_of_its_own_is_not_pulled_along(start):
    sample = SamplePrinter(kinematics="cartesian", y_mcus=("mcu", "y1"), y_own_endstops=True)
    printer = start(sample)
    assert printer.status("multi_mcu_resync", "axes")["axes"] == ["y", "z"]
    printer.gcode("G28 Y")
    assert printer.status("multi_mcu_resync", "correction_steps")["correction_steps"] == {}


@pytest.mark.area("levelling")
@pytest.mark.parametrize("count", [2, 3])
def test_two_and_three_z_steppers_stay_in_step(start, count):
    sample = SamplePrinter(z_mcus=("z0", "z1", "z2")[:count])
    printer = start(sample)
    printer.gcode("G28\nZ_TILT_ADJUST")
    before = level_truth(printer)
    probe_at_random(printer, 10)
    assert level_truth(printer) == before


@pytest.mark.area("homing")
def test_steppers_of_a_shared_carriage_axis_stop_at_one_place(start):
    sample = SamplePrinter(x_mcus=("mcu", "x1"))
    printer = start(sample)
    before = printer.stepper_truth()
    printer.gcode("G28 X\nM400")
    after = printer.stepper_truth()
    moved = [after[n].pulses - before[n].pulses for n in ("stepper_x", "stepper_x1")]
    overshoot = printer.status("multi_mcu_resync", "overshoot_steps")["overshoot_steps"]
    assert overshoot["stepper_x1"] > 0
    assert abs(moved[0] - moved[1]) <= 1


@pytest.mark.area("mapping kept")
def test_least_travel_keeps_the_mapping_as_well(start):
    printer = start(SamplePrinter().with_resync(target="least_travel"))
    printer.gcode("G28")
    before = level_truth(printer)
    probe_at_random(printer, 10)
    assert level_truth(printer) == before
