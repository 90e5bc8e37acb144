# Answers of MCUs that are missing, doubled or nonsense, wherever one is read
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re

import pytest
from end_to_end.driving import assert_healthy, in_sync, level_truth, start_homed

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError

Z_MCUS = ("mcu", "z1", "z2", "z3")
PINS = "mcu:PB6, z1:PB6, z2:PB6, z3:PB6"
# endstop_state oid=%c homing=%c next_clock=%u pin_value=%c
NEXT_CLOCK, PIN_VALUE = 2, 3
# The host asks once and again five times
UNANSWERED = 6


def start_level(start, **options):
    return start_homed(start, SamplePrinter(z_mcus=Z_MCUS).with_resync(**options))


def assert_still_homes(printer, before):
    assert_healthy(printer, before)
    printer.gcode("G91\nG1 Z3 F600\nG90\nPROBE\nRESYNC_CHECK")
    assert_healthy(printer, before)


def error_of(printer, script):
    with pytest.raises(GCodeError) as raised:
        printer.gcode(script)
    return str(raised.value)


# The count of a stepper

NO_COUNT = "multi_mcu_resync: no answer from the MCU of 'stepper_z1': check the link to MCU 'z1'"


@pytest.mark.parametrize("times", [1, UNANSWERED - 1])
@pytest.mark.parametrize("malformed", ["missing", "doubled"])
def test_count_that_comes_at_another_time_or_twice_is_no_fault(start, malformed, times):
    printer, before = start_level(start)
    malform = "reply z1 stepper_position malformed=%s times=%d" % (malformed, times)
    printer.control(malform)
    printer.gcode("RESYNC_CHECK")
    # And in the check after a correction, once the host has asked
    printer.gcode("PROBE")
    printer.control(malform)
    printer.sleep(0.6)
    assert_still_homes(printer, before)


def test_count_that_never_comes_fails_the_check_and_takes_the_axis_out_of_use(start):
    printer, before = start_level(start)
    printer.control("reply z1 stepper_position malformed=missing times=%d" % (UNANSWERED,))
    assert error_of(printer, "RESYNC_CHECK") == NO_COUNT
    # What the host itself calls it
    assert "multi_mcu_resync: Unable to obtain 'stepper_position' response" in printer.log()
    assert in_sync(printer) is False
    refusal = error_of(printer, "G1 Z12")
    assert refusal.startswith("Axis z is not in sync: " + NO_COUNT[len("multi_mcu_resync: ") :])
    printer.gcode("G28 Z")
    assert_still_homes(printer, before)


def test_count_that_never_comes_after_a_correction_is_told_once(start):
    printer, before = start_level(start)
    printer.gcode("PROBE")
    printer.control("reply z1 stepper_position malformed=missing times=%d" % (UNANSWERED,))
    heard = []
    printer.listen(heard.append)
    printer.sleep(1)
    assert [message for message in heard if "multi_mcu" in message] == ["!! " + NO_COUNT]
    assert in_sync(printer) is False
    printer.gcode("G28 Z")
    assert_still_homes(printer, before)


def test_probe_that_an_mcu_keeps_waiting_fails_and_the_next_ones_do_not(start):
    printer, before = start_level(start, check_interval=0.05)
    printer.control("link z1 delay_us=2000000 from_s=%.6f for_s=1.5" % (printer.now_s(),))
    printer.sleep(0.1)
    assert error_of(printer, "PROBE") == NO_COUNT
    printer.sleep(3)
    assert len(printer.gcode("RESYNC_CHECK")) == 4
    assert_still_homes(printer, before)


def test_steppers_of_mcus_that_answer_are_compared_where_another_does_not(start):
    printer, _ = start_level(start)
    printer.control("stepper stepper_z3 lose=4 direction=up")
    printer.gcode("G1 Z12\nM400")
    printer.control("reply z1 stepper_position malformed=missing times=%d" % (UNANSWERED,))
    error_of(printer, "RESYNC_CHECK")
    error_mm = printer.status("multi_mcu_resync")["following_error_mm"]
    assert error_mm["stepper_z3"] == pytest.approx(-0.01)
    assert "stepper_z1" not in error_mm or error_mm["stepper_z1"] == 0.0


SILENT_PIN = (
    "multi_mcu_resync: no answer from MCU 'z2' to what pin 'z2:PB6' reads: check the link to it"
)


def probe_within_a_probe(start, do, after_s, times):
    """Have a pin fall silent some time after the outer homing move has begun."""
    sample = SamplePrinter(z_mcus=Z_MCUS).with_resync(probe_pins=PINS, relay_fallback=True)
    printer = start(sample, sections="[unruly_extra]\n")
    printer.gcode("G28\nUNRULY AT=begin DO=%s" % (do,))
    before = level_truth(printer)
    malform = "reply z2 endstop_state malformed=missing times=%d" % (times,)
    printer.call_at(printer.now_s() + after_s, lambda: printer.control(malform))
    lines = printer.gcode("PROBE")
    assert_still_homes(printer, before)
    return lines


def test_move_is_corrected_though_one_within_its_begin_was_refused_for_a_silent_pin(start):
    # While the toolhead lifts for the inner one
    lines = probe_within_a_probe(start, "probe_or_go_on", 0.1, UNANSWERED)
    assert "// went on without: " + SILENT_PIN in lines


def test_move_is_relayed_if_a_pin_has_fallen_silent_in_one_within_its_begin(start):
    # While the inner one goes down: once as it ends, once for the outer one
    lines = probe_within_a_probe(start, "probe", 1.5, 2 * UNANSWERED)
    assert lines.count("// " + SILENT_PIN + "; the host relays") == 2


