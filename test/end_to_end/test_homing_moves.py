# Homing moves within others, given up, or failed, on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from pathlib import Path

import pytest
from end_to_end.driving import (
    level_truth,
    log_of_moves,
    mapping_skew_mm,
    pulses,
    skew_gained_mm,
)
from end_to_end.test_handlers import MANUAL_STEPPER
from end_to_end.test_invariants import UNLIKE_GEARS

from virtual_printer.firmware.chips import PIN_NUMBERS
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.area("failure paths")
SECTIONS = MANUAL_STEPPER + "\n[unruly_extra]\n"
GIVEN_UP = "a homing move was given up on its way"
LIKE_GEARS = SamplePrinter()
SAMPLES = {"like": LIKE_GEARS, "unlike": UNLIKE_GEARS}
# The coarsest of all, and what is lost by rounding to six digits
STEP_MM = 40.0 / 200 / 16 * 16 / 73 + 2e-6


def start_level(start, sample=LIKE_GEARS):
    printer = start(sample, sections=SECTIONS)
    printer.gcode("G28\nQUAD_GANTRY_LEVEL\nG90\nG1 X150 Y150 F9000")
    return printer, level_truth(printer)


def test_shutdown_in_mid_move_has_to_be_levelled_after_the_restart(start):
    printer, before = start_level(start)
    assert status(printer, "level_needed_reason") == ""
    printer.call_at(printer.now_s() + 0.6, printer.emergency_stop)
    printer.gcode("G1 Z60 F1200\nM400")
    assert printer.state() == "shutdown"
    assert printer.carriage_truth()[2] < 50
    printer.restart("FIRMWARE_RESTART")
    printer.gcode("G28")
    assert status(printer, "in_sync") is True
    assert status(printer, "level_needed_reason") == "the printer was shut down"
    line = (
        "axis z may not be level: the printer was shut down. Run QUAD_GANTRY_LEVEL,"
        " or RESYNC CLEAR=1 AXIS=z if it is level"
    )
    assert "multi_mcu_resync: " + line in printer.log()
    assert "// " + line in printer.gcode("QUERY_RESYNC")
    printer.gcode("QUAD_GANTRY_LEVEL")
    assert (status(printer, "in_sync"), status(printer, "level_needed")) == (True, False)
    assert not any("may not be level" in line for line in printer.gcode("QUERY_RESYNC"))
    gained_mm = skew_gained_mm(before, level_truth(printer))
    # Levelled once, with a probe that has its own noise
    assert gained_mm < 0.03


def test_owner_may_say_that_the_printer_is_level(start):
    printer = start(LIKE_GEARS)
    printer.gcode("G28")
    assert status(printer, "level_needed_reason") == "not levelled since the start"
    # What every start brings is no news
    assert "may not be level" not in printer.log()
    printer.gcode("RESYNC CLEAR=1")
    assert (status(printer, "in_sync"), status(printer, "level_needed")) == (True, False)


def test_levelling_that_fails_has_not_levelled_whatever_was_before(start):
    printer = start(LIKE_GEARS, sections=SECTIONS)
    printer.gcode("G28")
    for before in ("not levelled since the start", ""):
        assert status(printer, "level_needed_reason") == before
        # It has moved the steppers once, and cannot find out what came of it
        printer.gcode("UNRULY AT=begin DO=raise SKIP=4")
        with pytest.raises(GCodeError, match="unruly"):
            printer.gcode("QUAD_GANTRY_LEVEL")
        reason = "QUAD_GANTRY_LEVEL has not come to its end"
        assert status(printer, "level_needed_reason") == reason
        assert status(printer, "in_sync") is True
        printer.gcode("QUAD_GANTRY_LEVEL")
        assert status(printer, "level_needed") is False
        printer.gcode("FORCE_MOVE STEPPER=stepper_z1 DISTANCE=0.3 VELOCITY=5\nRESYNC CLEAR=1")


def test_levelling_without_retries_has_levelled(start):
    # The host's own default; until v0.13 it has no result then
    printer = start(LIKE_GEARS, replace=[("retries: 5\n", "")])
    printer.gcode("G28\nQUAD_GANTRY_LEVEL")
    assert status(printer, "level_needed") is False


