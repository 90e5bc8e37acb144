# Which homing moves are watched, and that nothing is left of them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

import pytest
from resync.homing.homing_moves import HomingMoves
from resync.homing.losses import GIVEN_UP, Losses
from resync.homing.span import BEGIN_MISSED
from resync.model.plan import PlanError
from resync.model.rail import Rail
from resync.pins.signal_pin import PinError
from resync.state.sync_state import SyncState


def make_endstop():
    """An endstop of a class of its own, since its functions' code is swapped."""

    class Endstop:
        def home_start(self, print_time):
            return "completion"

        def home_wait(self, home_end_time):
            return 5.0

    return Endstop()


class HostError(Exception):
    """The host's command_error."""


class Signals:
    def __init__(self):
        self.story = []
        # Names of the homing moves whose signals have something wrong now
        self.broken = set()

    def begin(self, homing_move):
        self.story.append("begin " + homing_move.name)
        if homing_move.name in self.broken:
            raise PinError("no answer")

    def end(self):
        self.story.append("end")
        return []

    def trigger_time(self, endstop_name, mcu):
        return None

    def together(self, endstops):
        return [[name] for _, name in endstops]

    def layers(self, endstop):
        return []


class Mcu:
    @staticmethod
    def get_name():
        return "mcu"

    @staticmethod
    def estimated_print_time(eventtime):
        return 0.0


class Stepper:
    """One that stands still."""

    def __init__(self, name):
        self.name = name
        self.get_past_mcu_position = lambda print_time: 0

    def get_name(self):
        return self.name

    def get_mcu_position(self):
        return 0

    def get_mcu(self):
        return Mcu

    def get_step_dist(self):
        return 0.01

    def mcu_to_commanded_position(self, steps):
        return 0.01 * steps


class HomingMove:
    def __init__(self, **fields):
        vars(self).update(fields)


class Printer:
    """Two homing moves of one rail to one endstop, the second within the first."""

    def __init__(self):
        self.endstop = make_endstop()
        self.rail = Rail("stepper_z", ("z",), [Stepper("stepper_z"), Stepper("stepper_z1")])
        positions = [
            SimpleNamespace(
                stepper=stepper,
                stepper_name=stepper.name,
                endstop_name="z",
                start_pos=0,
                trig_pos=0,
                halt_pos=0,
            )
            for stepper in self.rail.steppers
        ]
        reactor = SimpleNamespace(monotonic=lambda: 0.0)
        self.outer, self.inner = (
            HomingMove(
                name=name,
                endstops=[(self.endstop, "z")],
                toolhead=SimpleNamespace(get_position=lambda: [0.0] * 4),
                stepper_positions=positions,
                printer=SimpleNamespace(command_error=HostError, get_reactor=lambda: reactor),
            )
            for name in ("outer", "inner")
        )
        self.signals = Signals()
        self.host_moves = [self.outer, self.inner]
        self.state = SyncState([self.rail.name])
        self.losses = Losses([self.rail], self.state)
        self.moves = HomingMoves(
            [self.rail], self.state, self.signals, self.host_moves, self.losses
        )
        self.before = self.code()

    def code(self):
        functions = self.endstop.home_start, self.endstop.home_wait
        return [function.__func__.__code__ for function in functions], vars(self.endstop)

    def home(self, homing_move):
        self.endstop.home_start(3.0)
        assert self.endstop.home_wait(7.0) == 5.0
        span = self.moves.find(homing_move)
        assert span.trigger_times == {"z": 5.0}
        assert len(span.readings()) == 1
        return self.moves.end(span)

    def rail_state(self):
        state = self.state.get(self.rail.name)
        return state.in_sync, state.reason, state.is_skew_known


@pytest.fixture
def printer():
    return Printer()


def test_endstops_are_left_as_they_were_found(printer):
    printer.moves.begin(printer.outer)
    assert printer.code() != printer.before
    printer.home(printer.outer)
    assert printer.code() == printer.before
    assert not printer.moves.is_any()


