# What steps and overshoot come to at a speed, and which limits follow from it (numbers only)
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math
from typing import NamedTuple, Tuple

from resync.model import following_error

# Written with this many digits, limits are still no less than what they were rounded up from
LIMIT_DIGITS = 6


class Rates(NamedTuple):
    """The regular step rates (steps/s) on both sides of a wanted one; above may equal it."""

    above: float
    below: float

    @property
    def granularity(self) -> float:
        """By how much the one rate differs from the next (steps/s)."""
        return self.above - self.below


def step_rate(speed_mm_s: float, step_mm: float) -> float:
    """Steps per second of a stepper at a speed."""
    return speed_mm_s / step_mm


def highest_rates(base_period_s: float) -> Tuple[float, float]:
    """The highest step rates (steps/s) of a software step generator, usual one first.

    A pulse has two edges.  Usually each takes an interrupt of its own; a
    generator that makes the whole pulse in one interrupt is twice as fast.
    """
    return 0.5 / base_period_s, 1.0 / base_period_s


def regular_rates(wanted: float, clock_hz: float) -> Rates:
    """The step rates next to a wanted one that have equal intervals.

    Intervals are whole ticks: of an MCU's clock, or of the base period of a
    software step generator (clock_hz is one by that period).  Rates between
    two regular ones are right on average only.  Raises ValueError if a step
    would have to come in less than a tick.
    """
    # Rounding of the division must not take the rate itself away
    ticks = math.floor(clock_hz / wanted * (1.0 + 1e-12))
    if ticks < 1:
        raise ValueError("%.6g steps/s are more than one in a tick" % (wanted,))
    return Rates(clock_hz / ticks, clock_hz / (ticks + 1))


def overshoot_mm(speed_mm_s: float, delay_s: float) -> float:
    """How far a stepper goes on until the stop reaches it."""
    return speed_mm_s * delay_s


def acceleration_error_mm(accel_mm_s2: float, delay_s: float) -> float:
    """How much further it gets than at constant speed if it accelerates meanwhile."""
    return accel_mm_s2 * delay_s**2 / 2.0


def recommend(
    max_speed_mm_s: float, timeout_s: float, coarsest_step_mm: float
) -> following_error.Limits:
    """The extra's own defaults, rounded up so that they can be written down."""
    exact = following_error.rail_limits(None, None, max_speed_mm_s, timeout_s, coarsest_step_mm)
    return following_error.rail_limits(
        _round_up(exact.ferror_mm),
        _round_up(exact.min_ferror_mm),
        max_speed_mm_s,
        timeout_s,
        coarsest_step_mm,
    )


def _round_up(value_mm: float) -> float:
    rounded_mm = round(value_mm, LIMIT_DIGITS)
    if rounded_mm < value_mm:
        rounded_mm = round(rounded_mm + 10.0**-LIMIT_DIGITS, LIMIT_DIGITS)
    return rounded_mm
