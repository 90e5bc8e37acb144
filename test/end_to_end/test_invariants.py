# Invariants I1 to I7, on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from dataclasses import replace

import pytest
from end_to_end.driving import (
    host_counts,
    level_truth,
    log_of_moves,
    probe_at_random,
    probed_height_mm,
    pulses,
    skew_gained_mm,
)

from virtual_printer.firmware.chips import PIN_NUMBERS
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError

UNLIKE_GEARS = SamplePrinter(
    z_gear_ratios=("80:16", "75:16", "77:16", "73:16"),
    z_dir_inverted=(False, True, False, True),
)

pytestmark = pytest.mark.area("mapping kept")
Z_STEP_MM = 0.0025
SHARED_AXIS_ERROR = "Multi-mcu homing not supported on multi-mcu shared axis"


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("sample", [SamplePrinter(), UNLIKE_GEARS], ids=["like", "unlike"])
def test_i1_probe_leaves_every_mapping_unchanged(start, sample, seed):
    printer = start(sample, seed)
    printer.gcode("G28")
    before = level_truth(printer)
    probe_at_random(printer, 20, seed)
    after = level_truth(printer)
    assert after == before


def test_i1_does_not_hold_without_correction(start):
    printer = start(SamplePrinter().with_resync(correct=False))
    printer.gcode("G28")
    before = level_truth(printer)
    probe_at_random(printer, 20)
    assert skew_gained_mm(before, level_truth(printer)) > 5 * Z_STEP_MM


@pytest.mark.area("corrections")
def test_i2_no_correction_is_in_the_direction_of_travel(start):
    sample = UNLIKE_GEARS
    printer = start(sample)
    printer.gcode("G28")
    moved = 0
    for _ in range(5):
        printer.gcode("G90\nG1 Z10 F600\nM400")
        for name in sample.z_names:
            printer.control("pulses %s reset" % (name,))
        printer.gcode("PROBE\nM400")
        corrections = printer.status("multi_mcu_resync")["correction_steps"]
        for name in sample.z_names:
            up, _ = pulses(printer, name)
            assert up == corrections[name] >= 0
            moved += up
    assert moved > 0


def test_i3_counts_of_mcus_and_host_agree_after_corrections(start):
    printer = start(UNLIKE_GEARS)
    printer.gcode("G28")
    for _ in range(5):
        printer.gcode("G90\nG1 Z10 F600\nPROBE\nM400")
        corrections = printer.status("multi_mcu_resync")["correction_steps"]
        assert any(corrections.values())
        truth = printer.stepper_truth()
        assert {n: t.pulses for n, t in truth.items()} == host_counts(printer)


def test_i4_steppers_outside_shared_axes_get_no_step(start):
    printer = start(SamplePrinter())
    printer.gcode("G28\nG90\nG1 Z10 X100.003 Y90.007 F6000\nM400")
    before = printer.stepper_truth()
    for _ in range(5):
        printer.gcode("PROBE\nG1 Z10 F600\nM400")
    after = printer.stepper_truth()
    for name in ("stepper_x", "stepper_y"):
        assert after[name] == before[name]
    printer.gcode("G1 X50 Y60 F6000\nG1 X100.003 Y90.007\nM400")
    back = printer.stepper_truth()
    for name in ("stepper_x", "stepper_y"):
        assert abs(back[name].pulses - before[name].pulses) <= 1


def test_i4_rail_on_one_mcu_gets_no_correction(start):
    printer = start(SamplePrinter(x_mcus=("mcu", "x1")).on_one_mcu())
    printer.gcode("G28\nG1 Z10 F600\nM400")
    for name in SamplePrinter().z_names:
        printer.control("pulses %s reset" % (name,))
    printer.gcode("PROBE\nM400")
    assert printer.status("multi_mcu_resync", "axes")["axes"] == ["x"]
    for name in SamplePrinter().z_names:
        up, down = pulses(printer, name)
        assert (up, down > 0) == (0, True)


@pytest.mark.area("probing")
@pytest.mark.parametrize("correct", [True, False])
def test_i5_probe_returns_the_trigger_height(start, correct):
    printer = start(SamplePrinter().with_resync(correct=correct))
    printer.gcode("G28\nG1 Z10 F600")
    for _ in range(3):
        reported_mm = probed_height_mm(printer.gcode("PROBE\nG1 Z10 F600"))
        target_mm = float(re.findall(r"endstop=probe .*target=(\S+)", log_of_moves(printer))[-1])
        assert reported_mm == pytest.approx(target_mm, abs=2e-6)


