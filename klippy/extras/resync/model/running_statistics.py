# Count, mean, maximum and standard deviation of figures as they come (numbers only)
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math
from typing import NamedTuple, Sequence, Tuple

MS_PER_S = 1000.0


class Statistics(NamedTuple):
    """Of figures of one unit, which is that of mean and maximum too.

    More figures give a new object, so that one handed out stays as it is.
    All is zero while their number is.
    """

    number: int = 0
    mean: float = 0.0
    maximum: float = 0.0
    squared_deviations: float = 0.0

    def with_figures(self, figures: Sequence[float]) -> "Statistics":
        """The statistics with more figures, of which there is one at least.

        T. F. Chan, G. H. Golub and R. J. LeVeque, COMPSTAT 1982: a sum of
        squares would lose a small deviation beside a large mean.
        """
        added = len(figures)
        added_mean = math.fsum(figures) / added
        number = self.number + added
        deviation = added_mean - self.mean
        maximum = max(figures)
        return Statistics(
            number,
            self.mean + deviation * added / number,
            max(self.maximum, maximum) if self.number else maximum,
            self.squared_deviations
            + math.fsum([(figure - added_mean) ** 2 for figure in figures])
            + deviation * deviation * self.number * added / number,
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

    def with_stops(self, stops: Sequence[Tuple[float, float]]) -> "StopStatistics":
        """The statistics with more stops: overshoot (mm), and speed (mm/s) above zero."""
        return StopStatistics(
            self.overshoot_mm.with_figures([overshoot_mm for overshoot_mm, _ in stops]),
            self.latency_ms.with_figures([latency_ms(*stop) for stop in stops]),
        )
