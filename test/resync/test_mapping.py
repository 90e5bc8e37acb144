# Mappings of steppers, on their own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resync.host import mapping

coordinates_mm = st.floats(-400.0, 400.0)


class Stepper:
    """A stepper as hosts have them, linear in x, y and z."""

    def __init__(self, weights, steps=0, step_dist_mm=0.01):
        self.weights = weights
        self.steps = steps
        self.step_dist_mm = step_dist_mm
        self.commanded_mm = 0.0

    def calc_position_from_coord(self, coord):
        return sum(w * c for w, c in zip(self.weights, coord))

    def get_mcu_position(self):
        return self.steps

    def get_step_dist(self):
        return self.step_dist_mm

    def set_position(self, coord):
        self.commanded_mm = self.calc_position_from_coord(coord)


weights = st.sampled_from(
    [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, -1, 0), (-1, 1, 0), (1, 0, 1), (0, -1, 1)]
)


@given(weights, st.tuples(coordinates_mm, coordinates_mm, coordinates_mm), st.floats(-0.02, 0.02))
def test_stepper_is_placed_where_it_is_wanted(weights, position, aside_mm):
    stepper = Stepper(weights)
    wanted_mm = stepper.calc_position_from_coord(position) + aside_mm
    rail_mm = stepper.calc_position_from_coord(position)
    mapping.place({"s": stepper}, mapping.Placement({"s": wanted_mm}, rail_mm, position))
    assert stepper.commanded_mm == pytest.approx(wanted_mm, abs=1e-12)


def test_slopes_are_those_of_each_axis_alone():
    assert mapping.slopes(Stepper((0.5, -1.0, 2.0))) == (0.5, -1.0, 2.0)


def test_parked_carriage_that_follows_no_axis_is_left_alone():
    stepper = Stepper((0, 0, 0))
    mapping.place({"s": stepper}, mapping.Placement({"s": 0.005}, 0.0, (1.0, 2.0, 3.0)))
    assert stepper.commanded_mm == 0.0


@pytest.mark.parametrize("aside_mm", [0.0, 0.0199, -0.0199])
def test_mapping_that_fits_the_toolhead_is_accepted(aside_mm):
    stepper = Stepper((0, 0, 1), steps=1000)
    placement = mapping.commanded_at({"s": stepper}, {"s": -aside_mm}, (0.0, 0.0, 10.0))
    assert placement.commanded_mm["s"] == pytest.approx(10.0 + aside_mm)


@pytest.mark.parametrize("aside_mm", [0.0201, -5.0])
def test_mapping_that_would_make_the_stepper_jump_is_refused(aside_mm):
    stepper = Stepper((0, 0, 1), steps=1000)
    with pytest.raises(mapping.MappingError, match="'s' would be .* off the toolhead"):
        mapping.commanded_at({"s": stepper}, {"s": -aside_mm}, (0.0, 0.0, 10.0))
