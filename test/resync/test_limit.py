# The limit on corrections
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from resync.limit import LimitError, check_limit
from resync.plan import StepperReading, plan_rail


def plan_with_overshoot(steps):
    return plan_rail(
        [
            StepperReading("stepper_z", 0.01, 0.0, 0, -100, -100),
            StepperReading("stepper_z1", 0.01, 0.0, 0, -100, -100 - steps),
        ]
    )


def test_correction_over_the_limit_names_stepper_and_limit():
    with pytest.raises(LimitError, match=r"stepper_z1.*0\.510000.*max_correction"):
        check_limit([plan_with_overshoot(51)], 0.5)


def test_correction_at_the_limit_is_allowed():
    check_limit([plan_with_overshoot(50)], 0.5)


def test_worst_of_all_rails_counts():
    plans = [plan_with_overshoot(60), plan_with_overshoot(2)]
    with pytest.raises(LimitError):
        check_limit(plans, 0.5)


def test_no_moving_rail_is_within_any_limit():
    check_limit([], 0.5)
