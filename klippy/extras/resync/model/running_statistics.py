# Count, mean, maximum and standard deviation of figures as they come (numbers only)
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math
from typing import NamedTuple

MS_PER_S = 1000.0


class Statistics(NamedTuple):
    """Of figures of one unit, which is that of mean and maximum too.

    Each figure gives a new object, so that one handed out stays as it is.
    All is zero while their number is.
    """

    number: int = 0
    mean: float = 0.0
    maximum: float = 0.0
    squared_deviations: float = 0.0

    def with_figure(self, figure: float) -> "Statistics":
        """The statistics with one more figure.

        B. P. Welford, Technometrics 4 (1962): a sum of squares would lose a
        small deviation beside a large mean.
        """
        number = self.number + 1
        deviation = figure - self.mean
        mean = self.mean + deviation / number
        return Statistics(
            number,
            mean,
            max(self.maximum, figure) if self.number else figure,
            self.squared_deviations + deviation * (figure - mean),
        )

    def standard_deviation(self) -> float:
        """Of the figures themselves (divided by their count), as PROBE_ACCURACY's."""
        return math.sqrt(self.squared_deviations / self.number) if self.number else 0.0


def latency_ms(overshoot_mm: float, speed_mm_s: float) -> float:
    """How long a stepper went on at this speed (above zero) after the trigger."""
    return MS_PER_S * overshoot_mm / speed_mm_s


class StopStatistics(NamedTuple):
    """How far and how long one stepper went on after the triggers."""

    overshoot_mm: Statistics = Statistics()
    latency_ms: Statistics = Statistics()

    def with_stop(self, overshoot_mm: float, speed_mm_s: float) -> "StopStatistics":
        """The statistics with one more stop from a speed above zero."""
        return StopStatistics(
            self.overshoot_mm.with_figure(overshoot_mm),
            self.latency_ms.with_figure(latency_ms(overshoot_mm, speed_mm_s)),
        )
