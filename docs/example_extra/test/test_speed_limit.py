# The example's tests: real Klippy, virtual printers
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest

from virtual_printer.session import SessionError

LIMIT = "[speed_limit]\nbelow: 5\nmax_speed: 20\n"


def seconds(running, command):
    """How long a move takes, in virtual time."""
    running.gcode("M400")
    before_s = running.now_s()
    running.gcode(command + "\nM400")
    return running.now_s() - before_s


def test_low_moves_are_slow_and_high_ones_are_not(printer):
    running = printer(LIMIT)
    running.gcode("G28\nG90\nG1 X50 Y150 Z10 F6000")
    assert seconds(running, "G1 X150 F6000") == pytest.approx(1.0, abs=0.5)
    running.gcode("G1 Z2")
    assert seconds(running, "G1 X50 F6000") == pytest.approx(5.0, abs=0.5)
    # Where it truly is, whatever Klippy believes
    assert running.carriage_truth()[0] == pytest.approx(50.0, abs=0.02)


def test_status_has_what_the_section_says(printer):
    assert printer(LIMIT).status("speed_limit") == {"below": 5.0, "max_speed": 20.0}


def test_speed_of_zero_is_refused(printer):
    with pytest.raises(SessionError, match="max_speed.* must be above 0.0"):
        printer("[speed_limit]\nmax_speed: 0\n")
