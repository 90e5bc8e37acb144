# How well an MCU's clock follows the main MCU's
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""How well clocks follow.

Klippy estimates each MCU's clock rate (freq, ticks per second of host time) and, for all but
the main MCU, the rate (adj, ticks per second of print time) at which the MCU's clock meets the
main MCU's again SYNC_SPAN_S ahead. Print time runs with the main MCU's clock, so adj would be
freq * nominal / freq of the main MCU if the clocks agreed already. What adj differs from it is
the offset, over that span, which Klippy has just found and is about to take away.

The main MCU's nominal rate (CLOCK_FREQ) is in the log when Klippy connects; else it is the whole
number of MHz next to its freq, which holds for all of Klipper's MCUs.
"""

from operator import sub
from typing import List, Sequence

from .series import Moments, Series

# In clocksync.py from v0.11 on and in Kalico: at least, and as good as always
SYNC_SPAN_S = 4.0
# Klippy's estimate of a clock rate averages over about so long: what it finds sooner after a start
# is only drawn, it would drown all that comes later
SETTLING_S = 30.0


def nominal_rate(rate: float) -> float:
    """The nominal clock rate (Hz) of an MCU whose clock runs at this rate."""
    return max(1.0, round(rate / 1e6)) * 1e6


class ClockSync:
    """Offset to the main MCU's clock and steadiness of the rate."""

    def __init__(self) -> None:
        self.rate_hz = Moments()
        self.jitter_hz = Moments()
        self.offset_us = Moments()
        # To the main MCU's rate, once Klippy knows both
        self.ratio = Moments()
        self.offset_course = Series()
        self._last_rate: List[int] = []

    @property
    def jitter_ppm(self) -> float:
        """How much the rate changes from one estimate to the next (rms)."""
        return self.jitter_hz.rms / self.rate_hz.mean * 1e6 if self.rate_hz.mean else 0.0

    @property
    def wander_ppm(self) -> float:
        """How far apart the lowest and the highest rate against the main MCU's are."""
        if not self.ratio.count:
            return 0.0
        return (self.ratio.high - self.ratio.low) / self.ratio.mean * 1e6

    def extend(
        self,
        times_s: Sequence[float],
        rates_hz: List[int],
        adjusted_hz: Sequence[int],
        main_hz: Sequence[int],
        main_nominal_hz: float,
        is_settled: bool,
    ) -> None:
        """Take in freq and adj, and the main MCU's freq at the same times (0: not known)."""
        self.rate_hz.extend(rates_hz)
        if is_settled:
            before = self._last_rate + rates_hz
            self.jitter_hz.extend(list(map(sub, before[1:], before)))
        self._last_rate = rates_hz[-1:]
        if not (all(adjusted_hz) and all(main_hz) and all(rates_hz)):
            rows = [r for r in zip(times_s, rates_hz, adjusted_hz, main_hz) if all(r[1:])]
            if not rows:
                return
            times_s, rates_hz, adjusted_hz, main_hz = map(list, zip(*rows))
        scale = SYNC_SPAN_S * 1e6
        offsets_us = [
            (adjusted * main / (rate * main_nominal_hz) - 1.0) * scale
            for rate, adjusted, main in zip(rates_hz, adjusted_hz, main_hz)
        ]
        if is_settled:
            self.offset_us.extend(offsets_us)
            self.ratio.extend([rate / main for rate, main in zip(rates_hz, main_hz)])
        self.offset_course.extend(times_s, offsets_us)