@pytest.mark.area("probing")
def test_i5_first_probe_result_is_the_same_with_and_without_correction(start):
    results_mm = []
    for correct in (True, False):
        printer = start(SamplePrinter().with_resync(correct=correct, axes="z"))
        # Nothing has been corrected before the first probing move is over
        printer.gcode("SET_KINEMATIC_POSITION X=150 Y=150 Z=25")
        results_mm.append(probed_height_mm(printer.gcode("PROBE")))
    # The MCU looks at the pin once per step, and the two have not started at the same instant
    assert results_mm[0] == pytest.approx(results_mm[1], abs=Z_STEP_MM + 1e-6)


@pytest.mark.area("failure paths")
def test_i6_communication_timeout_leaves_the_rail_in_step(start):
    printer = start(SamplePrinter())
    printer.gcode("G28")
    before = level_truth(printer)
    printer.control("link z2 delay_us=40000 from_s=%.3f for_s=0.03" % (printer.now_s() + 0.8,))
    with pytest.raises(GCodeError, match="Communication timeout"):
        printer.gcode("PROBE")
    assert skew_gained_mm(before, level_truth(printer)) == 0.0


@pytest.mark.area("failure paths")
def test_i6_probe_without_trigger_leaves_the_rail_in_step(start):
    printer = start(SamplePrinter())
    printer.gcode("G28")
    before = level_truth(printer)
    printer.control("endstop toolhead %d force=0" % (PIN_NUMBERS["PB6"],))
    with pytest.raises(GCodeError, match="No trigger"):
        printer.gcode("PROBE")
    assert skew_gained_mm(before, level_truth(printer)) == 0.0


@pytest.mark.area("failure paths")
def test_i6_correction_over_the_limit_unhomes_the_axes(start):
    printer = start(SamplePrinter().with_resync(max_correction=0.004))
    with pytest.raises(GCodeError, match=r"stepper 'stepper_z\d?' .* max_correction"):
        printer.gcode("G28")
    assert "z" not in printer.status("toolhead", "homed_axes")["homed_axes"]
    with pytest.raises(GCodeError, match="[Mm]ust home"):
        printer.gcode("G1 Z10")
    assert "max_correction" in printer.status("multi_mcu_resync", "error")["error"]


@pytest.mark.area("failure paths")
def test_i6_emergency_stop_while_probing_needs_a_restart(start):
    printer = start(SamplePrinter())
    printer.gcode("G28\nG1 Z10 F600\nM400")
    printer.control("mcu z1 shutdown reason=Command_request at_s=%.3f" % (printer.now_s() + 0.7,))
    with pytest.raises(GCodeError):
        printer.gcode("PROBE")
    assert printer.state() == "shutdown"
    printer.restart("FIRMWARE_RESTART")
    with pytest.raises(GCodeError, match="[Mm]ust home"):
        printer.gcode("G1 Z10")
    printer.gcode("G28")


@pytest.mark.area("start-up")
def test_i7_without_the_section_the_host_refuses_as_shipped(start):
    printer = start(SamplePrinter().without_section(), ready=False)
    assert printer.state() == "error"
    assert SHARED_AXIS_ERROR in printer.state_message()


@pytest.mark.area("start-up")
def test_i7_restart_without_the_section_refuses_as_shipped(start):
    sample = SamplePrinter()
    printer = start(sample)
    printer.write("printer.cfg", sample.without_section().printer_cfg())
    printer.restart(ready=False)
    assert printer.state() == "error"
    assert SHARED_AXIS_ERROR in printer.state_message()
    printer.write("printer.cfg", sample.printer_cfg())
    printer.restart()
    printer.gcode("G28")


@pytest.mark.area("start-up")
def test_i7_axis_left_out_is_refused_as_shipped(start):
    sample = replace(SamplePrinter(), x_mcus=("mcu", "x1")).with_resync(axes="x")
    printer = start(sample, ready=False)
    assert printer.state() == "error"
    assert SHARED_AXIS_ERROR in printer.state_message()
