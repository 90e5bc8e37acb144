# Statistics of any number of values in constant memory
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math
from array import array
from functools import reduce
from typing import Dict, List, NamedTuple, Sequence, Tuple

# Points of a Series, and bars of a Histogram: about what a plot can show
MOST_POINTS = 256
MOST_BARS = 64
# Values of a Sample
MOST_VALUES = 1024


class Moments:
    """Count, mean, standard deviation and extremes of a stream of values."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self.low = math.inf
        self.high = -math.inf
        self._squares = 0.0

    def extend(self, values: Sequence[float]) -> None:
        """Take in many values at once (what a batch costs is mostly C code)."""
        if not values:
            return
        added = len(values)
        mean = sum(values) / added
        squares = math.dist(values, [mean] * added) ** 2
        # Two batches' squares add up like this (Chan et al. 1979), without loss of digits
        total = self.count + added
        step = mean - self.mean
        self._squares += squares + step * step * self.count * added / total
        self.mean += step * added / total
        self.count = total
        self.low = min(self.low, min(values))
        self.high = max(self.high, max(values))

    def add(self, value: float) -> None:
        """Take in one value."""
        self.extend((value,))

    @property
    def stddev(self) -> float:
        """The standard deviation of all values so far."""
        return math.sqrt(self._squares / self.count) if self.count else 0.0

    @property
    def rms(self) -> float:
        """The root of the mean square of all values so far."""
        return math.hypot(self.mean, self.stddev)

    @property
    def furthest(self) -> float:
        """The value's largest distance from zero."""
        return max(abs(self.low), abs(self.high)) if self.count else 0.0


class Point(NamedTuple):
    """What became of a number of neighbouring values of a series."""

    number: int
    x: float
    mean: float
    low: float
    high: float


def _merged(a: Point, b: Point) -> Point:
    number = a.number + b.number
    share = b.number / number
    return Point(
        number,
        a.x + (b.x - a.x) * share,
        a.mean + (b.mean - a.mean) * share,
        min(a.low, b.low),
        max(a.high, b.high),
    )


class Series:
    """A curve of at most MOST_POINTS points; when it is full, neighbours become one."""

    def __init__(self) -> None:
        self._width = 1
        self._points: List[Point] = []
        self._xs: List[float] = []
        self._ys: List[float] = []

    def extend(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        """Take in values ys at xs (in order)."""
        self._xs += xs
        self._ys += ys
        start = 0
        while start + self._width <= len(self._ys):
            end = start + self._width
            self._points.append(self._point(start, end))
            start = end
            if len(self._points) == MOST_POINTS:
                self._points = list(map(_merged, self._points[::2], self._points[1::2]))
                self._width *= 2
        del self._xs[:start], self._ys[:start]

    def _point(self, start: int, end: int) -> Point:
        xs, ys = self._xs[start:end], self._ys[start:end]
        return Point(end - start, (xs[0] + xs[-1]) / 2, sum(ys) / len(ys), min(ys), max(ys))

    def points(self) -> List[Point]:
        """The curve so far, with a last point of what is not a full one yet."""
        if not self._ys:
            return list(self._points)
        return [*self._points, self._point(0, len(self._ys))]

    def rows(self, count: int) -> List[Point]:
        """The curve in at most so many points of about as many values each."""
        points = self.points()
        size = max(1, math.ceil(len(points) / count))
        return [reduce(_merged, points[i : i + size]) for i in range(0, len(points), size)]


class Sample:
    """Values in their order; when there are too many, every second one is left out."""

    def __init__(self) -> None:
        self._stride = 1
        self._passed = 0
        self.values: array[float] = array("f")

    def add(self, value: float) -> None:
        """Take in a value."""
        if self._passed % self._stride == 0:
            self.values.append(value)
        self._passed += 1
        if len(self.values) > MOST_VALUES:
            del self.values[1::2]
            self._stride *= 2


class Histogram:
    """How often whole numbers came, in at most MOST_BARS bars of equal width."""

    def __init__(self) -> None:
        self.width = 1
        self._counts: Dict[int, int] = {}

    def add(self, value: int) -> None:
        """Count a value."""
        bar = value // self.width
        self._counts[bar] = self._counts.get(bar, 0) + 1
        while max(self._counts) - min(self._counts) >= MOST_BARS:
            self.widen()

    def widen(self) -> None:
        """Make the bars twice as wide."""
        self.width *= 2
        counts: Dict[int, int] = {}
        for bar, count in self._counts.items():
            counts[bar // 2] = counts.get(bar // 2, 0) + count
        self._counts = counts

    def bars(self) -> List[Tuple[int, int]]:
        """(lowest value, count) of each bar from the lowest to the highest."""
        if not self._counts:
            return []
        numbers = range(min(self._counts), max(self._counts) + 1)
        return [(number * self.width, self._counts.get(number, 0)) for number in numbers]
