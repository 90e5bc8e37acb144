# Checks of counts keep out of the way of homing moves and of each other, and none is dropped
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re

import pytest
from end_to_end.driving import assert_healthy, host_counts, in_sync, start_homed

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError

# So that another homing move can follow a probe at once
NO_HOP = (("z_hop: 10", "z_hop: 0"),)


def start_level(start, **options):
    return start_homed(start, SamplePrinter().with_resync(**options), replace=NO_HOP)


def lose_in_the_next_correction(printer):
    """After a probe the steppers go up first to be corrected."""
    printer.control("link z1 delay_us=2000 direction=to_mcu from_s=%.3f for_s=2" % printer.now_s())
    printer.control("stepper stepper_z1 lose=2 direction=up")


def test_check_that_a_homing_move_has_put_off_is_made_after_it(start):
    printer, _ = start_level(start)
    lose_in_the_next_correction(printer)
    heard = []
    printer.listen(heard.append)
    printer.gcode("PROBE\nG28 X")
    printer.sleep(0.1)
    assert in_sync(printer) is False
    shown = [message for message in heard if "!! multi_mcu_resync: stepper_z1 on z1" in message]
    assert len(shown) == 1


def test_check_that_two_homing_moves_have_put_off_is_made_after_the_last(start):
    printer, _ = start_level(start)
    lose_in_the_next_correction(printer)
    printer.gcode("PROBE\nG28 X Y")
    printer.sleep(0.1)
    assert in_sync(printer) is False


def test_check_that_was_put_off_finds_nothing_wrong_where_nothing_is(start):
    printer, before = start_level(start)
    printer.gcode("PROBE\nG28 X\nG1 Z5\nPROBE\nG28 Y\nG1 Z5\nPROBE\nG1 Z5\nPROBE")
    printer.sleep(0.1)
    assert_healthy(printer, before)


def test_homing_move_waits_for_an_answer_that_is_late(start):
    printer, before = start_level(start, check_interval=0.2)
    # Whatever MCU z1 says in this time comes in half a second, all at once
    printer.control(
        "link z1 delay_us=500000 direction=to_host from_s=%.6f for_s=0.3" % (printer.now_s(),)
    )
    printer.sleep(0.3)
    began_s = printer.now_s()
    printer.gcode("PROBE")
    # Which takes a second by itself
    assert printer.now_s() - began_s > 1.0
    assert_healthy(printer, before)


def test_checks_that_meet_wait_for_each_other(start):
    printer, before = start_level(start, check_interval=0.01)
    printer.control("link z1 delay_us=5000 from_s=%.6f for_s=3" % (printer.now_s(),))
    for _ in range(20):
        assert len(printer.gcode("RESYNC_CHECK")) == 4
    printer.sleep(3)
    assert_healthy(printer, before)


def slow_down(printer):
    """Every answer takes longer than a message may take before it is sent again."""
    printer.control(
        "link z1 delay_us=20000 direction=both from_s=%.6f for_s=5" % (printer.now_s(),)
    )


def test_check_on_demand_waits_until_the_head_stands(start):
    printer, before = start_level(start)
    printer.gcode("G1 Z40 F300")
    # Every answer is late, which would not show a missing step in the move
    slow_down(printer)
    printer.sleep(0.5)
    began_s = printer.now_s()
    lines = printer.gcode("RESYNC_CHECK")
    # 30 mm at 5 mm/s, and what is left of them
    assert 5.0 < printer.now_s() - began_s < 6.5
    assert len(lines) == 4
    assert all("error 0.000000 mm, limit 0.000000 mm" in line for line in lines)
    assert_healthy(printer, before)


def test_step_lost_in_the_move_under_way_is_found_once_the_head_stands(start):
    printer, _ = start_level(start)
    printer.control("stepper stepper_z1 lose=1 direction=up")
    printer.gcode("G1 Z20 F300")
    printer.sleep(0.5)
    # Less than what the limit allows in a move
    with pytest.raises(GCodeError, match="stepper_z1 on z1: counted .* error -0.002500 mm"):
        printer.gcode("RESYNC_CHECK")
    assert in_sync(printer) is False


def test_check_is_of_where_the_moves_before_it_end(start):
    printer, _ = start_level(start)
    for height_mm in (13, 11):
        lines = printer.gcode("G1 Z12 F1200\nG1 X150 F9000\nG1 Z%d F900\nRESYNC_CHECK" % height_mm)
        assert all("limit 0.000000 mm" in line for line in lines)
        counted = dict(re.findall(r"(\w+) on \w+: counted (-?\d+)", "\n".join(lines)))
        expected = host_counts(printer)
        assert {name: int(count) for name, count in counted.items()} == {
            name: expected[name] for name in SamplePrinter().z_names
        }


def test_check_that_waits_when_the_printer_is_shut_down_ends_with_that(start):
    printer, _ = start_level(start)
    printer.gcode("G1 Z40 F300")
    printer.call_at(printer.now_s() + 1.0, printer.emergency_stop)
    with pytest.raises(GCodeError, match="^RESYNC_CHECK: the printer was shut down meanwhile$"):
        printer.gcode("RESYNC_CHECK")
    assert "Traceback" not in printer.log()


def test_check_while_a_long_move_has_been_generated_at_once_raises_no_alarm(start):
    printer, before = start_level(start, check_interval=0.1)
    # A minute of steps, which the host generates before it moves a single stepper
    printer.gcode("G1 Z20 F600\nG1 Z10 F10\nFORCE_MOVE STEPPER=stepper_x DISTANCE=1 VELOCITY=5")
    printer.gcode("M400")
    assert in_sync(printer) is True
    assert_healthy(printer, before)


def test_check_after_a_correction_is_repeated_until_it_decides(start):
    printer, _ = start_level(start)
    lose_in_the_next_correction(printer)
    printer.gcode("PROBE\nG1 Z20 F300")
    slow_down(printer)
    # The first answer comes when the stepper moves again
    printer.control(
        "link z1 delay_us=500000 direction=to_host from_s=%.6f for_s=0.3" % (printer.now_s(),)
    )
    printer.sleep(2)
    assert in_sync(printer) is True
    # The move ends within four seconds
    printer.sleep(4)
    assert in_sync(printer) is False


def test_correction_that_an_mcu_has_not_made_on_demand_is_found(start):
    printer, before = start_level(start, ferror=0.06, min_ferror=0.02)
    printer.control(
        "link z1 delay_us=8000 direction=to_mcu from_s=%.3f for_s=1.5" % (printer.now_s() + 0.3,)
    )
    with pytest.raises(GCodeError, match="following error"):
        printer.gcode("PROBE\nM400")
    printer.sleep(1.5)
    printer.control("stepper stepper_z1 lose=3 direction=up")
    printer.gcode("RESYNC")
    assert in_sync(printer) is True
    printer.sleep(1)
    assert in_sync(printer) is False
    printer.gcode("G28 Z")
    assert_healthy(printer, before)