def test_levelling_that_a_shutdown_cuts_short_has_not_levelled(start):
    printer = start(LIKE_GEARS, replace=[("retries: 5\n", "")])
    printer.gcode("G28")

    def stop_soon(line):
        if "Making the following Z adjustments" in line:
            printer.call_at(printer.now_s() + 0.3, printer.emergency_stop)

    printer.listen(stop_soon)
    # So slow that the adjusting takes longer than the host looks ahead
    printer.gcode("QUAD_GANTRY_LEVEL LIFT_SPEED=0.2")
    assert printer.state() == "shutdown"
    assert status(printer, "in_sync") is None
    printer.restart("FIRMWARE_RESTART")
    printer.gcode("G28")
    assert status(printer, "level_needed_reason") == "the printer was shut down"


def test_owner_accepts_one_axis_and_no_other(start):
    printer = start(SamplePrinter(x_mcus=("mcu", "x1")))
    printer.gcode("G28\nRESYNC CLEAR=1")
    for axis in "xz":
        printer.gcode("FORCE_MOVE STEPPER=stepper_%s1 DISTANCE=0.1 VELOCITY=5" % (axis,))
    printer.gcode("RESYNC CLEAR=1 AXIS=X")
    assert printer.status("multi_mcu_resync")["in_sync"] == {"x": True, "z": False}
    with pytest.raises(GCodeError, match="RESYNC: axis 'y' is not resynced"):
        printer.gcode("RESYNC CLEAR=1 AXIS=y")


def test_resync_asks_for_the_motors_of_those_axes_only_that_it_moves(start):
    printer = start(SamplePrinter(x_mcus=("mcu", "x1")))
    printer.gcode("G28\nSET_STEPPER_ENABLE STEPPER=stepper_x1 ENABLE=0")
    printer.gcode("FORCE_MOVE STEPPER=stepper_z1 DISTANCE=0.1 VELOCITY=5")
    with pytest.raises(GCodeError, match="Home it, or run RESYNC"):
        printer.gcode("G1 Z12")
    assert printer.gcode("RESYNC") == ["// 1 axis has been put back in step"]
    assert status(printer, "in_sync") is True


def test_known_skew_may_have_been_put_right_by_hand_while_the_motors_were_off(start):
    printer, _ = start_level(start)
    printer.gcode("FORCE_MOVE STEPPER=stepper_z1 DISTANCE=0.1 VELOCITY=5\nM84\nG28")
    assert status(printer, "in_sync") is True
    reason = "FORCE_MOVE has moved 'stepper_z1' alone"
    assert status(printer, "level_needed_reason") == reason
    advice = "axis z may not be level: %s. Run QUAD_GANTRY_LEVEL," % (reason,)
    assert advice in printer.log()


def test_stepper_that_is_moved_alone_after_the_motors_were_off_is_put_back_with_the_others(start):
    printer, before = start_level(start)
    printer.gcode("FORCE_MOVE STEPPER=stepper_z2 DISTANCE=0.1 VELOCITY=5\nM84")
    printer.gcode("FORCE_MOVE STEPPER=stepper_z1 DISTANCE=0.05 VELOCITY=5\nG28\nM400")
    assert status(printer, "in_sync") is True
    assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0, abs=1e-9)
    assert status(printer, "level_needed_reason") == "FORCE_MOVE has moved 'stepper_z1' alone"


def test_motor_that_is_tried_out_on_a_cold_printer_is_no_incident(start):
    printer = start(SamplePrinter(x_mcus=("mcu", "x1")))
    printer.gcode("STEPPER_BUZZ STEPPER=stepper_x1\nSTEPPER_BUZZ STEPPER=stepper_z1")
    assert printer.status("multi_mcu_resync")["level_needed_reason"] == {
        "x": "",
        "z": "motors off",
    }


