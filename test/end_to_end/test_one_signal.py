# Endstops of a rail that all carry one and the same signal
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest

from virtual_printer.firmware.chips import PIN_NUMBERS
from virtual_printer.samples import config_text
from virtual_printer.session import GCodeError
from virtual_printer.unusual_samples import SwitchPrinter

# The switches of stepper_y on the main MCU and of stepper_y1 on MCU y1
FIRST_PIN, PIN = PIN_NUMBERS["PD15"], PIN_NUMBERS["PD14"]
STEPPERS = ("stepper_y", "stepper_y1")


class SlowPrinter(SwitchPrinter):
    """The link to the second Y board takes 4 ms each way."""

    def machine_cfg(self):
        delays = {"delay_to_mcu_us": 4000, "delay_to_host_us": 4000}
        return super().machine_cfg() + "\n" + config_text({"mcu y1": delays})


def sample(**options):
    return SlowPrinter("cartesian", {"y": ("mcu", "y1")}, ("y",), resync=options)


def skew_steps(printer):
    truth = printer.stepper_truth()
    moved = [truth[name].pulses for name in STEPPERS]
    return moved[0] - moved[1]


def test_steppers_at_one_signal_stop_by_themselves_and_stay_in_step(start):
    printer = start(sample(one_signal_axes="y"))
    before = skew_steps(printer)
    printer.gcode("G28 Y\nM400")
    status = printer.status("multi_mcu_resync")
    assert status["in_sync"]["y"] is True
    overshoot = status["overshoot_steps"]
    # 4 ms at the homing speed are far more
    assert abs(overshoot["stepper_y"] - overshoot["stepper_y1"]) <= 2
    assert abs(skew_steps(printer) - before) <= 1


def test_steppers_with_endstops_of_their_own_are_left_apart_by_default(start):
    printer = start(sample())
    # One end of the beam hangs back by 1 mm
    printer.gcode("FORCE_MOVE STEPPER=stepper_y1 DISTANCE=-1 VELOCITY=10\nM400")
    assert skew_steps(printer) == 80
    printer.gcode("G28 Y\nM400")
    truth = printer.stepper_truth()
    positions_mm = [truth[name].position_mm for name in STEPPERS]
    assert positions_mm[0] == pytest.approx(positions_mm[1], abs=0.1)
    assert printer.status("multi_mcu_resync")["corrected"] is False


def test_endstop_that_stays_silent_is_named_and_its_stepper_stops_all_the_same(start):
    printer = start(sample(one_signal_axes="y", max_correction=5, ferror=50))
    before = skew_steps(printer)
    printer.control("endstop y1 %d force=0" % (PIN,))
    with pytest.raises(GCodeError, match="pin 'y1:PD14' did not trigger when 'mcu:PD15' did"):
        printer.gcode("G28 Y")
    printer.gcode("M400")
    # It has gone on for a part of the homing move only, and is in step again
    assert 0 < printer.status("multi_mcu_resync")["overshoot_mm"]["stepper_y1"] < 3
    assert abs(skew_steps(printer) - before) <= 1
    printer.control("endstop y1 %d force=none" % (PIN,))
    printer.gcode("G28 Y")


def test_endstop_that_triggers_within_the_tolerance_stops_its_stepper_itself(start):
    options = {"one_signal_axes": "y", "ferror": 50}
    fast = SwitchPrinter("cartesian", {"y": ("mcu", "y1")}, ("y",), resync=options)
    printer = start(fast, replace=[("homing_retract_dist: 5", "homing_retract_dist: 0")])
    trigger_s = printer.now_s() + 0.8
    printer.call_at(trigger_s, lambda: printer.hold_endstop("mcu:PD15", True))
    # The host has heard of the first one long since
    printer.call_at(trigger_s + 0.0012, lambda: printer.hold_endstop("y1:PD14", True))
    printer.gcode("G28 Y")
    assert printer.status("multi_mcu_resync")["in_sync"]["y"] is True


def test_endstop_that_is_triggered_already_is_named(start):
    printer = start(sample(one_signal_axes="y"))
    printer.control("endstop y1 %d force=1" % (PIN,))
    with pytest.raises(GCodeError, match="pin 'y1:PD14' reads triggered before the move"):
        printer.gcode("G28 Y")


def test_signal_that_never_comes_is_no_trigger(start):
    printer = start(sample(one_signal_axes="y", max_correction=5, ferror=50))
    printer.control("endstop mcu %d force=0" % (FIRST_PIN,))
    printer.control("endstop y1 %d force=0" % (PIN,))
    # Newer hosts name the stepper
    with pytest.raises(GCodeError, match="No trigger on (stepper_)?y"):
        printer.gcode("G28 Y")


def test_homing_move_that_follows_at_once_is_not_stopped(start):
    fast = SwitchPrinter("cartesian", {"y": ("mcu", "y1")}, ("y",), resync={"one_signal_axes": "y"})
    # The second approach is asked for long before the first one's watch is over
    printer = start(fast, replace=[("homing_retract_dist: 5", "homing_retract_dist: 1")])
    printer.gcode("G28 Y")
    assert printer.status("multi_mcu_resync")["in_sync"]["y"] is True
    assert printer.status("multi_mcu_resync")["homing_moves"] == 2
