# The common time profile of corrections that start and finish together
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math
from typing import NamedTuple


class Profile(NamedTuple):
    """A trapezoid: accelerate for accel_s, cruise for cruise_s, decelerate.

    Every stepper follows the same profile, scaled to its own distance.
    """

    accel_s: float
    cruise_s: float

    @property
    def duration_s(self) -> float:
        """Time from standstill to standstill (s)."""
        return 2.0 * self.accel_s + self.cruise_s

    def cruise_speed(self, distance_mm: float) -> float:
        """Speed (mm/s) at which a stepper covers its distance in time."""
        return distance_mm / (self.accel_s + self.cruise_s)


def common_profile(
    longest_mm: float, speed_mm_s: float, accel_mm_s2: float
) -> Profile:
    """Quickest profile on which the longest way keeps both limits.

    Shorter ways on the same profile then keep them too.  longest_mm, speed
    and acceleration are above zero.
    """
    reached_mm_s = min(speed_mm_s, math.sqrt(longest_mm * accel_mm_s2))
    accel_s = reached_mm_s / accel_mm_s2
    return Profile(accel_s, max(0.0, longest_mm / reached_mm_s - accel_s))
