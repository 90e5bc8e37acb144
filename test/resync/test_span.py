# What is learnt of a homing move between its events
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

import pytest
from resync.homing.endstop_watch import EndstopWatch
from resync.homing.span import CountError, HomingSpan
from resync.host.answers import trigger_fault
from resync.model.plan import PlanError
from resync.model.rail import Rail
from resync.state.sync_state import SyncState


class Endstop:
    """An endstop as hosts have them, with its functions as methods."""

    def __init__(self, outcome):
        self.outcome = outcome

    def home_start(self, print_time, sample_time, sample_count, rest_time, triggered=True):
        return sample_time, sample_count, rest_time, triggered

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
    return EndstopWatch(endstops, steppers, note_start, lambda endstop: [])


def home(endstop):
    """From 4 s to 7 s."""
    assert endstop.home_start(4.0, 0.1, 4, 0.2, triggered=False) == (0.1, 4, 0.2, False)
    return endstop.home_wait(7.0)


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
    assert home(endstop) == 5.0
    assert watch.trigger_times == {"z": 5.0}


@pytest.mark.parametrize("outcome", [0.0, -1.0])
def test_no_trigger_is_not_remembered(outcome):
    # v0.12 returns -1 after a communication timeout
    endstop = Endstop(outcome)
    watch = watch_of([(endstop, "z")], [])
    assert home(endstop) == outcome
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
        home(endstop)
    assert watch.sent_steps == {"stepper_z": 41}


@pytest.mark.parametrize("kind", [Endstop, ProbeEndstop])
def test_start_is_noted_once_before_the_first_endstop_is_armed(kind):
    endstops, starts = [kind(5.0), kind(6.0)], []
    watch = watch_of(list(zip(endstops, "xy")), [], lambda: starts.append("now"))
    assert (watch.is_started, starts) == (False, [])
    for endstop in endstops:
        assert endstop.home_start(3.0, 0.1, 4, 0.2) == (0.1, 4, 0.2, True)
    assert (watch.is_started, starts) == (True, ["now"])


@pytest.mark.parametrize("times", [(3.0, 4.0), (4.0, 3.0)])
def test_move_starts_when_the_first_of_its_endstops_is_armed(times):
    endstops = [Endstop(5.0), Endstop(6.0)]
    watch = watch_of(list(zip(endstops, "xy")), [])
    for endstop, time in zip(endstops, times):
        endstop.home_start(time, 0.1, 4, 0.2)
    assert watch.start_time() == 3.0


def test_error_of_an_endstop_passes():
    endstop = Endstop(ValueError("Communication timeout during homing"))
    watch = watch_of([(endstop, "z")], [])
    with pytest.raises(ValueError, match="timeout"):
        home(endstop)
    assert watch.trigger_times == {}


def fault_of(time):
    """What is wrong with a trigger at that time."""
    endstop = Endstop(time)
    watch = watch_of([(endstop, "z")], [])
    assert home(endstop) == time
    assert watch.trigger_times == {}
    [fault] = watch.faults
    return fault


@pytest.mark.parametrize("time", [1e-9, 16.9, 26.1, 4e9])
def test_trigger_that_has_nothing_to_do_with_the_move_is_a_fault(time):
    assert trigger_fault("endstop 'z'", time, 20.0, 23.0) == (
        "endstop 'z' reports a trigger at %.6f s, which is not within the move from 20.000000 to"
        " 23.000000 s: home again, and if it comes again check the firmware of its MCU" % (time,)
    )


@pytest.mark.parametrize("time, early_s", [(3.9, 0.1), (1.1, 2.9), (3.99, 0.01)])
def test_trigger_while_the_move_before_ran_is_told_as_that(time, early_s):
    assert fault_of(time) == (
        "endstop 'z' has triggered %.3f s before the homing move began, while the move before it"
        " ran: lift the toolhead further or wait until the sensor is at rest, and home again"
        % (early_s,)
    )


