# Steppers that are moved alone, by hand and by other extras
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

from resync.host.patches import Patches
from resync.model.rail import Rail
from resync.state.force_move_watch import ForceMoveWatch
from resync.state.sync_state import SyncState


class Stepper:
    """One whose mapping follows its steps."""

    def __init__(self, name):
        self.name = name
        self.offset_mm = 0.0

    def get_name(self):
        return self.name

    def get_mcu(self):
        return SimpleNamespace(get_name=lambda: "mcu of " + self.name)

    def get_step_dist(self):
        return 0.01

    def mcu_to_commanded_position(self, steps):
        return -self.offset_mm


class ForceMove:
    """The host's own, which other extras use too."""

    def manual_move(self, stepper, dist, speed, accel=0.0):
        stepper.offset_mm += dist

    def cmd_FORCE_MOVE(self, gcmd):
        self.manual_move(gcmd.stepper, 0.05, 1.0)

    def cmd_STEPPER_BUZZ(self, gcmd):
        pass


class Printer:
    """A rail in step, and who watches it."""

    is_shut_down = False

    def __init__(self):
        self.force_move = ForceMove()
        self.steppers = [Stepper("stepper_z"), Stepper("stepper_z1")]
        rail = Rail("stepper_z", ("z",), self.steppers)
        self.state = SyncState([rail.name])
        self.state.note_corrected(rail.name, rail.stepper_names)
        ForceMoveWatch(self, [rail], self.state, Patches())

    def lookup_object(self, name, default):
        return self.force_move

    def is_shutdown(self):
        return self.is_shut_down

    def is_in_sync(self):
        return self.state.get("stepper_z").in_sync


def test_stepper_that_another_extra_moves_stays_in_step():
    printer = Printer()
    printer.force_move.manual_move(printer.steppers[0], 0.05, 1.0)
    assert printer.is_in_sync()


def test_stepper_that_is_moved_by_hand_is_out_of_step():
    printer = Printer()
    printer.force_move.cmd_FORCE_MOVE(SimpleNamespace(stepper=printer.steppers[0]))
    assert printer.is_in_sync() is False


def test_move_of_another_extra_after_one_by_hand_is_not_by_hand():
    printer = Printer()
    for stepper in printer.steppers:
        printer.force_move.cmd_FORCE_MOVE(SimpleNamespace(stepper=stepper))
    assert printer.is_in_sync()
    printer.force_move.manual_move(printer.steppers[0], 0.05, 1.0)
    assert printer.is_in_sync()


def test_steppers_that_were_moved_by_hand_alike_have_no_skew():
    printer = Printer()
    for stepper in printer.steppers:
        printer.force_move.cmd_FORCE_MOVE(SimpleNamespace(stepper=stepper))
    assert printer.is_in_sync()
    assert printer.state.skew_mm == {}


def test_move_by_hand_that_a_shutdown_ends_goes_an_unknown_way():
    printer = Printer()
    printer.is_shut_down = True
    printer.force_move.cmd_FORCE_MOVE(SimpleNamespace(stepper=printer.steppers[1]))
    state = printer.state.get("stepper_z")
    assert state.in_sync is False and not state.is_skew_known
    assert state.reason == "a move of 'stepper_z1' alone was interrupted"


def test_stepper_of_no_rail_moves_as_ever():
    printer, extruder = Printer(), Stepper("extruder")
    printer.force_move.cmd_FORCE_MOVE(SimpleNamespace(stepper=extruder))
    assert extruder.offset_mm == 0.05
    assert printer.is_in_sync()