def test_steppers_with_endstops_of_their_own_are_square_once_homed(start):
    sample = SamplePrinter(y_mcus=("mcu", "y1"), y_own_endstops=True, kinematics="cartesian")
    printer = start(sample)

    def of_y():
        fields = printer.status("multi_mcu_resync")
        return fields["in_sync"]["y"], fields["level_needed"]["y"]

    printer.gcode("G28\nRESYNC CLEAR=1")
    assert of_y() == (True, False)
    printer.gcode("FORCE_MOVE STEPPER=stepper_y1 DISTANCE=0.5 VELOCITY=5")
    with pytest.raises(GCodeError, match="Axis y is not in sync"):
        printer.gcode("G1 Y100")
    printer.gcode("G28 Y\nG1 Y100 F6000\nM400")
    assert of_y() == (None, False)
    # RESYNC has nothing to put back that the endstops have put right
    before = printer.stepper_truth()
    printer.gcode("RESYNC\nM400")
    printer.sleep(0.5)
    assert printer.stepper_truth() == before


def test_steppers_are_not_square_while_one_of_their_endstops_is_silent(start):
    sample = SamplePrinter(y_mcus=("mcu", "y1"), y_own_endstops=True, kinematics="cartesian")
    printer = start(sample)

    printer.control("endstop y1 %d force=0" % (PIN_NUMBERS["PD15"],))
    with pytest.raises(GCodeError, match="No trigger"):
        printer.gcode("G28 Y")
    assert "endstop of its own" not in printer.status("multi_mcu_resync")["out_of_sync_reason"]["y"]


def status(printer, field):
    return printer.status("multi_mcu_resync")[field]["z"]


@pytest.mark.parametrize("what, moves", [("probe", 2), ("home_arm", 1)])
@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_homing_move_within_the_begin_of_another_leaves_both_in_sync(start, sample, what, moves):
    printer, before = start_level(start, sample)
    count = printer.status("multi_mcu_resync")["homing_moves"]
    printer.gcode("UNRULY AT=begin DO=%s TIMES=5" % (what,))
    for _ in range(5):
        printer.gcode("G1 Z10 F600\nPROBE")
    assert printer.status("multi_mcu_resync")["homing_moves"] == count + 5 * moves
    assert status(printer, "in_sync") is True
    assert level_truth(printer) == before
    assert all("error 0.000000 mm" in line for line in printer.gcode("RESYNC_CHECK"))


def test_homing_move_before_the_end_of_another_waits_until_that_is_put_right(start):
    printer, before = start_level(start)
    # The outer move has halted, and is not corrected, when the inner one begins
    printer.gcode("G1 Z10 F600\nUNRULY AT=first_end DO=probe")
    with pytest.raises(GCodeError, match="Axis z is not in sync: %s. Home it$" % (GIVEN_UP,)):
        printer.gcode("PROBE")
    printer.gcode("G28 Z")
    assert (status(printer, "in_sync"), status(printer, "level_needed")) == (True, False)
    assert skew_gained_mm(before, level_truth(printer)) == 0.0
    # Homing is what puts it right, so it need not wait
    printer.gcode("UNRULY AT=first_end DO=probe\nG28 Z")
    assert (status(printer, "in_sync"), status(printer, "level_needed")) == (True, False)
    assert skew_gained_mm(before, level_truth(printer)) == 0.0


def test_homing_move_whose_begin_was_missed_loses_what_it_moved(start):
    printer, before = start_level(start)
    printer.gcode("G1 Z10 F600\nUNRULY_PROBE")
    assert status(printer, "in_sync") is True
    assert level_truth(printer) == before
    # Nobody can see that the outer one has not been given up
    printer.gcode("UNRULY AT=begin DO=probe\nUNRULY_PROBE")
    assert status(printer, "in_sync") is False
    assert status(printer, "level_needed") is True
    with pytest.raises(GCodeError, match="the begin of a homing move was missed. Home it$"):
        printer.gcode("G1 Z20")
    printer.gcode("G28\nQUAD_GANTRY_LEVEL")
    assert (status(printer, "in_sync"), status(printer, "level_needed")) == (True, False)