@pytest.mark.parametrize("time, late_s", [(7.1, 0.1), (9.9, 2.9), (7.01, 0.01)])
def test_trigger_after_the_move_is_told_as_that(time, late_s):
    assert fault_of(time) == (
        "endstop 'z' says that it triggered %.3f s after the homing move had ended: home again,"
        " and if it comes again home more slowly or check the link to its MCU" % (late_s,)
    )


@pytest.mark.parametrize("time", [3.996, 4.0, 7.0, 7.004])
def test_trigger_at_either_end_of_the_move_is_none(time):
    # The host may be wrong about the MCU's clock; some probes report the end
    endstop = Endstop(time)
    watch = watch_of([(endstop, "z")], [])
    home(endstop)
    assert watch.trigger_times == {"z": time}
    assert watch.faults == []


STEP_MM = 0.0025


class Mcu:
    """Its clock is in seconds, and it is 3 s now."""

    def get_name(self):
        return "z1"

    def estimated_print_time(self, eventtime):
        return eventtime

    def print_time_to_clock(self, print_time):
        return print_time

    def clock_to_print_time(self, clock):
        return clock


class SentStepper:
    """A stepper that came from a count and was sent to another."""

    def __init__(self, before_steps, start_steps, sent_steps):
        self._before_steps, self._start_steps = before_steps, start_steps
        self._sent_steps = sent_steps

    def get_name(self):
        return "stepper_z"

    def get_mcu(self):
        return Mcu()

    def get_past_mcu_position(self, print_time):
        return {3.0: self._before_steps, 4.0: self._start_steps}[print_time]

    def dump_steps(self, count, first_clock, last_clock):
        return [], 0

    def get_step_dist(self):
        return STEP_MM

    def get_mcu_position(self):
        return self._sent_steps

    def mcu_to_commanded_position(self, steps):
        return steps * STEP_MM


class NoSignals:
    """Every endstop by itself."""

    def begin(self, homing_move):
        pass

    def end(self):
        return []

    def together(self, endstops):
        return [[name] for _, name in endstops]

    def layers(self, endstop):
        return []

    def trigger_time(self, endstop_name, mcu):
        return None


def read(
    start_steps, sent_steps, halt_steps, before_steps=None, trigger_time=0.0, is_doubted=False
):
    """The readings of a rail's two steppers, which came from a count before."""
    if before_steps is None:
        before_steps = start_steps
    steppers = [SentStepper(before_steps, start_steps, sent_steps) for _ in range(2)]
    steppers[1].get_name = lambda: "stepper_z1"
    endstop = Endstop(trigger_time)
    homing_move = SimpleNamespace(
        printer=SimpleNamespace(get_reactor=lambda: SimpleNamespace(monotonic=lambda: 3.0)),
        endstops=[(endstop, "z")],
        toolhead=SimpleNamespace(get_position=lambda: [0.0, 0.0, 0.0, 0.0]),
        stepper_positions=[
            SimpleNamespace(
                stepper=stepper,
                stepper_name=stepper.get_name(),
                endstop_name="z",
                start_pos=start_steps,
                trig_pos=999,
                halt_pos=halt_steps,
            )
            for stepper in steppers
        ],
    )
    rail = Rail("stepper_z", ("z",), steppers)
    state = SyncState(["stepper_z"])
    if is_doubted:
        state.note_miscount("stepper_z", "a test")
    span = HomingSpan(homing_move, [rail], state, NoSignals())
    home(endstop)
    span.stop()
    [found] = span.readings()
    assert [reading.halt_steps for reading in found.readings] == [halt_steps] * 2
    return found


def missed(endstop_names):
    """What is known of a move whose start was missed; each stepper has one of the endstops."""
    steppers = [SentStepper(20, 20, 40) for _ in range(2)]
    steppers[1].get_name = lambda: "stepper_z1"
    homing_move = SimpleNamespace(
        endstops=[(Endstop(5.0), name) for name in dict.fromkeys(endstop_names)],
        stepper_positions=[
            SimpleNamespace(stepper_name=stepper.get_name(), endstop_name=name)
            for stepper, name in zip(steppers, endstop_names)
        ],
    )
    rail = Rail("stepper_z", ("z",), steppers)
    return HomingSpan(homing_move, [rail], SyncState(["stepper_z"]), NoSignals())


