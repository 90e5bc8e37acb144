# Which steppers belong together
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

from resync.host.rails import endstops_by_axis, resyncable_rails


def stepper(name, mcu, slopes=(0.0, 0.0, 1.0), step_mm=0.01):
    """What is asked of a stepper; slopes are how far it goes for 1 mm of x, y and z."""
    return SimpleNamespace(
        get_name=lambda: name,
        get_mcu=lambda: mcu,
        get_step_dist=lambda: step_mm,
        # Its zero is not the origin
        calc_position_from_coord=lambda coord: 7.0 + sum(s * c for s, c in zip(slopes, coord)),
    )


def host_rail(axis, *steppers, endstops=()):
    return SimpleNamespace(
        get_name=lambda short: axis if short else "stepper_" + axis,
        get_steppers=lambda: list(steppers),
        get_endstops=lambda: [(endstop, "name") for endstop in endstops],
    )


class Mcu:
    def __init__(self, name):
        self._name = name

    def get_name(self):
        return self._name


MCU, ZBOARD = Mcu("mcu"), Mcu("zboard")
Z, Z1 = stepper("stepper_z", MCU), stepper("stepper_z1", ZBOARD, step_mm=0.02)


def test_steppers_of_a_rail_on_several_mcus_belong_together():
    (rail,) = resyncable_rails([host_rail("z", Z, Z1)], False)
    assert (rail.name, rail.axes, rail.steppers) == ("stepper_z", ("z",), [Z, Z1])
    assert rail.coarsest_step_mm() == 0.02
    assert rail.mcu_names == {"stepper_z": "mcu", "stepper_z1": "zboard"}
    assert rail.describe() == "axis z has stepper_z on mcu, stepper_z1 on zboard"


def test_steppers_on_one_mcu_belong_together_only_if_asked_for():
    other = stepper("stepper_z1", MCU)
    host_rails = [host_rail("z", Z, other), host_rail("x", stepper("stepper_x", MCU))]
    assert resyncable_rails(host_rails, False) == []
    (rail,) = resyncable_rails(host_rails, True)
    assert rail.steppers == [Z, other]
    assert not rail.is_shared()


def test_steppers_that_follow_other_axes_do_not_belong_together():
    along_y = stepper("stepper_y", ZBOARD, (0.0, 1.0, 0.0))
    backward = stepper("stepper_z2", ZBOARD, (0.0, 0.0, -1.0))
    assert resyncable_rails([host_rail("z", Z, along_y, backward)], True) == []


def test_steppers_of_two_carriages_are_one_rail_with_the_axes_of_both():
    (rail,) = resyncable_rails([host_rail("x", Z, Z1), host_rail("y", Z, Z1)], False)
    assert rail.axes == ("x", "y")


def test_endstops_are_those_of_each_axis():
    rails = [host_rail("x", endstops=("a", "b")), host_rail("z", endstops=("c",))]
    assert endstops_by_axis(rails) == {"x": ["a", "b"], "z": ["c"]}
