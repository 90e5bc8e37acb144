# Nothing skewed in silence: limits, states and checks on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from end_to_end.driving import level_truth, log_of_moves, probe_at_random, skew_gained_mm

from virtual_printer.firmware.chips import PIN_NUMBERS
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError

pytestmark = pytest.mark.area("safety limits")

# Some of the latencies that the virtual printer draws for the host are of some milliseconds
SLOW_PROBE = SamplePrinter().with_resync(ferror=0.12, min_ferror=0.04)


def probe_with_a_slow_link(printer):
    """Let stepper_z1 go on for some 0.08 mm after the trigger."""
    printer.control(
        "link z1 delay_us=8000 direction=to_mcu from_s=%.3f for_s=1.5" % (printer.now_s() + 0.3,)
    )
    printer.gcode("PROBE\nM400")


def in_sync(printer):
    return printer.status("multi_mcu_resync")["in_sync"]


def start_at_height(start, sample):
    printer = start(sample)
    assert in_sync(printer) == {"z": None}
    printer.gcode("G28")
    assert in_sync(printer) == {"z": True}
    return printer, level_truth(printer)


ERROR = (
    r"stepper 'stepper_z1' on MCU 'z1' has a following error of 0\.\d+ mm,"
    r" more than 0\.0\d+ mm at \d+\.\d mm/s"
)


def test_following_error_over_the_limit_fails_the_move_and_blocks_the_axis(start):
    printer, _ = start_at_height(start, SLOW_PROBE)
    with pytest.raises(GCodeError, match=ERROR):
        probe_with_a_slow_link(printer)
    assert in_sync(printer) == {"z": False}
    with pytest.raises(GCodeError, match="Axis z is not in sync"):
        printer.gcode("G1 Z10")
    with pytest.raises(GCodeError, match="Axis z is not in sync"):
        printer.gcode("PROBE")
    # Other axes are none of its business
    printer.gcode("G1 X100 Y100 F6000\nM400")


@pytest.mark.parametrize("cure", ["G28 Z", "RESYNC", "G28"])
def test_axis_out_of_step_is_back_in_step_after(start, cure):
    printer, before = start_at_height(start, SLOW_PROBE)
    with pytest.raises(GCodeError):
        probe_with_a_slow_link(printer)
    printer.gcode(cure)
    assert in_sync(printer) == {"z": True}
    after = level_truth(printer)
    moved = {name: after[name].pulses - before[name].pulses for name in before}
    # Homing may give the axis another coordinate, the same for all
    assert max(moved.values()) - min(moved.values()) == 0
    probe_at_random(printer, 3)


@pytest.mark.parametrize("cure", ["G28 Z", "RESYNC"])
def test_axis_out_of_step_that_was_squared_by_hand_is_not_put_right_twice(start, cure):
    printer, before = start_at_height(start, SLOW_PROBE)
    with pytest.raises(GCodeError):
        probe_with_a_slow_link(printer)
    printer.gcode("FORCE_MOVE STEPPER=stepper_z1 DISTANCE=0.07 VELOCITY=5")
    printer.gcode(cure)
    after = level_truth(printer)
    moved = {name: after[name].pulses - before[name].pulses for name in before}
    assert max(moved.values()) - min(moved.values()) == 0


@pytest.mark.parametrize("cure", ["G28 Z", "RESYNC"])
def test_stepper_that_stopped_far_too_early_is_back_in_step_after(start, cure):
    printer, before = start_at_height(start, SamplePrinter().with_resync(max_correction=0.05))
    # The others, the first stepper among them, hear of it late
    now_s = printer.now_s()
    printer.control("link z1 delay_us=8000 direction=to_host from_s=%.3f for_s=2" % (now_s + 0.3,))
    printer.control("mcu z1 trip at_s=%.3f" % (now_s + 0.8,))
    with pytest.raises(GCodeError):
        printer.gcode("PROBE")
    assert in_sync(printer) == {"z": False}
    printer.sleep(2)
    printer.gcode(cure)
    assert in_sync(printer) == {"z": True}
    after = level_truth(printer)
    moved = {name: after[name].pulses - before[name].pulses for name in before}
    assert max(moved.values()) - min(moved.values()) == 0


