# What the homing moves did: the last one, and statistics of all
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from contextlib import contextmanager
from typing import Dict, Iterable, Iterator, List, NamedTuple, Tuple

from ..model.rail_result import RailResult
from ..model.running_statistics import StopStatistics

Results = Tuple[RailResult, ...]
# The name of a stepper, its overshoot (mm) and its speed (mm/s)
Stop = Tuple[str, float, float]

# So many stops wait at most to be taken into the statistics
MOST_WAITING = 2000


class Moves(NamedTuple):
    """The homing moves so far; error says why the last one was not corrected."""

    number: int
    last: Results
    error: str


def stops_of(results: Iterable[RailResult]) -> List[Stop]:
    """The stops of one homing move."""
    return [
        (c.name, c.overshoot_mm, result.part.speed_mm_s)
        for result in results
        if result.has_stops()
        for c in result.plan.corrections
    ]


def stop_statistics(
    before: Dict[str, StopStatistics], stops: Iterable[Stop]
) -> Dict[str, StopStatistics]:
    """Statistics by stepper name, with more stops."""
    added: Dict[str, List[Tuple[float, float]]] = {}
    for name, overshoot_mm, speed_mm_s in stops:
        added.setdefault(name, []).append((overshoot_mm, speed_mm_s))
    after = dict(before)
    for name, of_one in added.items():
        after[name] = after.get(name, StopStatistics()).with_stops(of_one)
    return after


class History:
    """Takes in homing moves; what it hands out is replaced, never changed."""

    def __init__(self) -> None:
        self.moves = Moves(0, (), "")
        self._statistics: Dict[str, StopStatistics] = {}
        # Those that are not in the statistics yet
        self._waiting: List[Stop] = []
        self._runs: List[List[Results]] = []

    @property
    def statistics(self) -> Dict[str, StopStatistics]:
        """Statistics by stepper name.

        Computed when asked for, since a homing move has less time to spare.
        """
        self._count_waiting()
        return self._statistics

    def _count_waiting(self) -> None:
        if self._waiting:
            self._statistics = stop_statistics(self._statistics, self._waiting)
            self._waiting = []

    def note_homing_move(self, results: Iterable[RailResult], error: str) -> None:
        """Take in one homing move; error is empty or says why it was not corrected."""
        last = tuple(results)
        self.moves = Moves(self.moves.number + 1, last, error)
        self._waiting += stops_of(last)
        if len(self._waiting) >= MOST_WAITING:
            self._count_waiting()
        for run in self._runs:
            run.append(last)

    def reset_statistics(self) -> None:
        """Start the statistics over."""
        self._statistics = {}
        self._waiting = []

    @contextmanager
    def run(self) -> Iterator[List[Results]]:
        """Collect the homing moves from here to the end of the block."""
        moves: List[Results] = []
        self._runs.append(moves)
        try:
            yield moves
        finally:
            self._runs.pop()
