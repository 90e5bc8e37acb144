# How large the error of a stepper may be: LinuxCNC's rule (numbers only)
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import NamedTuple, Optional

# One step of jitter at each end of a way
MIN_FERROR_STEPS = 2


class Limits(NamedTuple):
    """FERROR and MIN_FERROR of a rail (mm), and its maximum speed (mm/s)."""

    ferror_mm: float
    min_ferror_mm: float
    max_speed_mm_s: float

    def limit_mm(self, speed_mm_s: float) -> float:
        """The largest allowed error at a speed of either sign.

        LinuxCNC, src/emc/motion/control.c: FERROR scaled by the part of the
        maximum speed, but at least MIN_FERROR.
        """
        scaled_mm = self.ferror_mm * abs(speed_mm_s) / self.max_speed_mm_s
        return max(self.min_ferror_mm, scaled_mm)


class LimitsError(Exception):
    """Limits that contradict each other; the text names the option."""


def _figure(least_mm: float) -> str:
    """A figure to use, rounded up where it would be too small otherwise."""
    text = "%.6f" % (least_mm,)
    return text if float(text) >= least_mm else "%.6f" % (least_mm + 1e-6,)


def check_limits(limits: Limits, coarsest_step_mm: float) -> None:
    """Raise LimitsError, with the figure to use, if a rail cannot have these."""
    floor_mm = MIN_FERROR_STEPS * coarsest_step_mm
    if limits.min_ferror_mm < floor_mm:
        raise LimitsError(
            "'min_ferror' must be at least %s, two steps of jitter" % (_figure(floor_mm),)
        )
    if limits.ferror_mm < limits.min_ferror_mm:
        raise LimitsError(
            "'ferror' must be at least %s, what 'min_ferror' is" % (_figure(limits.min_ferror_mm),)
        )


def rail_limits(
    ferror_mm: Optional[float],
    min_ferror_mm: Optional[float],
    max_speed_mm_s: float,
    trsync_timeout_s: float,
    coarsest_step_mm: float,
) -> Limits:
    """Limits of a rail from the options, None where they are not given.

    Without ferror it is the worst overshoot that the host lets happen: all
    that a stepper goes in the time after which an MCU that hears nothing
    stops by itself.  Without min_ferror it equals ferror, as in LinuxCNC;
    without either it is two steps.  Raises LimitsError.
    """
    floor_mm = MIN_FERROR_STEPS * coarsest_step_mm
    if ferror_mm is None:
        ferror_mm = max(max_speed_mm_s * trsync_timeout_s, min_ferror_mm or floor_mm)
        if min_ferror_mm is None:
            min_ferror_mm = floor_mm
    if min_ferror_mm is None:
        if ferror_mm < floor_mm:
            raise LimitsError(
                "'ferror' must be at least %s, two steps of jitter" % (_figure(floor_mm),)
            )
        min_ferror_mm = ferror_mm
    limits = Limits(ferror_mm, min_ferror_mm, max_speed_mm_s)
    check_limits(limits, coarsest_step_mm)
    return limits
