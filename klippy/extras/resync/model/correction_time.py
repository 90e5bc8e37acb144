# The common time profile of corrections that start and finish together
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math
from typing import NamedTuple, Optional

# Peaks of the smooth profile s(t) = 10 t^3 - 15 t^4 + 6 t^5 in kin_resync.c:
# s'(1/2), and s'' at t = 1/2 - sqrt(3)/6
PEAK_SPEED = 15.0 / 8.0
PEAK_ACCEL = 10.0 / math.sqrt(3.0)


class Pace(NamedTuple):
    """The speed and the acceleration that a stepper may reach, both above zero."""

    speed_mm_s: float
    accel_mm_s2: float

    def bounded(self, speed_mm_s: Optional[float], accel_mm_s2: Optional[float]) -> "Pace":
        """The given pace where it is below this one; None leaves this one."""
        return Pace(
            min(speed_mm_s or self.speed_mm_s, self.speed_mm_s),
            min(accel_mm_s2 or self.accel_mm_s2, self.accel_mm_s2),
        )


def common_duration_s(longest_mm: float, pace: Pace) -> float:
    """Shortest time (s) in which the longest way (>= 0) keeps the pace.

    Shorter ways on the same profile then keep it too.
    """
    return max(
        PEAK_SPEED * longest_mm / pace.speed_mm_s,
        math.sqrt(PEAK_ACCEL * longest_mm / pace.accel_mm_s2),
    )