def test_homing_against_a_triggered_endstop_corrects_a_known_skew(start):
    sample = SamplePrinter(x_mcus=("mcu", "x1")).with_resync(max_correction=0.25)
    printer = start(sample)
    before = printer.stepper_truth()
    # Not for the whole move: the host ignores what it learns of a clock over a link that has become
    # slow, and mistakes one of 400 MHz by 2^32 ticks after five seconds
    late_s = printer.now_s() + 3.0
    printer.control("link x1 delay_us=10000 direction=to_mcu from_s=%.3f for_s=6" % (late_s,))
    with pytest.raises(GCodeError, match="'stepper_x1' .* max_correction"):
        printer.gcode("G28 X")
    printer.sleep(9)
    # The carriage stands on its switch
    printer.gcode("G28 X")
    assert in_sync(printer)["x"]
    printer.gcode("M400")
    printer.sleep(0.5)
    after = printer.stepper_truth()
    moved = [after[n].pulses - before[n].pulses for n in ("stepper_x", "stepper_x1")]
    assert abs(moved[0] - moved[1]) <= 1


def test_homing_move_without_a_single_step_corrects_a_known_skew(start):
    # A second approach would begin somewhere else
    printer = start(
        SamplePrinter(x_mcus=("mcu", "x1")),
        replace=[("homing_retract_dist: 5", "homing_retract_dist: 0")],
    )
    printer.gcode("G28 X")
    printer.gcode("FORCE_MOVE STEPPER=stepper_x1 DISTANCE=0.05 VELOCITY=5")
    assert in_sync(printer)["x"] is False
    # The carriage stands on its switch
    printer.gcode("G28 X\nM400")
    assert " direction=+0 " not in log_of_moves(printer)
    assert in_sync(printer)["x"] is True
    truth = printer.stepper_truth()
    assert abs(truth["stepper_x"].pulses - truth["stepper_x1"].pulses) <= 1


def test_homing_against_a_triggered_endstop_leaves_what_is_in_step_alone(start):
    printer = start(SamplePrinter(x_mcus=("mcu", "x1")))
    printer.gcode("G28 X\nM400")
    before = log_of_moves(printer).count("rail=stepper_x ")
    printer.control("endstop mcu %d force=1" % (PIN_NUMBERS["PC15"],))
    with pytest.raises(GCodeError, match="still triggered after retract"):
        printer.gcode("G28 X")
    lines = [line for line in log_of_moves(printer).splitlines() if "rail=stepper_x " in line]
    assert " direction=+0 " in lines[before]


def test_following_error_may_shut_the_printer_down(start):
    sample = SamplePrinter().with_resync(ferror=0.12, min_ferror=0.04, on_ferror="shutdown")
    printer, _ = start_at_height(start, sample)
    with pytest.raises(GCodeError):
        probe_with_a_slow_link(printer)
    assert printer.state() == "shutdown"
    assert "has a following error of" in printer.state_message()


def test_following_error_may_only_be_told(start):
    sample = SamplePrinter().with_resync(ferror=0.12, min_ferror=0.04, on_ferror="warn")
    printer, before = start_at_height(start, sample)
    probe_with_a_slow_link(printer)
    assert "has a following error of" in printer.log()
    assert in_sync(printer) == {"z": True}
    assert level_truth(printer) == before


def test_defaults_are_derived_from_the_machine_and_told_at_start(start):
    printer = start(SamplePrinter())
    # max_z_velocity 30 mm/s for 25 ms; two steps of 2.5 um
    assert "ferror 0.750000 at 30.0 mm/s, min_ferror 0.005000" in printer.log()