def test_start_that_was_missed_matters_to_steppers_of_one_endstop_alone():
    with pytest.raises(PlanError, match="the begin of a homing move was missed"):
        missed(["z", "z"]).readings()
    assert missed(["z", "z1"]).readings() == []


@pytest.mark.parametrize("start_steps, sent_steps", [(40, 20), (20, 40), (20, 20)])
def test_count_on_the_way_that_a_stepper_was_sent_is_read(start_steps, sent_steps):
    first, last = sorted((start_steps, sent_steps))
    # The host rounds, by a step at either end
    for halt_steps in range(first - 1, last + 2):
        assert read(start_steps, sent_steps, halt_steps).error == ""


@pytest.mark.parametrize("start_steps, sent_steps", [(40, 20), (20, 40), (20, 20)])
@pytest.mark.parametrize("beyond_steps", [2, 3, 1000])
def test_count_beyond_the_way_that_a_stepper_was_sent_is_an_error(
    start_steps, sent_steps, beyond_steps
):
    first, last = sorted((start_steps, sent_steps))
    for halt_steps in (first - beyond_steps, last + beyond_steps):
        with pytest.raises(CountError) as raised:
            read(start_steps, sent_steps, halt_steps)
        assert str(raised.value) == (
            "MCU 'z1' counts %d steps for 'stepper_z', which was sent from %d to %d: check the"
            " power and the cable of this MCU, then FIRMWARE_RESTART and home again"
            % (halt_steps, start_steps, sent_steps)
        )


@pytest.mark.parametrize("before_steps, halts", [(60, range(42, 62)), (39, [])])
def test_stepper_that_was_stopped_in_the_move_before_is_an_error_of_its_rail(before_steps, halts):
    for halt_steps in halts:
        assert read(40, 20, halt_steps, before_steps).error == (
            "MCU 'z1' has stopped 'stepper_z' before the homing move began, in the one before: the"
            " endstop triggered too early, or the link failed: lift the toolhead further or check"
            " the link to this MCU, and home again"
        )
    for halt_steps in (max(before_steps, 40) + 2, 18):
        with pytest.raises(CountError):
            read(40, 20, halt_steps, before_steps)


@pytest.mark.parametrize(
    "start_steps, sent_steps, before_steps, halts",
    [(40, 20, 60, (42, 61)), (20, 40, 10, (9, 18)), (20, 40, 60, (42, 61)), (40, 20, 10, (9, 18))],
)
def test_count_at_either_end_of_the_move_before_is_one_of_it(
    start_steps, sent_steps, before_steps, halts
):
    # The host rounds here too
    for halt_steps in halts:
        error = read(start_steps, sent_steps, halt_steps, before_steps).error
        assert "has stopped 'stepper_z' before the homing move began" in error


@pytest.mark.parametrize("trigger_time", [0.0, 3.5, 8.0])
def test_trigger_position_that_nobody_knows_is_where_the_stepper_halted(trigger_time):
    found = read(40, 20, 25, trigger_time=trigger_time)
    assert not found.triggered
    assert [reading.trigger_steps for reading in found.readings] == [25, 25]


@pytest.mark.parametrize("start_steps, sent_steps, sign", [(40, 20, -1), (20, 40, 1), (20, 20, 0)])
def test_of_a_doubted_count_only_the_direction_is_read(start_steps, sent_steps, sign):
    # Far from where the host takes it to be
    found = read(start_steps, sent_steps, 1000, trigger_time=3.5, is_doubted=True)
    assert (found.error, found.triggered) == ("", False)
    for reading in found.readings:
        assert (reading.trigger_steps, reading.halt_steps) == (1000, 1000)
        assert reading.halt_steps - reading.start_steps == sign
