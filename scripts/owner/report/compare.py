# What differs between logs, board by board, and whether that is more than chance
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Two or more logs, the first of which is what the others are compared with.

Of a stepper, at one endstop and one speed: how many of its moves overshot far more than the others
(late moves), and of all but these how long it goes on after a trigger (latency), and how far from
the median of its log that is (spread). Of a link: its round trip, and the share of Stats lines in
which messages had to be repeated or came damaged.

A difference counts if it is more than chance and large enough to be one of the link. A stop is
known to a step only, so latencies may differ by as much between logs of one and the same printer:
it has triggered at another place within the step. Klippy prints round trips to a millisecond.
"""

import math
from statistics import median
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from . import chance
from .chance import Values
from .link import Link
from .log import Log
from .outliers import Stops
from .series import Histogram

# Below that no link is better than another: 2 um at 10 mm/s
LEAST_LATENCY_S = 0.0002
LEAST_ROUND_TRIP_S = 0.001
LEAST_SHARE_OF_LINES = 0.01
LEAST_SHARE_OF_MOVES = 0.02
# What single precision leaves of equal values
_ROUNDING = 1e-5


class Kind(NamedTuple):
    """A figure that is compared; words say of the second log that there is more or less of it."""

    name: str
    unit: str
    scale: float
    digits: int
    more: str
    less: str


LATENCY = Kind("latency", "ms", 1000.0, 2, "stops later", "stops earlier")
SPREAD = Kind("spread", "ms", 1000.0, 2, "stops less evenly", "stops more evenly")
LATE = Kind("late moves", "%", 100.0, 1, "has more late moves", "has fewer late moves")
ROUND_TRIP = Kind("srtt", "ms", 1000.0, 3, "answers more slowly", "answers faster")
REPEATED = Kind("repeated", "%", 100.0, 2, "has more messages repeated", "has fewer repeated")
DAMAGED = Kind("damaged", "%", 100.0, 2, "sends more damaged bytes", "sends fewer damaged bytes")


class Figure(NamedTuple):
    """What one log has of a kind (s, or a share); a difference below least does not count."""

    mean: float
    values: Values
    least: float


class Part(NamedTuple):
    """A stepper's moves or a link's Stats lines in one log; a link has no endstop and no speed."""

    mcu: str
    number: int
    figures: Dict[Kind, Figure]
    endstop: str = ""
    speed_mm_s: float = 0.0
    overshoot_mm: float = 0.0


class Difference(NamedTuple):
    """A figure of one log against the first one's."""

    before: float
    after: float
    least: float
    # None if there are too few moves or lines to say
    chance: Optional[float] = None
    seen_from: Optional[float] = None

    @property
    def change(self) -> float:
        """What it is more by."""
        return self.after - self.before

    @property
    def is_unlikely(self) -> bool:
        """Whether it is more than chance."""
        return self.chance is not None and self.chance <= chance.ALPHA

    @property
    def is_found(self) -> bool:
        """Whether it counts; just a step may be where the trigger was."""
        return self.is_unlikely and abs(self.change) > self.least * (1.0 + _ROUNDING)


class Subject(NamedTuple):
    """A stepper or a link in all logs, None where a log has none of it."""

    name: str
    parts: List[Optional[Part]]


class Comparison:
    """Steppers and links of the logs, and how they differ."""

    def __init__(self, logs: Sequence[Log]) -> None:
        self.logs = list(logs)
        self.steppers = list(_steppers(logs))
        self.links = list(_links(logs))
        # By subject's place, log and kind; what is not there cannot be compared
        self._differences: Dict[Tuple[int, int, Kind], Difference] = {}
        # How many differences have been looked at
        self.tests = 0
        self._compare()

    @property
    def subjects(self) -> List[Subject]:
        """All steppers, then all links."""
        return [*self.steppers, *self.links]

    def difference(self, subject: Subject, log: int, kind: Kind) -> Optional[Difference]:
        """How a log differs from the first one; None if one of them has none of it."""
        return self._differences.get((self._place(subject), log, kind))

    def _place(self, subject: Subject) -> int:
        return next(i for i, one in enumerate(self.subjects) if one is subject)

    def found(self) -> Iterator[Tuple[Subject, int, Kind, Difference]]:
        """What differs by more than chance, and by enough."""
        for (place, log, kind), difference in self._differences.items():
            if difference.is_found:
                yield self.subjects[place], log, kind, difference

    def _compare(self) -> None:
        rows: Dict[Tuple[int, int, Kind], Tuple[List[float], List[float]]] = {}
        for place, subject in enumerate(self.subjects):
            first = subject.parts[0]
            for log, part in enumerate(subject.parts):
                if log == 0 or first is None or part is None:
                    continue
                for kind, before in first.figures.items():
                    after = part.figures[kind]
                    self._differences[place, log, kind] = Difference(
                        before.mean, after.mean, max(before.least, after.least)
                    )
                    pair = chance.stretches(before.values, after.values)
                    if min(map(len, pair)) >= chance.LEAST_BLOCKS:
                        rows[place, log, kind] = pair
        # What never changes at all is alike, and no test of anything
        tested = {key: pair for key, pair in rows.items() if len({*pair[0], *pair[1]}) > 1}
        self.tests = len(tested)
        chances = [chance.chance(*pair, tests=self.tests) for pair in tested.values()]
        by_key = dict(zip(tested, chance.corrected(chances)))
        for key, pair in rows.items():
            self._differences[key] = self._tested(key, pair, by_key.get(key, 1.0))

    def _tested(
        self, key: Tuple[int, int, Kind], pair: Tuple[List[float], List[float]], share: float
    ) -> Difference:
        difference = self._differences[key]
        seen_from: Optional[float] = chance.seen_from(*pair, least=difference.least)
        place, log, kind = key
        if kind.unit == "%":
            parts = (self.subjects[place].parts[i] for i in (0, log))
            fewest = min(part.number for part in parts if part)
            seen_from = max(seen_from or 0.0, chance.RARE / fewest)
            seen_from = seen_from if seen_from < 1.0 else None
        return difference._replace(chance=share, seen_from=seen_from)