def test_move_that_an_extra_gives_up_at_its_begin_leaves_no_trace(start):
    printer, before = start_level(start, UNLIKE_GEARS)
    for number in range(8):
        printer.gcode("G1 Z%.3f F600\nUNRULY AT=begin DO=raise" % (10 + 0.1237 * number,))
        with pytest.raises(GCodeError, match="unruly"):
            printer.gcode("PROBE")
        assert all("error 0.000000 mm" in line for line in printer.gcode("RESYNC_CHECK"))
        assert status(printer, "in_sync") is True
        # Mappings are kept through this too
        printer.gcode("SET_KINEMATIC_POSITION Z=%.4f" % (10.0013 + 0.1237 * number,))
    printer.gcode("G28 Z")
    assert skew_gained_mm(before, level_truth(printer)) <= STEP_MM
    skew_mm = mapping_skew_mm(printer, UNLIKE_GEARS.z_names)
    printer.gcode("G1 Z13.217 F600\nM400")
    assert mapping_skew_mm(printer, UNLIKE_GEARS.z_names) == pytest.approx(skew_mm, abs=STEP_MM)


def test_move_that_is_given_up_with_armed_endstops_blocks_the_axis_until_homed(start):
    printer, before = start_level(start)
    for _ in range(3):
        printer.gcode("G1 Z10 F600\nUNRULY AT=begin DO=home_start_raises")
        with pytest.raises(GCodeError, match="unruly"):
            printer.gcode("PROBE")
        assert (status(printer, "in_sync"), status(printer, "level_needed")) == (False, False)
        with pytest.raises(GCodeError, match=GIVEN_UP + ". Home it$"):
            printer.gcode("G1 Z12")
        with pytest.raises(GCodeError, match="home it"):
            printer.gcode("RESYNC")
        try:
            printer.gcode("G28 Z")
        except GCodeError as e:
            # The host itself may not have got over that homing move
            if printer.state() == "shutdown":
                assert "Timer too close" in printer.state_message()
                return
            assert "Communication timeout" in str(e)
            printer.gcode("G28\nRESYNC CLEAR=1")
        assert (status(printer, "in_sync"), status(printer, "level_needed")) == (True, False)
        assert skew_gained_mm(before, level_truth(printer)) == 0.0


@pytest.mark.parametrize("probe", ["PROBE", "UNRULY_PROBE"])
def test_nothing_is_lost_by_a_move_that_is_given_up_where_nothing_is_corrected(start, probe):
    printer = start(SamplePrinter().with_resync(correct=False), sections=SECTIONS)
    printer.gcode("G28\nG1 Z10 F600")
    before = [status(printer, name) for name in ("in_sync", "level_needed_reason")]
    printer.gcode("UNRULY AT=begin DO=home_start_raises")
    with pytest.raises(GCodeError, match="unruly"):
        printer.gcode(probe)
    # A move whose function the host does not leave is given up at the next begin
    printer.gcode("G28 X\nG1 Z12")
    assert [status(printer, name) for name in ("in_sync", "level_needed_reason")] == before


@pytest.mark.parametrize("cure", ["RESYNC", "G28 Z", "RESYNC CLEAR=1"])
@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_correction_that_is_done_when_an_extra_raises_leaves_no_skew(start, sample, cure):
    printer, before = start_level(start, sample)
    printer.gcode("UNRULY AT=first_end DO=set_position_raises_at_its_end")
    with pytest.raises(GCodeError, match="unruly"):
        printer.gcode("PROBE")
    assert (status(printer, "in_sync"), status(printer, "level_needed")) == (False, False)
    printer.gcode(cure + "\nG1 Z12 F600\nM400")
    assert status(printer, "in_sync") is True
    assert skew_gained_mm(before, level_truth(printer)) <= STEP_MM


