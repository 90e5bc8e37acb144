# Whether two rows of values differ by more than chance
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""The test.

What a link does now it mostly does in the next moment too, so single values are no independent
witnesses: the shorter log is cut into BLOCKS stretches of neighbours, the longer one into more of
about the same length, whose means are. If it made no difference from which log a stretch is, any
way to deal them to two logs would be as likely as the real one. Chance is the share of all those
ways, or of many drawn at random, that set the logs at least as far apart (E. Pitman, 1937),
measured against how much the stretches vary within each log, so that logs of unlike spread are no
cause by themselves (A. Janssen, Statistics & Probability Letters 36, 1997).

Whoever looks at many differences finds one by chance: S. Holm's correction (Scandinavian Journal
of Statistics 6, 1979) makes ALPHA the chance to find any in a whole comparison of logs that are
alike.
"""

import math
import random
from itertools import combinations
from statistics import variance
from typing import Iterator, List, NamedTuple, Sequence, Tuple

ALPHA = 0.01
BLOCKS = 10
MOST_BLOCKS = 40
# Of fewer there are not enough ways to deal them
LEAST_BLOCKS = 8
# So many ways are drawn at least, and for each difference that is looked at; of a difference that
# is nothing special so many ways that are as good are enough
_DRAWS = 4000
_DRAWS_PER_TEST = 200
_ENOUGH = 20
# Standard errors, beyond which nine of ten differences are more than chance or more than a limit
_SEEN_FROM = 6.0
_SURELY = 1.3
# So many cases of something against none of it are mostly more than chance
RARE = 30


class Values(NamedTuple):
    """Values of one log in their order, or means of neighbours; number is how many there were."""

    values: Sequence[float]
    number: int


def blocks(values: Sequence[float], count: int) -> List[float]:
    """The means of at most so many stretches of about as many values each."""
    count = min(count, len(values))
    ends = [i * len(values) // count for i in range(count + 1)] if count else []
    return [sum(values[i:j]) / (j - i) for i, j in zip(ends, ends[1:])]


def stretches(one: Values, other: Values) -> Tuple[List[float], List[float]]:
    """The stretches of two logs, which are about as long in both."""
    shorter = min(one.number, other.number)
    length = max(1.0, shorter / BLOCKS)
    counts = [min(MOST_BLOCKS, round(v.number / length)) for v in (one, other)]
    return blocks(one.values, counts[0]), blocks(other.values, counts[1])


def mean(values: Sequence[float]) -> float:
    """The mean; zero of none."""
    return sum(values) / len(values) if values else 0.0


class _Dealt(NamedTuple):
    """One log's part of the stretches: how many, their sum and that of their squares."""

    number: int
    total: float
    squares: float

    def variance_of_mean(self) -> float:
        """How far the mean may be off by chance (squared)."""
        rest = self.squares - self.total * self.total / self.number
        return max(0.0, rest) / (self.number - 1) / self.number


def _distance(one: _Dealt, other: _Dealt) -> float:
    apart = abs(one.total / one.number - other.total / other.number)
    error = math.sqrt(one.variance_of_mean() + other.variance_of_mean())
    # Within what rounding leaves of equal values
    if apart <= 1e-12:
        return 0.0
    return apart / error if error > 1e-12 * apart else math.inf


def _ways(count: int, dealt: int, draws: int) -> Iterator[Sequence[int]]:
    """All ways to deal some of a number of stretches, or many drawn at random."""
    if math.comb(count, dealt) <= draws:
        yield from combinations(range(count), dealt)
        return
    # The same logs give the same report
    rng = random.Random(1)
    for _ in range(draws):
        yield rng.sample(range(count), dealt)


def chance(one: Sequence[float], other: Sequence[float], tests: int = 1) -> float:
    """The chance of so large a difference between means of stretches, of which nothing is known.

    tests is at how many differences one looks in all. At least LEAST_BLOCKS of each are needed.
    """
    centre = mean([*one, *other])
    scale = max((abs(value - centre) for value in (*one, *other)), default=0.0) or 1.0
    values = [(value - centre) / scale for value in (*one, *other)]
    total = math.fsum(values)
    squares = math.fsum(value * value for value in values)

    def distance(way: Sequence[int]) -> float:
        mine = [values[i] for i in way]
        dealt = _Dealt(len(mine), sum(mine), sum(value * value for value in mine))
        rest = _Dealt(len(values) - dealt.number, total - dealt.total, squares - dealt.squares)
        return _distance(dealt, rest)

    real = distance(range(len(one))) * (1.0 - 1e-9)
    draws = max(_DRAWS, _DRAWS_PER_TEST * tests)
    # The real way is one of them
    is_all = math.comb(len(values), len(one)) <= draws
    drawn, as_far = (0, 0) if is_all else (1, 1)
    for way in _ways(len(values), len(one), draws):
        drawn += 1
        as_far += distance(way) >= real
        if as_far >= _ENOUGH and not is_all:
            break
    return as_far / drawn


def seen_from(one: Sequence[float], other: Sequence[float], least: float) -> float:
    """From where on a difference between means of stretches mostly is found, if it needs least."""
    error = math.sqrt(sum(variance(values) / len(values) for values in (one, other)))
    return max(_SEEN_FROM * error, least + _SURELY * error)


def corrected(chances: Sequence[float]) -> List[float]:
    """The chances that any of so many differences comes out as small as each of these (Holm)."""
    ranked: List[Tuple[int, float]] = sorted(enumerate(chances), key=lambda one: one[1])
    found = [1.0] * len(ranked)
    least = 0.0
    for rank, (place, value) in enumerate(ranked):
        least = max(least, min(1.0, value * (len(ranked) - rank)))
        found[place] = least
    return found
