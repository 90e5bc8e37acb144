# What counts as chance, against arithmetic and against rows of which the truth is known
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math
import random

import pytest

from scripts.owner.report import chance
from scripts.owner.report.chance import Values

MANY_TESTS = 100


def chance_of(one, other):
    """The chance of two whole rows."""
    pair = chance.stretches(Values(one, len(one)), Values(other, len(other)))
    return chance.chance(*pair)


def test_rows_that_do_not_overlap_are_as_likely_as_two_of_all_ways_to_deal_them():
    # All ways are tried
    found = chance.chance([0.0] * 8, [1.0] * 8, tests=MANY_TESTS)
    assert found == pytest.approx(2 / math.comb(16, 8))
    # Many ways are drawn: it may be as far as one of them, not less
    assert chance.chance([0.0] * 20, [1.0] * 20) == pytest.approx(1 / 4001)


def test_rows_that_are_the_same_are_chance():
    row = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    assert chance.chance(row, row[::-1]) == 1.0
    assert chance.chance([3.0] * 8, [3.0] * 8) == 1.0


def test_unit_and_offset_do_not_matter():
    rng = random.Random(3)
    one = [rng.gauss(0.0, 1.0) for _ in range(9)]
    other = [rng.gauss(1.0, 1.0) for _ in range(9)]
    moved = [[1e-6 * value + 5.0 for value in row] for row in (one, other)]
    assert chance.chance(*moved) == chance.chance(one, other) < 0.5


@pytest.mark.parametrize("lengths", [(10, 10), (51, 51), (20, 200)])
@pytest.mark.parametrize("kind", ["bell", "steps", "steep"])
def test_rows_that_are_alike_come_out_as_often_as_chance_says(kind, lengths):
    rng = random.Random(7)
    draw = {
        "bell": lambda: rng.gauss(0.0, 1.0),
        "steps": lambda: float(round(2.4 + rng.random() + rng.gauss(0.0, 0.3))),
        "steep": lambda: rng.expovariate(1.0),
    }[kind]
    rows = [[[draw() for _ in range(n)] for n in lengths] for _ in range(100)]
    chances = [chance_of(*pair) for pair in rows]
    # Five are to be expected, and twelve come about in one of a thousand
    assert sum(one <= 0.05 for one in chances) < 12
    assert sum(one <= 0.5 for one in chances) > 15


def test_row_that_wanders_needs_more_to_be_another():
    rng = random.Random(11)

    def wandering(length):
        value, row = 0.0, []
        for _ in range(length):
            value = 0.8 * value + rng.gauss(0.0, 0.6)
            row.append(value)
        return row

    chances = [chance_of(wandering(500), wandering(500)) for _ in range(30)]
    # Taken as single values a third of them would
    assert sum(one <= 0.05 for one in chances) <= 5


@pytest.mark.parametrize("length", [10, 40])
def test_shift_that_is_to_be_seen_mostly_is(length):
    rng = random.Random(5)
    hits = 0
    for _ in range(6):
        one, other = ([rng.gauss(0.0, 1.0) for _ in range(length)] for _ in range(2))
        shift = 6.0 * math.sqrt(2.0 / length)
        hits += chance_of(one, [value + shift for value in other]) * 15 <= chance.ALPHA
    assert hits >= 4


def test_stretches_are_about_as_long_in_both_rows():
    one, other = chance.stretches(Values(range(20), 20), Values(range(60), 60))
    assert (len(one), len(other)) == (chance.BLOCKS, 3 * chance.BLOCKS)
    assert one == [0.5 + 2 * i for i in range(10)]
    # Values that are means already
    one, other = chance.stretches(Values(range(20), 20), Values(range(25), 100000))
    assert (len(one), len(other)) == (chance.BLOCKS, 25)
    assert chance.stretches(Values([], 0), Values([1.0], 1)) == ([], [1.0])


def test_correction_is_holms():
    assert chance.corrected([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert chance.corrected([0.6, 0.9]) == [1.0, 1.0]
    assert chance.corrected([]) == []