@pytest.mark.parametrize("cure", ["RESYNC", "G28 Z"])
@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_skew_that_a_failed_correction_leaves_stays_known(start, sample, cure):
    printer, before = start_level(start, sample)
    printer.gcode("UNRULY AT=first_end DO=set_position_raises")
    with pytest.raises(GCodeError, match="unruly"):
        printer.gcode("PROBE")
    assert (status(printer, "in_sync"), status(printer, "level_needed")) == (False, False)
    with pytest.raises(GCodeError, match="Axis z is not in sync: unruly. Home it, or run RESYNC"):
        printer.gcode("G1 Z12")
    printer.gcode(cure)
    assert (status(printer, "in_sync"), status(printer, "level_needed")) == (True, False)
    assert skew_gained_mm(before, level_truth(printer)) <= STEP_MM


def test_failure_of_the_first_homing_does_not_let_moves_pass(start):
    printer = start(SamplePrinter(), sections=SECTIONS)
    before = printer.stepper_truth()
    printer.gcode("G28 X Y\nUNRULY AT=first_end DO=set_position_raises")
    with pytest.raises(GCodeError, match="unruly"):
        printer.gcode("G28 Z")
    assert status(printer, "in_sync") is False
    with pytest.raises(GCodeError, match="(?i)home|sync"):
        printer.gcode("G1 Z12")
    printer.gcode("G28")
    assert status(printer, "in_sync") is True
    names = SamplePrinter().z_names
    after = level_truth(printer)
    assert skew_gained_mm({n: before[n] for n in names}, after) <= STEP_MM


def test_resync_that_fails_leaves_the_axis_out_of_step(start):
    printer, before = start_level(start)
    printer.gcode("UNRULY AT=first_end DO=set_position_raises")
    with pytest.raises(GCodeError, match="unruly"):
        printer.gcode("PROBE")
    printer.gcode("UNRULY AT=now DO=set_position_raises")
    with pytest.raises(GCodeError, match="unruly"):
        printer.gcode("RESYNC")
    assert status(printer, "in_sync") is False
    with pytest.raises(GCodeError, match="Axis z is not in sync: RESYNC failed: unruly"):
        printer.gcode("G1 Z12")
    printer.gcode("RESYNC")
    assert status(printer, "in_sync") is True
    assert skew_gained_mm(before, level_truth(printer)) <= STEP_MM


def test_shutdown_between_the_end_of_a_move_and_its_correction_leaves_nothing_claimed(start):
    printer, _ = start_level(start)
    corrected = log_of_moves(printer).count("corrected=1")
    printer.gcode("UNRULY AT=first_end DO=shutdown")
    with pytest.raises(GCodeError):
        printer.gcode("PROBE")
    assert printer.state() == "shutdown"
    assert status(printer, "in_sync") is None
    assert log_of_moves(printer).count("corrected=1") == corrected
    assert "resync failed" not in printer.log()


def test_shutdown_while_a_correction_runs_leaves_nothing_claimed(start):
    printer, _ = start_level(start)
    corrected = log_of_moves(printer).count("corrected=1")
    printer.gcode("UNRULY AT=first_end DO=shutdown_while_correcting")
    with pytest.raises(GCodeError):
        printer.gcode("PROBE")
    assert printer.state() == "shutdown"
    assert log_of_moves(printer).count("corrected=1") == corrected
    assert status(printer, "in_sync") is None
    assert status(printer, "level_needed_reason") == "the printer was shut down"


@pytest.mark.parametrize("at", ["first_end", "end"])
def test_extra_that_raises_at_the_end_of_a_move_hides_nothing(start, at):
    printer, before = start_level(start)
    printer.gcode("UNRULY AT=%s DO=raise" % (at,))
    with pytest.raises(GCodeError, match="unruly"):
        printer.gcode("PROBE")
    if at == "end":
        # The steppers had been put back before
        assert status(printer, "in_sync") is True
        assert level_truth(printer) == before
        return
    assert status(printer, "in_sync") is False
    for name in SamplePrinter().z_names:
        printer.control("pulses %s reset" % (name,))
    with pytest.raises(GCodeError, match=GIVEN_UP):
        printer.gcode("G1 Z12")
    assert {pulses(printer, name) for name in SamplePrinter().z_names} == {(0, 0)}
    printer.gcode("G28 Z")
    assert status(printer, "in_sync") is True
    assert skew_gained_mm(before, level_truth(printer)) == 0.0
