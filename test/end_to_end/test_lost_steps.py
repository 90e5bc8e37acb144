# Steps that an MCU loses, and malformed replies: found, and never moved on
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from end_to_end.driving import in_sync, level_truth, skew_gained_mm, start_homed

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError, SessionError

STEP_MM = 0.0025
STEPPERS = ("stepper_z", "stepper_z1", "stepper_z2", "stepper_z3")
FOUND = r"stepper_z1 on z1: counted -?\d+, expected -?\d+, error -0.010000 mm"
# Klipper misses an MCU after a few seconds
LOSS_NOTICED_S = 10


def start_level(start, **options):
    return start_homed(start, SamplePrinter().with_resync(**options))


def lose(printer, direction, steps=4):
    printer.control("stepper stepper_z1 lose=%d direction=%s" % (steps, direction))


def test_lost_steps_are_found_on_demand_and_put_back_by_homing(start):
    printer, before = start_level(start)
    lose(printer, "up")
    printer.gcode("G1 Z12\nM400")
    assert skew_gained_mm(before, printer.stepper_truth()) > 3 * STEP_MM
    with pytest.raises(GCodeError, match=FOUND):
        printer.gcode("RESYNC_CHECK")
    assert in_sync(printer) is False
    with pytest.raises(GCodeError, match="Axis z is not in sync: stepper_z1 on z1: counted"):
        printer.gcode("G1 Z10")
    printer.gcode("G28 Z")
    assert in_sync(printer) is True
    assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0, abs=1e-9)
    printer.gcode("RESYNC_CHECK")


def test_lost_steps_are_found_within_the_check_interval(start):
    printer, _ = start_level(start, check_interval=0.4)
    lose(printer, "up")
    printer.gcode("G1 Z12\nM400")
    heard = []
    printer.listen(heard.append)
    printer.sleep(2)
    assert in_sync(printer) is False
    shown = [message for message in heard if "!! multi_mcu_resync: stepper_z1 on z1" in message]
    assert len(shown) == 1
    assert printer.log().count("multi_mcu_resync: stepper_z1 on z1: counted") == 1


def test_steps_lost_in_a_homing_move_are_put_back_after_it(start):
    printer, before = start_level(start)
    lose(printer, "down", steps=6)
    printer.gcode("PROBE")
    assert in_sync(printer) is True
    assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0, abs=1e-9)


def lose_in_a_correction(printer):
    """After a probe the steppers go up first to be corrected."""
    printer.control("link z1 delay_us=2000 direction=to_mcu from_s=%.3f for_s=2" % printer.now_s())
    lose(printer, "up", steps=2)
    printer.gcode("PROBE")
    printer.sleep(0.5)


def test_correction_that_an_mcu_has_not_made_is_found(start):
    printer, before = start_level(start)
    lose_in_a_correction(printer)
    assert in_sync(printer) is False
    with pytest.raises(GCodeError, match="is not in sync: stepper_z1 on z1: counted"):
        printer.gcode("G1 Z10")
    printer.sleep(2)
    printer.gcode("G28 Z")
    assert in_sync(printer) is True
    assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0, abs=1e-9)


def test_lost_steps_that_the_owner_accepts_stay_as_they_are(start):
    printer, _ = start_level(start)
    lose_in_a_correction(printer)
    printer.sleep(2)
    printer.gcode("RESYNC CLEAR=1")
    printer.sleep(2)
    assert in_sync(printer) is True
    assert all("error 0.000000 mm" in line for line in printer.gcode("RESYNC_CHECK"))
    accepted = level_truth(printer)
    printer.gcode("G28 Z")
    assert in_sync(printer) is True
    assert skew_gained_mm(accepted, level_truth(printer)) == pytest.approx(0, abs=1e-9)


def test_lost_steps_shut_the_printer_down_if_that_is_wanted(start):
    printer, _ = start_level(start, on_ferror="shutdown")
    lose_in_a_correction(printer)
    assert printer.state() == "shutdown"
    assert "stepper_z1 on z1: counted" in printer.state_message()


def test_lost_steps_are_only_told_if_that_is_wanted(start):
    printer, _ = start_level(start, on_ferror="warn")
    lose(printer, "up")
    printer.gcode("G1 Z12\nM400")
    shown = [line for line in printer.gcode("RESYNC_CHECK") if line.startswith("// multi_mcu")]
    assert len(shown) == 1
    assert "stepper_z1 on z1: counted" in shown[0]
    # It is true all the same
    assert in_sync(printer) is False


# Malformed replies


def start_to_watch(start):
    printer, _ = start_level(start)
    for name in STEPPERS:
        printer.control("pulses %s reset" % (name,))
    return printer


def ups(printer):
    return [int(printer.control("pulses %s" % (name,)).split()[0]) for name in STEPPERS]


@pytest.mark.parametrize("malformed", ["cut", "long", "value"])
def test_malformed_count_of_a_probe_ends_in_a_shutdown_without_a_correction(start, malformed):
    printer = start_to_watch(start)
    printer.control("reply z1 stepper_position malformed=%s" % (malformed,))
    # The host's own question for the count may never be answered
    with pytest.raises((GCodeError, SessionError)):
        printer.gcode("PROBE", LOSS_NOTICED_S)
    printer.sleep(LOSS_NOTICED_S)
    assert printer.state() == "shutdown"
    assert "MCU 'z1'" in printer.state_message()
    assert ups(printer) == [0, 0, 0, 0]
    assert in_sync(printer) is not True


@pytest.mark.parametrize("malformed", ["cut", "long"])
def test_malformed_answer_to_a_check_ends_in_a_shutdown(start, malformed):
    printer = start_to_watch(start)
    printer.control("reply z1 stepper_position malformed=%s" % (malformed,))
    with pytest.raises(GCodeError, match="no answer from the MCU of 'stepper_z1'"):
        printer.gcode("RESYNC_CHECK", LOSS_NOTICED_S)
    printer.sleep(LOSS_NOTICED_S)
    assert printer.state() == "shutdown"
    assert ups(printer) == [0, 0, 0, 0]
    assert in_sync(printer) is not True


def test_answer_that_the_host_does_not_know_is_asked_for_again(start):
    printer, before = start_level(start)
    printer.control("reply z1 stepper_position malformed=unknown")
    printer.gcode("PROBE\nM400")
    printer.control("reply z1 stepper_position malformed=unknown")
    printer.gcode("RESYNC_CHECK")
    assert in_sync(printer) is True
    assert level_truth(printer) == before


def test_wild_answer_to_a_check_takes_the_axis_out_of_use(start):
    printer = start_to_watch(start)
    printer.control("reply z1 stepper_position malformed=value")
    with pytest.raises(GCodeError, match="stepper_z1 on z1: counted"):
        printer.gcode("RESYNC_CHECK")
    with pytest.raises(GCodeError, match="not in sync"):
        printer.gcode("G1 Z12")
    # The next answer is a true one, and homing finds nothing to put back
    printer.gcode("G28 Z\nRESYNC_CHECK")
    assert in_sync(printer) is True
