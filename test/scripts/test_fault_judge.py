# What the fault campaign takes for a silent skew, and what for a false alarm
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.developer.faults.judge import Claim, RailJudge, Step, Verdict

STEP_MM = 0.0025
LEVEL = Claim(True)
IN_SYNC = Claim(True, True, "not levelled since the start")
NOT_IN_SYNC = Claim(False)
UNKNOWN = Claim(None, True, "not levelled since the start")
NOTHING, EXCUSED = Step(), Step(is_excused=True)
SETTLED, ACCEPTED = Step(is_settled=True), Step(is_accepted=True)
# After a fault it levels away what nobody knew
MENDED = Step(is_settled=True, is_excused=True)


def offsets(skew_mm, common_mm=0.0):
    return {"stepper_z": 0.3 + common_mm, "stepper_z1": -0.2 + common_mm + skew_mm}


def judge(*looks, before=LEVEL):
    """The verdict on the last of some looks: skew (mm), claim, step."""
    rail = RailJudge("z", STEP_MM, offsets(0.0), before)
    verdict = Verdict()
    for skew_mm, claim, step in looks:
        verdict = rail.judge(offsets(skew_mm), claim, step)
    return verdict


def found(verdict):
    names = ("silent_skew", "false_alarm", "other")
    return [name for name in names if getattr(verdict, name)]


@pytest.mark.parametrize(
    ("before", "claim", "skew_mm", "step", "expected"),
    [
        # What is claimed is true
        (LEVEL, LEVEL, 0.0, NOTHING, []),
        (LEVEL, LEVEL, STEP_MM, NOTHING, []),
        (IN_SYNC, IN_SYNC, 0.0, NOTHING, []),
        (UNKNOWN, UNKNOWN, 1.0, NOTHING, []),
        (LEVEL, NOT_IN_SYNC, 1.0, EXCUSED, []),
        (LEVEL, NOT_IN_SYNC, 0.0, EXCUSED, []),
        (LEVEL, UNKNOWN, 1.0, EXCUSED, []),
        (LEVEL, IN_SYNC, 1.0, EXCUSED, []),
        # Skews that are denied, whether or not a fault has struck
        (LEVEL, LEVEL, 0.01, NOTHING, ["silent_skew"]),
        (LEVEL, LEVEL, -0.01, EXCUSED, ["silent_skew"]),
        (IN_SYNC, IN_SYNC, 0.01, EXCUSED, ["silent_skew"]),
        (NOT_IN_SYNC, LEVEL, 0.01, EXCUSED, ["silent_skew"]),
        (UNKNOWN, LEVEL, 0.01, EXCUSED, ["silent_skew"]),
        (UNKNOWN, IN_SYNC, 0.01, EXCUSED, ["silent_skew"]),
        # Alarms without anything to be alarmed about
        (LEVEL, NOT_IN_SYNC, 0.0, NOTHING, ["false_alarm"]),
        (UNKNOWN, NOT_IN_SYNC, 0.0, NOTHING, ["false_alarm"]),
        (LEVEL, UNKNOWN, 0.0, NOTHING, ["false_alarm"]),
        (LEVEL, IN_SYNC, 0.0, NOTHING, ["false_alarm"]),
        # Levelling settles what is asked for, and nothing else
        (IN_SYNC, LEVEL, 0.0, SETTLED, []),
        (IN_SYNC, LEVEL, 0.3, MENDED, []),
        (IN_SYNC, LEVEL, 0.3, SETTLED, ["silent_skew"]),
        (LEVEL, LEVEL, 0.3, SETTLED, ["silent_skew"]),
        (IN_SYNC, IN_SYNC, 0.0, SETTLED, ["false_alarm"]),
        # What the owner accepts is no skew
        (NOT_IN_SYNC, LEVEL, 0.3, ACCEPTED, []),
        (IN_SYNC, IN_SYNC, 0.0, ACCEPTED, ["false_alarm"]),
        # A skew that nothing accounts for, and that is not denied
        (LEVEL, NOT_IN_SYNC, 0.3, NOTHING, ["other"]),
    ],
)
def test_claim_is_compared_with_the_truth(before, claim, skew_mm, step, expected):
    assert found(judge((skew_mm, claim, step), before=before)) == expected


def test_small_gains_add_up():
    creeping = [(0.001 * i, IN_SYNC, NOTHING) for i in range(4)]
    assert found(judge(*creeping[:3], before=IN_SYNC)) == []
    assert found(judge(*creeping, before=IN_SYNC)) == ["silent_skew"]


