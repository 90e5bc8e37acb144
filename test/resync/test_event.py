# What is learnt of a homing move between its events
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from resync.event import EndstopWatch


class Endstop:
    """An endstop as hosts have them, with its functions as methods."""

    def __init__(self, outcome):
        self.outcome = outcome

    def home_start(self, print_time, triggered=True):
        return "completion of %s, %s" % (print_time, triggered)

    def home_wait(self, home_end_time):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class ProbeEndstop:
    """An endstop of v0.12's probe, with functions as attributes."""

    def __init__(self, outcome):
        endstop = Endstop(outcome)
        self.home_start, self.home_wait = endstop.home_start, endstop.home_wait


def watch_of(endstops, steppers, note_start=lambda: None):
    return EndstopWatch(endstops, steppers, note_start)


@pytest.mark.parametrize("kind", [Endstop, ProbeEndstop])
def test_endstop_is_left_as_it_was_found(kind):
    endstop = kind(5.0)
    before, code = dict(vars(endstop)), endstop.home_wait.__code__
    watch = watch_of([(endstop, "z")], [])
    assert endstop.home_wait.__code__ is not code
    for _ in range(2):
        watch.stop()
        assert vars(endstop) == before
        assert endstop.home_wait.__code__ is code


def test_endstop_that_is_named_twice_is_left_as_it_was_found():
    endstop = Endstop(5.0)
    before, code = dict(vars(endstop)), endstop.home_wait.__code__
    watch = watch_of([(endstop, "x"), (endstop, "y")], [])
    watch.stop()
    assert vars(endstop) == before
    assert endstop.home_wait.__code__ is code


@pytest.mark.parametrize("kind", [Endstop, ProbeEndstop])
def test_trigger_time_is_returned_and_remembered(kind):
    endstop = kind(5.0)
    watch = watch_of([(endstop, "z")], [])
    assert endstop.home_wait(7.0) == 5.0
    assert watch.trigger_times == {"z": 5.0}


@pytest.mark.parametrize("outcome", [0.0, -1.0])
def test_no_trigger_is_not_remembered(outcome):
    # v0.12 returns -1 after a communication timeout
    endstop = Endstop(outcome)
    watch = watch_of([(endstop, "z")], [])
    assert endstop.home_wait(7.0) == outcome
    assert watch.trigger_times == {}


class Stepper:
    """A stepper whose count is another one after each question."""

    def __init__(self):
        self.count = 40

    def get_name(self):
        return "stepper_z"

    def get_mcu_position(self):
        self.count += 1
        return self.count


def test_counts_are_those_before_the_first_endstop_is_waited_for():
    endstops = [Endstop(5.0), Endstop(6.0)]
    watch = watch_of(list(zip(endstops, "xy")), [Stepper()])
    assert watch.sent_steps == {}
    for endstop in endstops:
        endstop.home_wait(7.0)
    assert watch.sent_steps == {"stepper_z": 41}


@pytest.mark.parametrize("kind", [Endstop, ProbeEndstop])
def test_start_is_noted_once_before_the_first_endstop_is_armed(kind):
    endstops, starts = [kind(5.0), kind(6.0)], []
    watch = watch_of(list(zip(endstops, "xy")), [], lambda: starts.append("now"))
    assert (watch.is_started, starts) == (False, [])
    for endstop in endstops:
        assert endstop.home_start(3.0, triggered=False) == "completion of 3.0, False"
    assert (watch.is_started, starts) == (True, ["now"])


def test_error_of_an_endstop_passes():
    endstop = Endstop(ValueError("Communication timeout during homing"))
    watch = watch_of([(endstop, "z")], [])
    with pytest.raises(ValueError, match="timeout"):
        endstop.home_wait(7.0)
    assert watch.trigger_times == {}
