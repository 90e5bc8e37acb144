# Single moves that overshot far more than the others
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""The rule.

Of a stepper's overshoots at one endstop and one speed, the median says what is usual, and the way
from there to the 90th percentile how much they vary. An outlier is more than LEAST_STEPS,
LEAST_S and SPREADS times that way beyond the median: steps, because a stop is known to one or two
of them; a time, because fine steps are no harm; the spread, because a link may be uneven, which
is not the fault of single moves. With fewer than LEAST_MOVES there is no telling what is usual.
"""

from typing import Dict, List, NamedTuple, Tuple

from .series import Sample

LEAST_MOVES = 10
LEAST_STEPS = 4
LEAST_S = 0.001
SPREADS = 4
RULE = (
    "over %d steps, %g ms and %d times the spread (median to 90th percentile) beyond the median"
    % (
        LEAST_STEPS,
        1000 * LEAST_S,
        SPREADS,
    )
)
# Overshoots that are told apart, and places that are kept
_MOST_COUNTS = 4096
_PLACES_KEPT = 3


class Outliers(NamedTuple):
    """What is usual (steps), and how many moves were not."""

    moves: int
    median_steps: int
    high_steps: int
    limit_steps: float
    number: int
    # The furthest ones, as (steps, place in the log)
    furthest: List[Tuple[int, str]]


class Stops:
    """How far a stepper overshot one endstop at one speed."""

    def __init__(self, speed_mm_s: float) -> None:
        self.speed_mm_s = speed_mm_s
        self.moves = 0
        self.step_mm = 0.0
        # How long it went on after each trigger (s)
        self.latency_s = Sample()
        self._counts: Dict[int, int] = {}
        self._furthest: List[Tuple[int, str]] = []

    def add(self, steps: int, way_mm: float, place: str) -> None:
        """Take in a move."""
        if steps not in self._counts and len(self._counts) >= _MOST_COUNTS:
            return
        self.moves += 1
        self.latency_s.add(way_mm / self.speed_mm_s)
        self._counts[steps] = self._counts.get(steps, 0) + 1
        if steps:
            self.step_mm = abs(way_mm / steps)
        if len(self._furthest) < _PLACES_KEPT or steps > self._furthest[-1][0]:
            self._furthest = sorted([*self._furthest, (steps, place)], key=lambda f: -f[0])
            del self._furthest[_PLACES_KEPT:]

    def _quantile(self, share: float) -> int:
        rank, seen = share * self.moves, 0
        for steps in sorted(self._counts):
            seen += self._counts[steps]
            if seen >= rank:
                break
        return steps

    def outliers(self) -> Outliers:
        """Those that there are; none of few moves."""
        if self.moves < LEAST_MOVES or not self.step_mm:
            return Outliers(self.moves, 0, 0, 0.0, 0, [])
        median, high = self._quantile(0.5), self._quantile(0.9)
        margin = max(LEAST_STEPS, LEAST_S * self.speed_mm_s / self.step_mm)
        limit = median + max(margin, SPREADS * (high - median))
        number = sum(count for steps, count in self._counts.items() if steps > limit)
        furthest = [one for one in self._furthest if one[0] > limit]
        return Outliers(self.moves, median, high, limit, number, furthest)
