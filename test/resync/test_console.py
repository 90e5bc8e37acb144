# What the commands say of axes, homing moves, statistics and limits
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

import pytest
from resync.model.following_error import Limits
from resync.model.limit_settings import LimitSettings
from resync.model.rail import Rail
from resync.model.running_statistics import StopStatistics
from resync.report import console
from resync.report.history import History, Moves
from resync.report.homing_report import HomingReport
from resync.state.sync_state import RailState

from helpers.resync_results import RAIL, result

BOTH = Rail(RAIL.name, ("y", "z"), RAIL.steppers)


@pytest.mark.parametrize(
    "state, lines",
    [
        (RailState(True, "", ""), ["axis y: in sync", "axis z: in sync"]),
        (RailState(None, "off"), ["axis y: not known, off", "axis z: not known, off"]),
        (RailState(False, "far"), ["axis y: not in sync, far", "axis z: not in sync, far"]),
    ],
)
def test_each_axis_of_a_rail_has_its_line(state, lines):
    assert console.axis_lines([BOTH], [state], {}) == lines


def test_no_state_is_taken_for_an_error_by_klipperscreen():
    lines = "\n".join(console.STATE_WORDS.values()).lower()
    assert "unknown" not in lines and "!!" not in lines


def test_axis_that_is_in_step_but_may_not_be_level_has_a_line_with_what_to_do():
    state = RailState(True, "", "the printer was shut down")
    assert console.axis_lines([RAIL], [state], {RAIL.name: "Z_TILT_ADJUST"})[1:] == [
        "axis z may not be level: the printer was shut down. Run Z_TILT_ADJUST,"
        " or RESYNC CLEAR=1 AXIS=z if it is level"
    ]
    assert console.axis_lines([RAIL], [state], {})[1:] == [
        "axis z may not be square: the printer was shut down. See that it is square,"
        " and run RESYNC CLEAR=1 AXIS=z"
    ]


def test_advice_after_homing_names_the_command_that_levels_the_axis():
    said = []
    printer = SimpleNamespace(lookup_object=lambda name: SimpleNamespace(respond_info=said.append))
    report = HomingReport(printer, History())
    report.note_levelling({RAIL.name: "QUAD_GANTRY_LEVEL"})
    report.note_in_step(RAIL, RailState(True, "", "the printer was shut down"))
    assert said == [
        "multi_mcu_resync: axis z may not be level: the printer was shut down."
        " Run QUAD_GANTRY_LEVEL, or RESYNC CLEAR=1 AXIS=z if it is level"
    ]


@pytest.mark.parametrize(
    "axes, line",
    [
        (0, "No axis was out of step"),
        (1, "1 axis has been put back in step"),
        (2, "2 axes have been put back in step"),
    ],
)
def test_axes_that_were_put_back_are_counted_in_words_that_fit(axes, line):
    assert console.put_back_line(axes) == line


def test_homing_move_is_told_with_every_stepper():
    lines = console.move_lines(Moves(7, (result(2, 4),), ""))
    assert lines == [
        "Last of 7 homing moves:",
        "stepper_z: probe triggered, corrected, speed 5.0 mm/s",
        "  stepper_z: overshoot 2 steps (0.005000 mm, 1.000 ms), correction 2 steps"
        " (0.005000 mm), residual 0.000000 mm",
        "  stepper_z1: overshoot 4 steps (0.010000 mm, 2.000 ms), correction 4 steps"
        " (0.010000 mm), residual 0.000000 mm",
    ]


def test_one_step_is_no_steps_and_next_to_nothing_has_no_sign():
    one = result(1, -1)
    corrections = [c._replace(residual_mm=-1e-10) for c in one.plan.corrections]
    one = one._replace(plan=one.plan._replace(corrections=corrections))
    lines = console.move_lines(Moves(1, (one,), ""))
    assert lines[0] == "Last of 1 homing move:"
    assert "overshoot 1 step (0.002500 mm" in lines[2]
    assert "overshoot -1 step (-0.002500 mm" in lines[3]
    assert [line.rpartition("residual ")[2] for line in lines[2:]] == ["0.000000 mm"] * 2


def test_figures_of_statistics_that_are_next_to_nothing_have_no_sign():
    stops = StopStatistics().with_stops([(-1e-9, 5.0), (-2e-9, 5.0)])
    (line,) = console.statistics_lines([RAIL], {"stepper_z1": stops}).values()
    assert "overshoot maximum 0.000000, average 0.000000, standard deviation 0.000000 mm" in line
    assert "latency maximum 0.000, average 0.000, standard deviation 0.000 ms" in line


def test_move_without_a_trigger_has_no_speed_and_its_error_comes_last():
    moves = Moves(1, (result(0, 0, speed_mm_s=0.0, corrected=False),), "too far")
    lines = console.move_lines(moves)
    assert lines[1] == "stepper_z: probe did not trigger, not corrected"
    assert lines[-1] == "Error: too far"
    assert console.move_lines(Moves(0, (), "")) == ["No homing move yet"]


def test_steppers_that_have_stopped_have_statistics():
    stops = StopStatistics().with_stops([(0.01, 5.0), (0.03, 5.0)])
    assert console.statistics_lines([RAIL], {"stepper_z1": stops}) == {
        "stepper_z1": "stepper_z1 on zboard (2 moves): overshoot maximum 0.030000,"
        " average 0.020000, standard deviation 0.010000 mm; latency maximum 6.000,"
        " average 4.000, standard deviation 2.000 ms"
    }


def test_limits_are_told_axis_by_axis():
    limits = LimitSettings({RAIL.name: Limits(0.5, 0.01, 30.0)}, 1.0, "warn")
    assert console.limit_lines([BOTH], limits) == [
        "axis y+z: ferror 0.500000 mm at 30.0 mm/s, min_ferror 0.010000 mm",
        "max_correction 1.000000 mm",
        "on_ferror warn",
    ]