# The time of a trigger


def test_nonsense_time_of_the_endstop_fails_the_move_and_keeps_the_steppers_in_step(start):
    printer, before = start_level(start)
    printer.control("reply toolhead endstop_state malformed=value field=%d" % (NEXT_CLOCK,))
    error = error_of(printer, "PROBE")
    assert error.startswith("multi_mcu_resync: endstop '")
    assert "which is not within the move from" in error
    assert_still_homes(printer, before)


@pytest.mark.parametrize("mcu", ["mcu", "z2"])
def test_nonsense_time_of_a_pin_is_told_and_the_steppers_are_in_step(start, mcu):
    printer, before = start_level(start, probe_pins=PINS)
    printer.control("link %s delay_us=3000 from_s=%.6f for_s=3" % (mcu, printer.now_s()))
    printer.control("reply %s endstop_state malformed=value field=%d" % (mcu, NEXT_CLOCK))
    error = error_of(printer, "PROBE")
    assert error.startswith("multi_mcu_resync: pin '%s:PB6' reports a trigger at " % (mcu,))
    printer.sleep(3)
    assert_still_homes(printer, before)


def test_pin_whose_mcu_does_not_answer_is_named_and_the_steppers_are_in_step(start):
    printer, before = start_level(start, probe_pins=PINS)
    printer.control("link z2 delay_us=3000 from_s=%.6f for_s=3" % (printer.now_s(),))
    printer.control("reply z2 endstop_state malformed=missing times=%d" % (UNANSWERED,))
    assert error_of(printer, "PROBE") == (
        "multi_mcu_resync: no answer from MCU 'z2' to what pin 'z2:PB6' reads: check the link to it"
    )
    printer.sleep(3)
    assert_still_homes(printer, before)


# The state of a pin before the move


@pytest.mark.parametrize(
    "malformed, error",
    [
        (
            "missing times=%d" % (UNANSWERED,),
            "no answer from MCU 'z2' to what pin 'z2:PB6' reads: check the link to it",
        ),
        ("value field=%d" % (PIN_VALUE,), "MCU 'z2' says that pin 'z2:PB6' reads "),
    ],
)
def test_pin_of_which_nothing_is_known_stops_the_move_before_it_begins(start, malformed, error):
    printer, before = start_level(start, probe_pins=PINS, relay_fallback=True)
    printer.control("reply z2 endstop_state malformed=%s" % (malformed,))
    assert error_of(printer, "PROBE").startswith("multi_mcu_resync: " + error)
    assert printer.state() == "ready"
    printer.gcode("PROBE")
    assert_still_homes(printer, before)


def test_answers_that_come_twice_change_nothing(start):
    printer, before = start_level(start, probe_pins=PINS, relay_fallback=True)
    for mcu in ("toolhead", "z2"):
        for reply in ("endstop_state", "trsync_state", "stepper_position"):
            printer.control("reply %s %s malformed=doubled times=3" % (mcu, reply))
            printer.gcode("G1 Z5\nPROBE")
            printer.control("reply %s %s malformed=none" % (mcu, reply))
    printer.gcode("G1 Z5")
    assert_still_homes(printer, before)


# A stepper that is stopped too early

STOPPED_EARLIER = (
    r"MCU '\w+' has stopped 'stepper_z\d?' before the homing move began, in the one before: the"
    r" endstop triggered too early, or the link failed: lift the toolhead further or check the link"
    r" to this MCU, and home again"
)


@pytest.mark.parametrize("height_mm", [14, 6])
@pytest.mark.parametrize("cure", ["RESYNC", "G28 Z"])
def test_stepper_that_was_stopped_in_the_move_before_is_told_and_put_back(start, height_mm, cure):
    printer, before = start_level(start)
    # The homing move is under way in the host while the one before it still runs
    printer.call_at(printer.now_s() + 0.75, lambda: printer.control("mcu z1 trip reason=0"))
    # The host says first that it has not heard of a trigger
    error_of(printer, "G1 Z%d F300\nPROBE" % (height_mm,))
    assert printer.state() == "ready"
    assert in_sync(printer) is False
    assert re.fullmatch(
        STOPPED_EARLIER, printer.status("multi_mcu_resync")["out_of_sync_reason"]["z"]
    )
    printer.gcode(cure)
    assert_still_homes(printer, before)


@pytest.mark.parametrize("height_mm", [14, 6])
def test_probe_that_triggers_in_the_move_before_is_told_and_put_right(start, height_mm):
    sample = SamplePrinter(z_mcus=Z_MCUS)
    printer, before = start_homed(start, sample, sections="[unruly_extra]\n")
    printer.gcode("UNRULY AT=begin DO=home_start_triggers")
    error = error_of(printer, "G1 Z%d F300\nPROBE" % (height_mm,))
    assert re.fullmatch(
        r"multi_mcu_resync: endstop 'probe' has triggered \d\.\d{3} s before the homing move began,"
        r" while the move before it ran: lift the toolhead further or wait until the sensor is at"
        r" rest, and home again",
        error,
    )
    assert printer.state() == "ready"
    assert in_sync(printer) is False
    refusal = error_of(printer, "G1 Z20")
    assert re.fullmatch(
        r"Axis z is not in sync: %s. Home it, or run RESYNC" % (STOPPED_EARLIER,), refusal
    )
    printer.gcode("RESYNC")
    assert_still_homes(printer, before)