@pytest.mark.area("start-up")
@pytest.mark.parametrize(
    "options, message",
    [
        ({"ferror": -1}, "ferror"),
        ({"min_ferror": -1}, "min_ferror"),
        ({"min_ferror": 0.004}, "'min_ferror' must be at least 0.005000"),
        ({"ferror": 0.1, "min_ferror": 0.2}, "'ferror' must be at least 0.200000"),
        ({"on_ferror": "panic"}, "on_ferror"),
        ({"check_interval": -1}, "check_interval"),
    ],
)
def test_bad_limit_is_a_config_error_that_names_it(start, options, message):
    printer = start(SamplePrinter().with_resync(**options), ready=False)
    assert printer.state() == "error"
    assert message in printer.state_message().splitlines()[0]
    assert "multi_mcu_resync" in printer.state_message().splitlines()[0]


def test_motors_off_makes_the_state_unknown(start):
    printer, _ = start_at_height(start, SamplePrinter())
    printer.gcode("M84")
    status = printer.status("multi_mcu_resync")
    assert (status["in_sync"], status["out_of_sync_reason"]) == ({"z": None}, {"z": "motors off"})
    assert status["level_needed_reason"] == {"z": "motors off"}


def test_one_motor_off_makes_the_state_of_its_axis_unknown(start):
    printer = start(SamplePrinter(x_mcus=("mcu", "x1")))
    printer.gcode("G28")
    assert in_sync(printer) == {"x": True, "z": True}
    printer.gcode("SET_STEPPER_ENABLE STEPPER=stepper_z1 ENABLE=0")
    assert in_sync(printer) == {"x": True, "z": None}
    reason = printer.status("multi_mcu_resync")["out_of_sync_reason"]["z"]
    assert reason == "the motor of 'stepper_z1' was switched off"


def test_shutdown_makes_the_state_unknown(start):
    printer, _ = start_at_height(start, SamplePrinter())
    printer.emergency_stop()
    status = printer.status("multi_mcu_resync")
    assert status["in_sync"] == {"z": None}
    assert status["out_of_sync_reason"]["z"] == "the printer was shut down"


def test_force_move_blocks_the_axis_until_it_is_put_back_or_accepted(start):
    printer, before = start_at_height(start, SamplePrinter())
    for cure in ("RESYNC", "RESYNC CLEAR=1"):
        printer.gcode("FORCE_MOVE STEPPER=stepper_z1 DISTANCE=0.5 VELOCITY=5")
        assert in_sync(printer) == {"z": False}
        with pytest.raises(GCodeError, match="FORCE_MOVE has moved 'stepper_z1' alone"):
            printer.gcode("G1 Z12")
        printer.gcode(cure)
        assert in_sync(printer) == {"z": True}
        printer.gcode("G1 Z12")
        gained_mm = skew_gained_mm(before, level_truth(printer))
        assert gained_mm == pytest.approx(0.0 if cure == "RESYNC" else 0.5, abs=1e-6)


def force_moves(*moves):
    """The commands that move single steppers, by their numbers, one after the other (mm)."""
    command = "FORCE_MOVE STEPPER=stepper_z%s DISTANCE=%.6f VELOCITY=5"
    return "\n".join(command % (number or "", mm) for number, mm in moves)


@pytest.mark.parametrize("cure", ["G28 Z", "RESYNC"])
def test_force_move_is_counted_in_steps_not_in_millimetres(start, cure):
    printer, before = start_at_height(start, SamplePrinter())
    # Each of them is a whole step of 0.0025 mm, all of them back are only five
    printer.gcode(force_moves(*[(1, 0.0013)] * 10, (1, -0.013)))
    printer.gcode("M400")
    assert printer.stepper_truth()["stepper_z1"].pulses - before["stepper_z1"].pulses == 5
    assert in_sync(printer) == {"z": False}
    printer.gcode(cure)
    assert in_sync(printer) == {"z": True}
    assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0.0, abs=1e-6)


def test_force_move_of_less_than_half_a_step_is_none(start):
    printer, before = start_at_height(start, SamplePrinter())
    printer.gcode(force_moves(*[(1, 0.0012)] * 10))
    assert in_sync(printer) == {"z": True}
    assert level_truth(printer) == before


