# What the host expects a stepper to have counted
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resync.count_check.comparison import (
    CLOCK_ERROR_S,
    MAX_ROUND_TRIP_S,
    Comparer,
    Comparison,
)
from resync.host.step_history import MOVES, REMEMBERED_S, counts_between
from resync.model.following_error import Limits

FREQUENCY_HZ = 1000
# A print time of 10 s is the MCU's clock zero, and the system time is the print time
CLOCK_START_S = 10.0
STEP_MM = 0.01
LIMITS = Limits(0.5, 0.02, 10.0)


class Mcu:
    def __init__(self, system):
        self._system = system

    def get_name(self):
        return "z1"

    def is_fileoutput(self):
        return False

    def print_time_to_clock(self, print_time):
        return round((print_time - CLOCK_START_S) * FREQUENCY_HZ)

    def clock_to_print_time(self, clock):
        return CLOCK_START_S + clock / FREQUENCY_HZ

    def estimated_print_time(self, eventtime):
        return eventtime

    def lookup_query_command(self, *formats, oid):
        return self._system


class Stepper:
    """A stepper with a history of single steps, at clocks that rise."""

    def __init__(self, steps, mcu=None):
        self._steps = sorted(steps)
        self._mcu = mcu or Mcu(None)
        self.calls = 0

    def get_mcu(self):
        return self._mcu

    def get_name(self):
        return "stepper_z1"

    def get_oid(self):
        return 3

    def get_step_dist(self):
        return STEP_MM

    def get_dir_inverted(self):
        return True, False

    def count(self, clock):
        return sum(step for at, step in self._steps if at <= clock)

    def get_past_mcu_position(self, print_time):
        clock = self._mcu.print_time_to_clock(print_time)
        if clock < 0:
            raise OverflowError("can't convert negative number to unsigned")
        return self.count(clock)

    def dump_steps(self, size, first_clock, last_clock):
        """As stepcompress_extract_old() does it, each step a move of its own."""
        assert first_clock >= 0
        self.calls += 1
        found = [
            SimpleNamespace(
                first_clock=at, last_clock=at, start_position=self.count(at) - step, step_count=step
            )
            for at, step in reversed(self._steps)
            if first_clock < at < last_clock
        ][:size]
        return found, len(found)


steps = st.dictionaries(st.integers(0, 300), st.sampled_from([-1, 1])).map(dict.items)


@given(steps=steps, first=st.integers(0, 300), ticks=st.integers(0, 300))
def test_range_of_counts_is_that_of_every_instant(steps, first, ticks):
    stepper = Stepper(steps)
    counts = [stepper.count(clock) for clock in range(first, first + ticks + 1)]
    times = [CLOCK_START_S + clock / FREQUENCY_HZ for clock in (first, first + ticks)]
    assert counts_between(stepper, *times) == (min(counts), max(counts))


@pytest.mark.parametrize("first_s", [-1e6, 0.0, CLOCK_START_S - 0.001])
def test_before_its_clock_was_zero_an_mcu_has_taken_no_step(first_s):
    stepper = Stepper([(5, 1), (7, 1)])
    assert counts_between(stepper, first_s, CLOCK_START_S + 0.006) == (0, 1)
    assert counts_between(stepper, first_s, first_s) == (0, 0)


def test_any_number_of_moves_is_looked_at():
    stepper = Stepper([(2 * i + 1, 1 if i < 100 else -1) for i in range(200)])
    assert 2 * MOVES < 200
    assert counts_between(stepper, CLOCK_START_S, CLOCK_START_S + 1.0) == (0, 100)
    assert stepper.calls == 3


class System:
    """The reactor and the query at once: an answer takes some time."""

    def __init__(self, asked, took_s, counted, sent=None):
        self._asked, self._took_s, self._counted = asked, took_s, counted
        self._sent = asked if sent is None else sent
        self._now = asked

    def monotonic(self):
        return self._now

    def send(self, arguments):
        self._now = self._asked + self._took_s
        # The stepper's direction is inverted
        return {"pos": -self._counted, "#sent_time": self._sent, "#receive_time": self._now}