def test_homing_keeps_a_skew_that_is_not_known():
    stopped = [(0.4, UNKNOWN, EXCUSED), (0.4, IN_SYNC, EXCUSED)]
    assert found(judge(*stopped)) == []
    assert found(judge(*stopped[:1], (0.4, LEVEL, EXCUSED))) == ["silent_skew"]
    assert found(judge(*stopped, (0.0, LEVEL, MENDED), (0.0, LEVEL, NOTHING))) == []


def test_homing_may_mend_a_skew_that_is_known_and_must_not_make_another():
    assert found(judge((0.4, NOT_IN_SYNC, EXCUSED), (0.0, LEVEL, EXCUSED))) == []
    known = (0.4, IN_SYNC._replace(in_sync=False), EXCUSED)
    assert found(judge(known, (0.0, IN_SYNC, EXCUSED), before=IN_SYNC)) == []
    assert found(judge(known, (0.2, IN_SYNC, EXCUSED), before=IN_SYNC)) == ["silent_skew"]


def test_skew_after_levelling_refers_to_the_levelling():
    levelled = [(0.3, LEVEL, MENDED)]
    assert found(judge(*levelled, (0.3, LEVEL, NOTHING), before=IN_SYNC)) == []
    assert found(judge(*levelled, (0.0, LEVEL, NOTHING), before=IN_SYNC)) == ["silent_skew"]


def test_skew_that_was_found_is_not_found_again():
    assert found(judge((0.3, LEVEL, NOTHING), (0.3, LEVEL, NOTHING))) == []


def test_alarm_that_goes_on_is_one_alarm():
    alarm = (0.0, NOT_IN_SYNC, NOTHING)
    assert found(judge(alarm)) == ["false_alarm"]
    assert found(judge(alarm, alarm)) == []
    assert found(judge(alarm, (0.0, LEVEL, NOTHING), alarm)) == ["false_alarm"]


def test_another_reason_to_level_is_another_incident():
    again = Claim(True, True, "FORCE_MOVE was interrupted")
    assert found(judge((0.3, again, EXCUSED), before=IN_SYNC)) == []
    assert found(judge((0.3, again, EXCUSED), (0.0, again, EXCUSED), before=IN_SYNC)) == [
        "silent_skew"
    ]


def test_what_is_still_reported_after_homing_and_levelling():
    rail = RailJudge("z", STEP_MM, offsets(0.0), LEVEL)
    assert rail.still_reported(LEVEL) == ""
    assert "not levelled since the start" in rail.still_reported(IN_SYNC)
    for claim in (NOT_IN_SYNC, UNKNOWN):
        assert "in sync" in rail.still_reported(claim)


@given(
    common_mm=st.floats(-100.0, 100.0),
    skew_mm=st.floats(-1.0, 1.0),
    claim=st.sampled_from([LEVEL, IN_SYNC, NOT_IN_SYNC, UNKNOWN]),
)
def test_movement_that_all_steppers_share_is_no_skew(common_mm, skew_mm, claim):
    still, moving = (RailJudge("z", STEP_MM, offsets(0.0), LEVEL) for _ in range(2))
    expected = found(still.judge(offsets(round(skew_mm, 4)), claim, NOTHING))
    assert found(moving.judge(offsets(round(skew_mm, 4), common_mm), claim, NOTHING)) == expected


def test_steppers_with_endstops_of_their_own_are_left_to_their_owner():
    squared = Claim(None)
    for has_own_endstops in (True, False):
        rail = RailJudge("y", STEP_MM, offsets(0.0), LEVEL, has_own_endstops)
        assert bool(rail.judge(offsets(0.0), squared, NOTHING).false_alarm) != has_own_endstops
        assert bool(rail.still_reported(squared)) != has_own_endstops
        assert rail.still_reported(NOT_IN_SYNC)


def test_steps_that_are_lost_right_after_levelling_are_put_back_to_where_it_left_them():
    lost = (-2 * STEP_MM, NOT_IN_SYNC, MENDED)
    assert found(judge(lost, (0.0, LEVEL, EXCUSED), before=IN_SYNC)) == []
    # Homing that does not put them back
    assert found(judge(lost, (-2 * STEP_MM, LEVEL, EXCUSED), before=IN_SYNC)) == ["silent_skew"]
