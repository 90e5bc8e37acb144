# Which homing moves are watched, and that nothing is left of them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

import pytest
from resync.homing_moves import HomingMoves
from resync.sync_state import SyncState


def make_endstop():
    """An endstop of a class of its own, since its functions' code is swapped."""

    class Endstop:
        def home_start(self, print_time):
            return "completion"

        def home_wait(self, home_end_time):
            return 5.0

    return Endstop()


class Signals:
    def __init__(self):
        self.story = []

    def begin(self, homing_move):
        self.story.append("begin " + homing_move.name)

    def end(self):
        self.story.append("end")
        return []


class Printer:
    """Two homing moves to one endstop, the second within the first."""

    def __init__(self):
        self.endstop = make_endstop()
        self.outer, self.inner = (
            SimpleNamespace(
                name=name,
                endstops=[(self.endstop, "z")],
                toolhead=SimpleNamespace(get_position=lambda: [0.0] * 4),
                stepper_positions=[],
            )
            for name in ("outer", "inner")
        )
        self.signals = Signals()
        self.host_moves = [self.outer, self.inner]
        self.moves = HomingMoves([], SyncState([]), self.signals, self.host_moves)
        self.before = self.code()

    def code(self):
        functions = self.endstop.home_start, self.endstop.home_wait
        return [function.__func__.__code__ for function in functions], vars(self.endstop)

    def home(self, homing_move):
        self.endstop.home_start(3.0)
        assert self.endstop.home_wait(7.0) == 5.0
        span = self.moves.find(homing_move)
        assert span.trigger_times == {"z": 5.0}
        self.moves.end(span)


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
        "begin outer", "end", "begin inner", "end", "begin outer", "end"
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
