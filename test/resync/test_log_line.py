# The log line of a homing move, character by character
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from pathlib import Path

from end_to_end.driving import logged_move
from resync.model.rail import Rail
from resync.report.log_line import log_line

from helpers.resync_results import result, stepper

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "Status_Reference.md"
LINE = (
    "multi_mcu_resync: rail=stepper_z endstop=probe triggered=1 direction=-1 speed=5.000000"
    " target=1.002500 corrected=1 stepper_z=mcu,+3,+0.007500,+3,+0.000000"
    " stepper_z1=zboard,+5,+0.012500,+5,+0.000000"
)


def test_line_is_the_documented_one():
    assert log_line([result(3, 5)], "") == LINE
    assert LINE in REFERENCE.read_text(encoding="utf-8").splitlines()


def test_next_to_nothing_has_no_sign():
    one = result(0, 0)
    corrections = [c._replace(overshoot_mm=-1e-10, residual_mm=-0.0) for c in one.plan.corrections]
    one = one._replace(plan=one.plan._replace(corrections=corrections, target_mm=-1e-9))
    line = log_line([one], "")
    assert " target=0.000000 " in line
    assert line.endswith(" stepper_z1=zboard,+0,+0.000000,+0,+0.000000")


def test_several_rails_are_parted():
    line = log_line([result(3, 5), result(3, 5)], "")
    assert line == "%s ; %s" % (LINE, LINE[len("multi_mcu_resync: ") :])


def test_error_ends_the_line_and_stays_on_it():
    assert log_line([result(3, 5)], "too\nfar = off") == LINE + " error=too far = off"


def test_error_may_stand_alone():
    assert log_line([], "no count") == "multi_mcu_resync: error=no count"


def test_names_with_blanks_and_separators_stay_one_word():
    rail = Rail("stepper a", ("a",), [stepper("stepper a", "mcu"), stepper("stepper b", "z,1=;")])
    line = log_line([result(3, 5, endstop="carriage a", rail=rail)], "")
    assert " rail=stepper_a endstop=carriage_a " in line
    assert " stepper_a=mcu,+3," in line
    assert " stepper_b=z_1__,+5," in line


def test_line_can_be_read_back():
    read = logged_move(log_line([result(3, -5), result(0, 0, speed_mm_s=0.0)], "it failed"))
    assert read.error == "it failed"
    first, second = read.rails
    assert (first.triggered, second.triggered) == (True, False)
    assert first.steppers["stepper_z1"].overshoot_steps == -5
    assert first.steppers["stepper_z1"].overshoot_mm == -0.0125
