# Lifting the host's check, and leaving it as it was shipped
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from resync.host import SHARED_AXIS_ERROR, CheckLift


class ConfigError(Exception):
    pass


def make_endstop_class(message=SHARED_AXIS_ERROR + " axis"):
    """A class as a host has it, whose add_stepper() refuses a second stepper."""

    class Endstop:
        def __init__(self):
            self.steppers = []

        def add_stepper(self, stepper):
            self.steppers.append(stepper)
            if len(self.steppers) > 1:
                raise self.error(self.message)

    Endstop.error, Endstop.message = ConfigError, message
    return Endstop


def lift(endstop_class, is_lifted):
    return CheckLift(endstop_class.__dict__["add_stepper"], is_lifted, ConfigError)


def add_two(endstop, names=("stepper_z", "stepper_z1")):
    for name in names:
        endstop.add_stepper(name)


def test_lifted_check_lets_the_stepper_be_added():
    endstop_class = make_endstop_class()
    lift(endstop_class, lambda endstop, stepper: True)
    endstop = endstop_class()
    add_two(endstop)
    assert endstop.steppers == ["stepper_z", "stepper_z1"]


def test_method_that_was_bound_before_is_lifted_too():
    endstop_class = make_endstop_class()
    endstop = endstop_class()
    add_stepper = endstop.add_stepper
    lift(endstop_class, lambda endstop, stepper: True)
    add_stepper("stepper_z")
    add_stepper("stepper_z1")
    assert len(endstop.steppers) == 2


def test_stepper_that_is_not_ours_is_refused():
    endstop_class = make_endstop_class()
    lift(endstop_class, lambda endstop, stepper: stepper.startswith("stepper_z"))
    add_two(endstop_class())
    with pytest.raises(ConfigError):
        add_two(endstop_class(), ("stepper_x", "stepper_x1"))


def test_other_errors_of_the_host_pass():
    endstop_class = make_endstop_class("Pin is used twice")
    lift(endstop_class, lambda endstop, stepper: True)
    with pytest.raises(ConfigError, match="used twice"):
        add_two(endstop_class())


def test_undo_leaves_the_function_as_it_was():
    endstop_class = make_endstop_class()
    function = endstop_class.__dict__["add_stepper"]
    code, defaults = function.__code__, function.__kwdefaults__
    lifted = lift(endstop_class, lambda endstop, stepper: True)
    assert function.__code__ is not code
    lifted.undo()
    lifted.undo()
    assert (function.__code__, function.__kwdefaults__) == (code, defaults)
    with pytest.raises(ConfigError):
        add_two(endstop_class())


def test_second_lift_takes_the_place_of_the_first():
    endstop_class = make_endstop_class()
    function = endstop_class.__dict__["add_stepper"]
    code = function.__code__
    lift(endstop_class, lambda endstop, stepper: True)
    second = lift(endstop_class, lambda endstop, stepper: False)
    with pytest.raises(ConfigError):
        add_two(endstop_class())
    second.undo()
    assert function.__code__ is code


def test_function_that_another_extra_has_wrapped_is_a_config_error():
    endstop_class = make_endstop_class()
    original = endstop_class.add_stepper

    def add_stepper(self, stepper):
        original(self, stepper)

    endstop_class.add_stepper = add_stepper
    with pytest.raises(ConfigError, match="another extra has replaced"):
        lift(endstop_class, lambda endstop, stepper: True)
    assert add_stepper.__kwdefaults__ is None
