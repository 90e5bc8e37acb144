# Where the toolhead is once steppers are corrected, on its own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

import pytest
from resync.homing.restore import plan_goal


class Stepper:
    """One that is linear in x, y and z."""

    def __init__(self, name, weights):
        self.name = name
        self.weights = weights

    def get_name(self):
        return self.name

    def get_commanded_position(self):
        return 0.0

    def calc_position_from_coord(self, coord):
        return sum(w * c for w, c in zip(self.weights, coord))


@pytest.mark.parametrize(
    ("idle", "moved", "position"),
    [
        # Axes of their own: the one that did not move is where it was
        ((1, 0, 0), (0, 0, 1), [1.0, 6.0, 7.0, 8.0]),
        # With corexz what did not move and what did share both axes
        ((1, 0, 1), (1, 0, -1), [5.0, 6.0, 7.0, 8.0]),
    ],
)
def test_axis_keeps_its_coordinate_only_if_nothing_has_moved_it(idle, moved, position):
    steppers = [Stepper("stepper_x", idle), Stepper("stepper_z", moved)]
    kinematics = SimpleNamespace(
        get_steppers=lambda: steppers, calc_position=lambda positions_mm: [0.0, 0.0, 0.0]
    )
    toolhead = SimpleNamespace(
        get_kinematics=lambda: kinematics, get_position=lambda: [5.0, 6.0, 7.0, 8.0]
    )
    goal = plan_goal(
        toolhead,
        {"stepper_x": steppers[0]},
        [{"stepper_x": 0.0}],
        [],
        [1.0, 2.0, 3.0, 4.0],
        {"stepper_z"},
    )
    assert goal.position == position