def _steppers(logs: Sequence[Log]) -> Iterator[Subject]:
    """Each stepper at each endstop and speed that logs share, else at its most usual ones."""
    names = sorted({name for log in logs for name in log.moves.steppers})
    for name in names:
        histories = [log.moves.steppers.get(name) for log in logs]
        stops = [history.stops if history else {} for history in histories]
        mcus = [history.mcu if history else "" for history in histories]
        shared = _shared(stops)
        for key in shared:
            parts = [_stops(mcu, key[0], one.get(key)) for mcu, one in zip(mcus, stops)]
            yield Subject(name, parts)
        alone = [not any(key in one for key in shared) for one in stops]
        if any(alone):
            usual = [max(one, key=lambda key: one[key].moves, default=("", "")) for one in stops]
            yield Subject(
                name,
                [
                    _stops(mcu, key[0], one.get(key)) if is_alone or not i else None
                    for i, (mcu, key, one, is_alone) in enumerate(zip(mcus, usual, stops, alone))
                ],
            )


def _shared(stops: Sequence[Dict[Tuple[str, str], Stops]]) -> List[Tuple[str, str]]:
    """The endstops and speeds that the first log has in common with another."""
    moves = {
        key: min(mine.moves, max(other[key].moves for other in stops[1:] if key in other))
        for key, mine in stops[0].items()
        if any(key in other for other in stops[1:])
    }
    enough = [key for key, number in moves.items() if number >= chance.LEAST_BLOCKS]
    return enough or sorted(moves, key=lambda key: -moves[key])[:1]


def _stops(mcu: str, endstop: str, stops: Optional[Stops]) -> Optional[Part]:
    if stops is None or not stops.moves:
        return None
    all_s = list(stops.latency_s.values)
    step_s = stops.step_mm / stops.speed_mm_s
    outliers = stops.outliers()
    limit_s = (outliers.limit_steps + _ROUNDING) * step_s if outliers.number else math.inf
    # A few late moves would hide a difference between all the others
    latencies_s = [latency_s for latency_s in all_s if latency_s <= limit_s]
    middle_s = median(latencies_s)
    spreads_s = [abs(latency_s - middle_s) for latency_s in latencies_s]
    late = [float(latency_s > limit_s) for latency_s in all_s]
    least_s = max(LEAST_LATENCY_S, step_s)
    figures = {
        kind: Figure(chance.mean(values), Values(values, stops.moves), least)
        for kind, values, least in (
            (LATENCY, latencies_s, least_s),
            (SPREAD, spreads_s, least_s),
            (LATE, late, LEAST_SHARE_OF_MOVES),
        )
    }
    overshoot_mm = figures[LATENCY].mean * stops.speed_mm_s
    return Part(mcu, stops.moves, figures, endstop, stops.speed_mm_s, overshoot_mm)


def _links(logs: Sequence[Log]) -> Iterator[Subject]:
    names = list(dict.fromkeys(name for log in logs for name in log.links))
    for name in names:
        yield Subject(name, [_link(log.links[name]) if name in log.links else None for log in logs])


def _link(link: Link) -> Optional[Part]:
    lines = link.lines
    if not lines:
        return None
    round_trips_s = [point.mean for point in link.srtt_course.points()]
    repeated = _shares(link.retransmitting, lines)
    damaged = _shares(link.invalid, lines)
    return Part(
        link.name,
        lines,
        {
            ROUND_TRIP: Figure(
                link.srtt_s.mean, Values(round_trips_s, link.srtt_s.count), LEAST_ROUND_TRIP_S
            ),
            REPEATED: Figure(
                link.retransmitting_lines / lines, Values(repeated, lines), LEAST_SHARE_OF_LINES
            ),
            DAMAGED: Figure(
                link.invalid_lines / lines, Values(damaged, lines), LEAST_SHARE_OF_LINES
            ),
        },
    )


def _shares(noted: Histogram, lines: int) -> List[float]:
    """In which share of neighbouring lines something came, for each stretch of lines."""
    width = noted.width * math.ceil(lines / chance.MOST_BLOCKS / noted.width)
    shares = [0.0] * math.ceil(lines / width)
    for line, count in noted.bars():
        if count:
            shares[line // width] += count
    # The last stretch may be shorter
    lengths = [min(width, lines - i * width) for i in range(len(shares))]
    return [share / length for share, length in zip(shares, lengths)]
