# The state of a rail
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from resync.state.sync_state import RailState, SyncState

NAMES = ["stepper_z", "stepper_z1"]
SKEW_MM = {"stepper_z": 0.0, "stepper_z1": -0.48}


@pytest.fixture
def state():
    return SyncState(["z", "x"])


def test_nothing_is_known_at_first(state):
    assert state.get("z") == (None, "not homed yet", "not levelled since the start", False)


def test_corrected_rail_is_in_sync_but_not_level_for_that(state):
    state.note_corrected("z", NAMES)
    assert state.get("z")[:3] == (True, "", "not levelled since the start")
    assert state.get("x").in_sync is None


def test_levelled_rail_need_not_be_levelled(state):
    state.note_corrected("z", NAMES)
    state.note_level("z")
    assert state.get("z") == (True, "", "", False)
    assert state.get("x").level_reason


def test_skewed_rail_remembers_by_how_much_and_is_as_level_as_before(state):
    state.note_level("z")
    state.note_skewed("z", SKEW_MM, "too far")
    assert state.get("z") == (False, "too far", "", True)
    assert state.skew_mm == SKEW_MM


def test_correction_ends_the_skew(state):
    state.note_skewed("z", SKEW_MM, "too far")
    state.note_corrected("z", NAMES)
    assert state.get("z").in_sync is True
    assert not state.get("z").is_skew_known
    assert state.skew_mm == {}


def test_motors_off_forgets_what_was_in_sync_but_not_what_was_not(state):
    state.note_corrected("x", ["stepper_x"])
    state.note_skewed("z", SKEW_MM, "too far")
    state.forget(["x", "z"], "motors off")
    assert state.get("x")[:2] == (None, "motors off")
    assert state.get("z").in_sync is False
    # Homing puts it back as far as it is known; RESYNC would promise too much
    assert state.skew_mm
    assert not state.get("z").is_skew_known


def test_rail_that_was_never_homed_stays_so_with_motors_off(state):
    state.forget(["x"], "motors off")
    assert state.get("x")[:2] == (None, "not homed yet")


@pytest.mark.parametrize("before", ["motors off", "the motor of 'stepper_z1' was switched off"])
def test_shutdown_has_to_be_levelled_whatever_came_before_or_after(state, before):
    state.note_level("z")
    state.forget(["z"], before)
    assert state.get("z").level_reason == before
    state.forget(["z"], "the printer was shut down")
    state.forget(["z"], "motors off")
    assert state.get("z").level_reason == "the printer was shut down"


def test_lost_rail_keeps_what_is_known_of_its_skew_and_has_to_be_levelled(state):
    state.note_level("z")
    state.note_skewed("z", SKEW_MM, "too far")
    state.lose("z", "interrupted")
    assert state.get("z") == (False, "interrupted", "interrupted", False)
    assert state.skew_mm == SKEW_MM


def test_miscounted_rail_is_as_level_as_before(state):
    # Homing reads the count of the MCU, which knows
    state.note_level("z")
    state.note_corrected("z", NAMES)
    state.note_miscount("z", "counted 5, expected 3")
    assert state.get("z") == (False, "counted 5, expected 3", "", False)


def test_skew_of_a_stepper_that_was_moved_alone_is_known_if_it_was(state):
    state.note_skewed("z", SKEW_MM, "too far")
    state.note_moved("z", NAMES, "stepper_z1", 0.5, "moved")
    assert state.skew_mm == pytest.approx({"stepper_z": 0.0, "stepper_z1": 0.02})
    state.note_corrected("z", NAMES)
    state.note_moved("z", NAMES, "stepper_z", 0.5, "moved")
    assert state.skew_mm == pytest.approx({"stepper_z": 0.5, "stepper_z1": 0.0})
    assert state.get("z").is_skew_known


def test_move_of_a_stepper_whose_skew_is_unknown_makes_it_no_better_known(state):
    state.note_level("z")
    state.note_moved("z", NAMES, "stepper_z1", 0.5, "moved")
    assert state.get("z")[:3] == (None, "not homed yet", "moved")
    assert state.skew_mm == {}


def test_what_homing_puts_back_after_the_motors_were_off_has_later_moves_in_it(state):
    state.note_skewed("z", SKEW_MM, "too far")
    state.forget(["z"], "motors off")
    state.note_moved("z", NAMES, "stepper_z1", 0.5, "moved")
    assert state.skew_mm == pytest.approx({"stepper_z": 0.0, "stepper_z1": 0.02})
    assert state.get("z") == (False, "too far", "moved", False)


def test_rail_that_no_command_levels_needs_it_only_after_an_incident(state):
    state.note_unlevelled(["x"])
    assert state.get("x").level_reason == ""
    state.note_corrected("x", ["stepper_x"])
    state.forget(["x"], "motors off")
    assert state.get("x")[1:3] == ("motors off", "")
    state.lose("x", "interrupted")
    assert state.get("x").level_reason == "interrupted"
    assert state.get("z").level_reason == "not levelled since the start"


def test_incidents_outlive_a_restart_and_everyday_reasons_do_not():
    before = SyncState(["z", "x", "y", "a"])
    before.note_level("z")
    before.note_corrected("z", NAMES)
    before.forget(["x"], "motors off")
    before.forget(["y"], "the printer was shut down")
    before.note_skewed("a", {"stepper_a": 0.1}, "too far")
    assert before.incidents() == {"y": "the printer was shut down", "a": "too far"}
    after = SyncState(["z", "x", "y"])
    after.note_incidents(before.incidents())
    assert after.get("y")[:3] == (None, "not homed yet", "the printer was shut down")
    assert after.get("z").level_reason == "not levelled since the start"


def test_reason_of_what_is_not_known_is_the_last_one(state):
    state.note_corrected("z", NAMES)
    for reason in ("motors off", "the printer was shut down", "motors off"):
        state.forget(["z", "x"], reason)
        assert state.get("z")[:2] == (None, reason)
    assert state.get("x")[:2] == (None, "not homed yet")


def test_what_was_noted_can_be_undone(state):
    before = state.get("z")
    state.lose("z", "moved")
    state.restore("z", before)
    assert state.get("z") == before


@pytest.mark.parametrize(
    "put_right",
    [
        lambda state: state.note_corrected("z", NAMES),
        lambda state: state.note_level("z"),
        lambda state: state.note_squared("z", NAMES),
        lambda state: state.restore("z", RailState(True, "", "")),
    ],
)
def test_nothing_is_put_right_after_a_shutdown(state, put_right):
    state.note_corrected("z", NAMES)
    state.note_level("z")
    state.close()
    put_right(state)
    assert state.get("z") == (None, "the printer was shut down", "the printer was shut down", False)
