# Refuse what is too large to be an overshoot, before anything moves
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Callable, List

from .following_error import Limits
from .plan import LEAST_TRAVEL, RailPlan
from .rail_result import RailReadings


class LimitError(Exception):
    """A stepper is further off than the configuration allows."""


def check_correction(plan: RailPlan, max_correction_mm: float) -> None:
    """Raise LimitError, naming the worst stepper, if a correction is too long."""
    largest_mm = plan.largest_correction_mm()
    if largest_mm > max_correction_mm:
        worst = next(c for c in plan.corrections if abs(c.correction_mm) == largest_mm)
        raise LimitError(
            "stepper '%s' needs a correction of %.6f mm, more than"
            " max_correction %.6f: nothing was corrected, check the link to"
            " its MCU" % (worst.name, largest_mm, max_correction_mm)
        )


def following_errors(
    part: RailReadings, plan: RailPlan, limits: Limits, mcu_name: Callable[[str], str]
) -> List[str]:
    """Describe each stepper whose halt is too far from where it should have been.

    That is its trigger position, or as far from it as the stepper that went least far.
    """
    if not part.triggered:
        # Nobody knows where the trigger position is
        return []
    limit_mm = limits.limit_mm(part.speed_mm_s)
    expected_mm = 0.0
    if part.target == LEAST_TRAVEL:
        # A sensor may say that it triggered when it had not noticed yet
        expected_mm = min(c.overshoot_mm for c in plan.corrections)
    return [
        "stepper '%s' on MCU '%s' has a following error of %.6f mm, more than"
        " %.6f mm at %.1f mm/s"
        % (c.name, mcu_name(c.name), c.overshoot_mm - expected_mm, limit_mm, part.speed_mm_s)
        for c in plan.corrections
        if abs(c.overshoot_mm - expected_mm) > limit_mm
    ]
