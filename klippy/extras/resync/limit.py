# Refuse corrections that are too long to be an overshoot
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Iterable

from .plan import RailPlan


class LimitError(Exception):
    """A correction is longer than the configuration allows."""


def check_limit(plans: Iterable[RailPlan], max_correction_mm: float) -> None:
    """Raise LimitError, naming the worst stepper, before anything moves."""
    corrections = [c for plan in plans for c in plan.corrections]
    if not corrections:
        return
    worst = max(corrections, key=lambda c: abs(c.correction_mm))
    if abs(worst.correction_mm) > max_correction_mm:
        raise LimitError(
            "stepper '%s' needs a correction of %.6f mm, more than"
            " max_correction %.6f: nothing was corrected, check the link to"
            " its MCU, then home again"
            % (worst.name, abs(worst.correction_mm), max_correction_mm)
        )
