# What is refused before anything moves
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from resync.model.following_error import Limits
from resync.model.limit import LimitError, check_correction, following_errors
from resync.model.plan import LEAST_TRAVEL, TRIGGER, StepperReading, plan_rail
from resync.model.rail_result import RailReadings

READINGS = [
    StepperReading("stepper_z", 0.01, 0.0, 0, -100, -100),
    StepperReading("stepper_z1", 0.01, 0.0, 0, -100, -150),
]
PLAN = plan_rail(READINGS)


def describe(triggered=True, speed_mm_s=10.0, ferror_mm=0.3):
    part = RailReadings(None, "z", triggered, READINGS, speed_mm_s)
    limits = Limits(ferror_mm, 0.02, 10.0)
    return following_errors(part, PLAN, limits, lambda name: "mcu of " + name)


def test_correction_over_the_limit_names_stepper_and_limit():
    with pytest.raises(LimitError, match=r"stepper_z1.* 0\.500000.*max_correction 0\.490000"):
        check_correction(PLAN, 0.49)


def test_correction_the_other_way_is_as_long():
    plan = plan_rail([r._replace(trigger_steps=100, halt_steps=-r.halt_steps) for r in READINGS])
    assert plan.corrections[1].correction_mm == pytest.approx(-PLAN.corrections[1].correction_mm)
    with pytest.raises(LimitError, match=r"stepper_z1.* 0\.500000.*max_correction 0\.490000"):
        check_correction(plan, 0.49)
    check_correction(plan, 0.5)


def test_correction_at_the_limit_is_allowed():
    check_correction(PLAN, 0.5)


def test_following_error_names_stepper_mcu_error_limit_and_speed():
    (error,) = describe()
    assert error == (
        "stepper 'stepper_z1' on MCU 'mcu of stepper_z1' has a following error of"
        " 0.500000 mm, more than 0.300000 mm at 10.0 mm/s"
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_following_error_at_the_limit_is_allowed_and_none_above(sign):
    # Each has gone too far, or has stopped too early
    readings = [r._replace(trigger_steps=r.halt_steps + sign * 50) for r in READINGS]
    plan = plan_rail(readings)
    assert {c.overshoot_mm for c in plan.corrections} == {sign * 0.5}
    part = RailReadings(None, "z", True, readings, 10.0)
    for ferror_mm, errors in ((0.5, 0), (0.499999, 2)):
        limits = Limits(ferror_mm, 0.02, 10.0)
        assert len(following_errors(part, plan, limits, str)) == errors


def test_slower_move_has_a_lower_limit():
    assert describe(ferror_mm=0.6, speed_mm_s=10.0) == []
    assert len(describe(ferror_mm=0.6, speed_mm_s=5.0)) == 1


def test_move_without_a_trigger_has_no_following_error():
    assert describe(triggered=False) == []


@pytest.mark.parametrize("target, errors", [(TRIGGER, 2), (LEAST_TRAVEL, 1)])
def test_steppers_that_go_back_to_the_one_that_went_least_far_are_compared_with_it(target, errors):
    # All have gone 0.5 mm on until a sensor noticed, and one 0.5 mm more
    readings = [r._replace(halt_steps=r.halt_steps - 50) for r in READINGS]
    part = RailReadings(None, "z", True, readings, 10.0, target=target)
    plan = plan_rail(readings, target)
    found = following_errors(part, plan, Limits(0.3, 0.02, 10.0), str)
    assert len(found) == errors
    farther_mm = {TRIGGER: 1.0, LEAST_TRAVEL: 0.5}[target]
    assert "'stepper_z1'" in found[-1]
    assert "%.6f mm, more than 0.300000" % (farther_mm,) in found[-1]