def test_one_move_at_a_time_is_watched_and_nothing_is_left_of_any(printer):
    printer.moves.begin(printer.outer)
    printer.moves.begin(printer.inner)
    printer.home(printer.inner)
    # The motion of the other is still to come
    assert not printer.moves.find(printer.outer).is_started
    assert printer.moves.find(printer.outer).trigger_times == {}
    printer.home(printer.outer)
    assert printer.signals.story == [
        "begin outer",
        "end",
        "begin inner",
        "end",
        "begin outer",
        "end",
    ]
    assert printer.code() == printer.before
    assert not printer.moves.is_any()


def test_move_that_the_host_has_left_is_forgotten_at_the_next_begin(printer):
    printer.moves.begin(printer.outer)
    printer.host_moves.remove(printer.outer)
    printer.moves.begin(printer.inner)
    assert printer.moves.find(printer.outer) is None
    printer.home(printer.inner)
    assert printer.code() == printer.before
    assert not printer.moves.is_any()


def test_move_that_is_left_without_its_end_is_ended(printer):
    printer.moves.begin(printer.outer)
    printer.moves.leave(printer.outer)
    assert printer.code() == printer.before
    assert printer.signals.story == ["begin outer", "end"]
    assert not printer.moves.is_any()


def test_move_is_watched_again_if_one_within_it_cannot_begin(printer):
    printer.moves.begin(printer.outer)
    printer.signals.broken = {"inner"}
    with pytest.raises(HostError, match="^multi_mcu_resync: no answer$"):
        printer.moves.begin(printer.inner)
    assert printer.moves.find(printer.inner) is None
    assert printer.home(printer.outer) == []
    assert printer.code() == printer.before
    assert not printer.moves.is_any()


def end_inner(printer):
    printer.home(printer.inner)


def leave_inner(printer):
    printer.moves.leave(printer.inner)


def leave_inner_with_armed_endstops(printer):
    printer.endstop.home_start(3.0)
    printer.moves.leave(printer.inner)
    assert printer.rail_state() == (False, GIVEN_UP, False)


@pytest.mark.parametrize("finish", [end_inner, leave_inner, leave_inner_with_armed_endstops])
def test_signals_that_cannot_be_watched_again_are_a_fault_of_the_move_they_belong_to(
    printer, finish
):
    printer.moves.begin(printer.outer)
    printer.moves.begin(printer.inner)
    printer.signals.broken = {"outer"}
    finish(printer)
    # The move itself is watched all the same
    assert printer.home(printer.outer) == ["no answer"]
    assert printer.code() == printer.before
    assert not printer.moves.is_any()


def test_fault_of_signals_is_told_once(printer):
    printer.moves.begin(printer.outer)
    for broken in ({"outer"}, set()):
        printer.moves.begin(printer.inner)
        printer.signals.broken = broken
        assert printer.home(printer.inner) == []
    assert printer.home(printer.outer) == []


@pytest.mark.parametrize("finish", ["end", "leave"])
def test_move_within_another_that_is_over_is_over_too(printer, finish):
    printer.moves.begin(printer.outer)
    # Given up, and of a class whose function the host does not leave
    printer.moves.begin(printer.inner)
    if finish == "end":
        printer.moves.end(printer.moves.find(printer.outer))
    else:
        printer.moves.leave(printer.outer)
    assert printer.code() == printer.before
    assert not printer.moves.is_any()


def test_move_whose_begin_was_missed_is_an_error_and_loses_the_rail(printer):
    printer.moves.begin(printer.outer)
    span = printer.moves.find(printer.outer)
    # Nobody has seen its endstop armed
    with pytest.raises(PlanError, match=BEGIN_MISSED):
        span.readings()
    printer.losses.not_corrected(span, (), BEGIN_MISSED)
    assert printer.rail_state() == (False, BEGIN_MISSED, False)