def compare(steps, counted, took_s=0.001, sent=None):
    system = System(CLOCK_START_S + 0.1, took_s, counted, sent)
    stepper = Stepper(steps, Mcu(system))
    return Comparer(system, {"stepper_z1": stepper}).compare("stepper_z1", LIMITS)


def moving(ticks):
    """A step every so many ticks (ms)."""
    return [(at, 1) for at in range(0, 2000, ticks)]


@pytest.mark.parametrize("took_s", [0.001, 0.02, 1.0])
@pytest.mark.parametrize("lost", [-1, 1])
def test_at_rest_any_lost_step_is_a_fault_however_late_the_answer(took_s, lost):
    steps = [(at, 1) for at in range(20)]
    found = compare(steps, 20 + lost, took_s)
    assert not found.doubt
    assert found.is_fault()
    assert found.error_mm == pytest.approx(lost * STEP_MM)
    assert found.limit_mm == 0.0
    assert not compare(steps, 20, took_s).is_fault()


def test_step_near_the_answer_may_have_been_counted_or_not():
    # Both 4 ms off, which the host may be wrong by
    for at in (96, 105):
        assert [compare([(at, 1)], counted).is_fault() for counted in (-6, 0, 1, 7)] == [
            True,
            False,
            False,
            True,
        ]
    # And out of its reach
    for at, counted in ((94, 0), (107, 1)):
        found = compare([(at, 1)], counted)
        assert found.is_fault()
        assert found.limit_mm == 0.0
    assert CLOCK_ERROR_S == 0.005


def test_limit_of_a_stepper_that_moves_is_that_of_its_speed():
    # 10 mm/s, so 0.5 mm
    found = compare(moving(1), 100)
    assert found.limit_mm == pytest.approx(0.5, rel=0.2)
    assert not found.is_fault()
    assert compare(moving(1), 45).is_fault()
    assert compare(moving(1), 165).is_fault()


@pytest.mark.parametrize("sent", [None, 0.0])
def test_late_answer_of_a_stepper_that_moves_decides_nothing(sent):
    late_s = MAX_ROUND_TRIP_S + 0.001
    found = compare(moving(10), 11, late_s, sent)
    assert not found.is_fault()
    assert not found.is_conclusive()
    assert "stepper_z1 on z1: not compared" in found.describe()
    # Unless it is wild
    found = compare(moving(10), 1000, late_s, sent)
    assert found.is_fault()
    assert found.is_conclusive()
    assert compare(moving(10), 11, MAX_ROUND_TRIP_S - 0.001, sent).is_conclusive()


def test_nothing_is_said_of_a_stepper_whose_present_the_host_may_have_forgotten():
    ahead = round((0.1 + REMEMBERED_S) * FREQUENCY_HZ)
    found = compare([(ahead + 200, 1)], 50)
    assert not found.is_fault()
    assert not found.is_conclusive()
    assert "the host has generated a long move already" in found.describe()
    assert compare([(ahead - 200, 1)], 50).is_fault()


def test_host_of_v0_12_may_have_forgotten_what_is_30_s_older_than_its_last_step():
    for ahead_s, is_compared in ((20.0, True), (29.9, False), (40.0, False)):
        ahead = round((0.1 + ahead_s) * FREQUENCY_HZ)
        assert compare([(ahead, 1)], 50).is_conclusive() is is_compared


def test_answer_to_an_earlier_question_is_not_compared():
    assert compare(moving(1), 100, sent=CLOCK_START_S) is None


def test_comparison_is_told_in_one_line():
    found = Comparison("stepper_z1", "z1", 5, 6, -0.0025, 0.0)
    assert found.describe() == (
        "stepper_z1 on z1: counted 5, expected 6, error -0.002500 mm, limit 0.000000 mm"
    )
