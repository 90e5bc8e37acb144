# The state of a rail
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from resync.plan import StepperReading
from resync.sync_state import SyncState

READINGS = [
    StepperReading("stepper_z", 0.01, 0.0, 0, -100, -102),
    StepperReading("stepper_z1", 0.01, 0.0, 0, -100, -150),
]
NAMES = ["stepper_z", "stepper_z1"]


@pytest.fixture
def state():
    return SyncState(["z", "x"])


def test_nothing_is_known_at_first(state):
    assert state.get("z").in_sync is None


def test_corrected_rail_is_in_sync(state):
    state.note_corrected("z", NAMES)
    assert state.get("z") == (True, "")
    assert state.get("x").in_sync is None


def test_skewed_rail_remembers_by_how_much(state):
    state.note_skewed("z", READINGS, "too far")
    assert state.get("z") == (False, "too far")
    assert state.skew_mm == pytest.approx({"stepper_z": 0.0, "stepper_z1": -0.48})


def test_correction_ends_the_skew(state):
    state.note_skewed("z", READINGS, "too far")
    state.note_corrected("z", NAMES)
    assert state.get("z").in_sync is True
    assert state.skew_mm == {}


def test_motors_off_forgets_what_was_in_sync_but_not_what_was_not(state):
    state.note_corrected("x", ["stepper_x"])
    state.note_skewed("z", READINGS, "too far")
    state.forget(["x", "z"], "motors off")
    assert state.get("x") == (None, "motors off")
    assert state.get("z").in_sync is False
    assert state.skew_mm


def test_lost_rail_keeps_the_skew_that_is_known(state):
    state.note_skewed("z", READINGS, "too far")
    state.lose("z", "no count from an MCU")
    assert state.get("z") == (False, "no count from an MCU")
    assert state.skew_mm["stepper_z1"] == pytest.approx(-0.48)


def test_skew_of_a_stepper_that_was_moved_alone_stays_known(state):
    state.note_skewed("z", READINGS, "too far")
    state.note_moved("stepper_z1", 0.5)
    assert state.skew_mm == pytest.approx({"stepper_z": 0.0, "stepper_z1": 0.02})


def test_move_of_a_stepper_whose_skew_is_unknown_makes_it_no_better_known(state):
    state.note_moved("stepper_z1", 0.5)
    assert state.skew_mm == {}
