# The common time profile of corrections that start and finish together
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math

# Peaks of the smooth profile s(t) = 10 t^3 - 15 t^4 + 6 t^5 in kin_resync.c:
# s'(1/2), and s'' at t = 1/2 - sqrt(3)/6
PEAK_SPEED = 15.0 / 8.0
PEAK_ACCEL = 10.0 / math.sqrt(3.0)


def common_duration_s(
    longest_mm: float, speed_mm_s: float, accel_mm_s2: float
) -> float:
    """Shortest time (s) in which the longest way keeps both limits.

    Shorter ways on the same profile then keep them too.  All arguments are
    above zero.
    """
    return max(
        PEAK_SPEED * longest_mm / speed_mm_s,
        math.sqrt(PEAK_ACCEL * longest_mm / accel_mm_s2),
    )