@pytest.mark.parametrize(
    "moves",
    [
        [(0, 0.5), (2, -0.3), (0, -0.5), (2, 0.3)],
        [(3, 0.5), (1, 0.5), (0, 0.5), (2, 0.5)],
    ],
)
def test_steppers_that_were_moved_alone_until_none_is_apart_are_in_sync(start, moves):
    printer, before = start_at_height(start, SamplePrinter())
    for move in moves[:-1]:
        printer.gcode(force_moves(move))
        assert in_sync(printer) == {"z": False}
    printer.gcode(force_moves(moves[-1]))
    assert in_sync(printer) == {"z": True}
    assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0.0, abs=1e-6)
    probe_at_random(printer, 3)
    assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0.0, abs=1e-6)


def test_unlike_steppers_that_were_moved_alone_by_as_much_are_in_sync(start):
    # A step of every second one is twice as long
    sample = SamplePrinter(z_gear_ratios=("80:16", "40:16", "80:16", "40:16"))
    printer, before = start_at_height(start, sample)
    printer.gcode(force_moves(*[(number, 0.5) for number in range(3)]))
    assert in_sync(printer) == {"z": False}
    printer.gcode(force_moves((3, 0.5)))
    assert in_sync(printer) == {"z": True}
    assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0.0, abs=1e-6)


def test_force_move_that_follows_a_move_at_once_counts_its_own_steps(start):
    printer, before = start_at_height(start, SamplePrinter())
    printer.gcode("G1 Z14 F300\n" + force_moves((1, 0.5)) + "\nRESYNC")
    assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0.0, abs=1e-6)


def test_force_move_that_is_interrupted_loses_the_axis(start):
    printer, _ = start_at_height(start, SamplePrinter())
    printer.control("mcu z1 shutdown reason=Command_request at_s=%.3f" % (printer.now_s() + 1.5,))
    with pytest.raises(GCodeError):
        printer.gcode(force_moves((1, 40.0)) + "\nG1 Z12")
    status = printer.status("multi_mcu_resync")
    assert status["in_sync"] == {"z": False}
    assert "'stepper_z1' alone was interrupted" in status["out_of_sync_reason"]["z"]


def test_buzzing_a_stepper_keeps_the_axis_in_sync(start):
    printer, before = start_at_height(start, SamplePrinter())
    printer.gcode("STEPPER_BUZZ STEPPER=stepper_z1")
    assert in_sync(printer) == {"z": True}
    assert level_truth(printer) == before


@pytest.mark.area("commands")
def test_counts_of_the_mcus_are_those_of_the_host_at_rest_and_in_motion(start):
    sample = SamplePrinter().with_resync(check_interval=0.05)
    printer, _ = start_at_height(start, sample)
    lines = printer.gcode("RESYNC_CHECK")
    assert len(lines) == 4
    assert all("error 0.000000 mm" in line for line in lines)
    probe_at_random(printer, 5)
    printer.gcode("QUAD_GANTRY_LEVEL")
    assert in_sync(printer) == {"z": True}
    counts = [line for line in printer.log().splitlines() if " counted " in line]
    assert all("error 0.000000 mm" in line for line in counts)
    assert "Unable to obtain" not in printer.log()


class LateMcu(SamplePrinter):
    """One MCU has been started long after the main one."""

    def machine_cfg(self):
        late = "\n[mcu]\nclock_offset_s: 25\n[mcu z1]\nclock_offset_s: 0.1\n"
        return super().machine_cfg() + late


def test_mcu_that_was_just_started_has_its_trigger_positions_and_counts(start):
    printer = start(LateMcu())
    printer.gcode("G28")
    overshoot_steps = printer.status("multi_mcu_resync")["overshoot_steps"]
    assert all(overshoot_steps[name] > 0 for name in ("stepper_z1", "stepper_z2"))
    printer.gcode("G1 Z12 F600")
    assert all("error 0.000000 mm" in line for line in printer.gcode("RESYNC_CHECK"))
    assert in_sync(printer) == {"z": True}


@pytest.mark.area("commands")
def test_commands_without_a_shared_axis_say_so(start):
    printer = start(SamplePrinter().on_one_mcu())
    for command in ("RESYNC", "RESYNC_ACCURACY", "RESYNC_CHECK", "SET_RESYNC_LIMITS"):
        with pytest.raises(GCodeError, match="no axis is resynced"):
            printer.gcode(command)
