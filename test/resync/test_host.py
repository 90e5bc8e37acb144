# How fast the axis that a rail moves along may be, whatever the rail is called
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

import pytest
from resync.host.host import axis_of, pace_along
from resync.model.correction_time import Pace

TOOLHEAD = Pace(300.0, 3000.0)


def carriages(**axes):
    """Carriages by their names, each moving along the axis of that number."""
    return {name: SimpleNamespace(get_axis=lambda axis=axis: axis) for name, axis in axes.items()}


def kinematics(**fields):
    return SimpleNamespace(max_z_velocity=30.0, max_z_accel=350.0, **fields)


@pytest.mark.parametrize("name, axis", [("lift", "z"), ("beam", "y"), ("x", "z"), ("y", "x")])
def test_carriage_of_any_name_moves_along_its_axis(name, axis):
    generic = kinematics(carriages=carriages(lift=2, beam=1, x=2, y=0))
    assert axis_of(generic, name) == axis


def test_rail_that_is_no_carriage_is_called_as_its_axis():
    assert axis_of(kinematics(), "z") == "z"


@pytest.mark.parametrize("axis, pace", [("z", Pace(30.0, 350.0)), ("x", TOOLHEAD)])
def test_axis_has_the_limits_of_the_kinematics_or_of_the_toolhead(axis, pace):
    assert pace_along(kinematics(), axis, TOOLHEAD) == pace


def test_axis_is_no_faster_than_the_toolhead():
    assert pace_along(kinematics(), "z", Pace(10.0, 100.0)) == Pace(10.0, 100.0)
