# What is remembered of homing moves
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from resync.model.rail_result import RailResult
from resync.report.history import MOST_WAITING, History

from helpers.resync_results import result


def test_last_move_and_their_number_are_remembered():
    history = History()
    assert history.moves == (0, (), "")
    moves = [result(3, 5)], [result(4, 4)]
    for results in moves:
        history.note_homing_move(results, "")
    history.note_homing_move([], "too far")
    assert history.moves == (3, (), "too far")


def test_move_is_not_corrected_until_that_is_said():
    planned = result(2, 4)
    assert not RailResult(planned.part, planned.plan).corrected


def test_latency_is_the_time_that_the_overshoot_took():
    stopped = result(2, 4)
    assert [stopped.latency_ms(c) for c in stopped.plan.corrections] == pytest.approx([1.0, 2.0])
    assert stopped.has_stops()
    assert result(2, 4, speed_mm_s=0.1).has_stops()
    for standing in (
        result(2, 4, speed_mm_s=0.0),
        stopped._replace(part=stopped.part._replace(triggered=False)),
        stopped._replace(part=stopped.part._replace(speed_mm_s=0.0)),
    ):
        assert not standing.has_stops()
        assert [standing.latency_ms(c) for c in standing.plan.corrections] == [0.0, 0.0]


def test_statistics_are_of_stops_and_can_be_started_anew():
    history = History()
    for results in ([result(2, 4)], [result(0, 0, speed_mm_s=0.0)], [result(4, 8)]):
        history.note_homing_move(results, "")
    handed_out = history.statistics
    assert {n: s.overshoot_mm.number for n, s in handed_out.items()} == {
        "stepper_z": 2,
        "stepper_z1": 2,
    }
    assert handed_out["stepper_z1"].overshoot_mm.mean == pytest.approx(0.015)
    history.reset_statistics()
    assert history.statistics == {}
    assert len(handed_out) == 2


@pytest.mark.parametrize("moves", [MOST_WAITING - 1, MOST_WAITING, 2 * MOST_WAITING + 1])
def test_statistics_are_of_all_moves_however_late_they_are_asked_for(moves):
    history = History()
    for number in range(moves):
        history.note_homing_move([result(number, number)], "")
        assert len(history._waiting) < MOST_WAITING
    stops = history.statistics["stepper_z"].overshoot_mm
    assert stops.number == moves
    assert stops.maximum == history.moves.last[0].plan.corrections[0].overshoot_mm


def test_reset_drops_moves_that_nobody_has_asked_for():
    history = History()
    history.note_homing_move([result(2, 4)], "")
    history.reset_statistics()
    assert history.statistics == {}


def test_run_collects_its_own_moves_in_another_one_too():
    history = History()
    history.note_homing_move([result(1, 1)], "")
    with history.run() as outer:
        history.note_homing_move([result(2, 2)], "")
        with pytest.raises(ValueError), history.run() as inner:
            history.note_homing_move([result(3, 3)], "")
            raise ValueError
        history.note_homing_move([result(4, 4)], "")
    history.note_homing_move([result(5, 5)], "")
    overshoots = [[m[0].plan.corrections[0].overshoot_steps for m in run] for run in (outer, inner)]
    assert overshoots == [[2, 3, 4], [3]]
