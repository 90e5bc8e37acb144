# Finding and lifting checks of shared axes, and leaving all as it was found
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import sys
import types

import pytest
from resync.host.start_up_check import CheckLift, SharedAxisChecks, refusing_functions

MODULE = "module_of_a_probe"


class ConfigError(Exception):
    pass


def make_endstop_class():
    """A class as a host has it, whose add_stepper() refuses a second stepper."""

    class Endstop:
        def __init__(self):
            self.steppers = []

        def get_steppers(self):
            return self.steppers

        def add_stepper(self, stepper):
            self.steppers.append(stepper)
            if len(self.steppers) > 1:
                raise ConfigError("Multi-mcu homing not supported on multi-mcu shared axis")

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
    class Endstop:
        def add_stepper(self, stepper):
            raise ConfigError("Pin is used twice")

    lift(Endstop, lambda endstop, stepper: True)
    with pytest.raises(ConfigError, match="used twice"):
        Endstop().add_stepper("stepper_z")


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


@pytest.fixture
def module(monkeypatch):
    """A module that is loaded, with a class like an endstop's as Endstop."""
    module = types.ModuleType(MODULE)
    monkeypatch.setitem(sys.modules, MODULE, module)
    module.Endstop = make_endstop_class()
    return module


def found_in(module):
    function = vars(module.Endstop)["add_stepper"]
    return [f for f in refusing_functions() if f is function]


# Functions that others have replaced


def test_code_that_another_extra_has_swapped_since_is_left_to_it(module):
    endstop_class = module.Endstop
    function = endstop_class.__dict__["add_stepper"]
    shipped = function.__code__
    lifted = lift(endstop_class, lambda endstop, stepper: True)
    ours = function.__code__

    def others(self, stepper):
        self.steppers.append(stepper)

    function.__code__ = others.__code__
    lifted.undo()
    add_two(endstop_class())
    # The other extra puts back what it has found, which refuses as shipped
    function.__code__ = ours
    with pytest.raises(ConfigError):
        add_two(endstop_class())
    # The next start of the printer
    assert found_in(module) == [function]
    again = lift(endstop_class, lambda endstop, stepper: True)
    add_two(endstop_class())
    again.undo()
    with pytest.raises(ConfigError):
        add_two(endstop_class())
    assert function.__code__ is shipped is not ours


def test_keyword_defaults_of_a_function_are_kept():
    class Endstop:
        def add_stepper(self, stepper, *, reason="yes"):
            raise ConfigError(reason)

    lifted = lift(Endstop, lambda endstop, stepper: True)
    with pytest.raises(ConfigError, match="yes"):
        Endstop().add_stepper("stepper_z")
    lifted.undo()
    with pytest.raises(ConfigError, match="no"):
        Endstop().add_stepper("stepper_z", reason="no")


def test_check_in_a_closure_is_lifted_and_left_as_it_was():
    error = ConfigError

    class Base:
        def add_stepper(self, stepper):
            self.steppers = [*getattr(self, "steppers", []), stepper]

    class Endstop(Base):
        def add_stepper(self, stepper):
            super().add_stepper(stepper)
            if len(self.steppers) > 1:
                raise error("Multi-mcu homing not supported on multi-mcu shared axis")

    endstop = Endstop()
    lifted = lift(Endstop, lambda endstop, stepper: True)
    add_two(endstop)
    assert endstop.steppers == ["stepper_z", "stepper_z1"]
    lifted.undo()
    with pytest.raises(ConfigError):
        add_two(Endstop())


# Finding them


def test_check_in_a_module_of_anybody_is_found(module):
    assert len(found_in(module)) == 1


def test_add_stepper_without_the_check_is_not_found(module):
    module.Endstop.add_stepper = lambda self, stepper: None
    assert found_in(module) == []


def test_check_that_is_lifted_is_not_found_again(module):
    lifted = lift(module.Endstop, lambda endstop, stepper: True)
    assert found_in(module) == []
    lifted.undo()
    assert len(found_in(module)) == 1


def test_check_that_another_extra_has_wrapped_is_found(module):
    original = vars(module.Endstop)["add_stepper"]

    def wrapper(self, stepper):
        return original(self, stepper)

    module.Endstop.add_stepper = wrapper
    assert [f for f in refusing_functions() if f is original] == [original]


def test_check_of_another_name_in_the_place_of_the_method_is_found(module):
    def patched(self, stepper):
        raise ConfigError("Multi-mcu homing not supported on multi-mcu shared axis")

    module.Endstop.add_stepper = patched
    assert found_in(module) == [patched]


class Printer:
    config_error = ConfigError

    def __init__(self):
        self.handlers = []
        self.setup_pin = lambda *args: "endstop of the host"

    def lookup_object(self, name):
        assert name == "pins"
        return self

    def register_event_handler(self, event, handler):
        assert event == "klippy:disconnect"
        self.handlers.append(handler)


class Stepper:
    def __init__(self, printer, name):
        self.printer, self.name = printer, name

    def get_mcu(self):
        return self

    def get_printer(self):
        return self.printer

    def get_name(self):
        return self.name


def steppers(printer, *names):
    return [Stepper(printer, name) for name in names]


def test_probe_that_loads_later_is_lifted_once_an_endstop_is_set_up(module, monkeypatch):
    monkeypatch.delitem(sys.modules, MODULE)
    printer = Printer()
    checks = SharedAxisChecks(printer, lambda axis: axis == "z")
    monkeypatch.setitem(sys.modules, MODULE, module)
    assert printer.setup_pin("pwm", "PA0") == "endstop of the host"
    assert len(found_in(module)) == 1
    assert printer.setup_pin("endstop", "PA0") == "endstop of the host"
    add_two(module.Endstop(), steppers(printer, "stepper_z", "stepper_z1"))
    assert checks.lifted_steppers == {"stepper_z1"}
    for names in (("stepper_x", "stepper_x1"), ("stepper_y", "stepper_y1")):
        with pytest.raises(ConfigError, match="not supported on multi-mcu shared axis"):
            add_two(module.Endstop(), steppers(printer, *names))


def test_steppers_of_another_printer_are_refused(module):
    printer, other = Printer(), Printer()
    SharedAxisChecks(printer, lambda axis: True)
    with pytest.raises(ConfigError, match="not supported on multi-mcu shared axis"):
        add_two(module.Endstop(), steppers(other, "stepper_z", "stepper_z1"))


def test_all_is_as_it_was_found_once_the_printer_disconnects(module):
    code = vars(module.Endstop)["add_stepper"].__code__
    printer = Printer()
    SharedAxisChecks(printer, lambda axis: True)
    assert vars(module.Endstop)["add_stepper"].__code__ is not code
    for handler in printer.handlers:
        handler()
    assert vars(module.Endstop)["add_stepper"].__code__ is code


def test_check_that_comes_before_the_stepper_is_taken_is_a_config_error(module):
    class Early:
        def get_steppers(self):
            return []

        def add_stepper(self, stepper):
            raise ConfigError("Multi-mcu homing not supported on multi-mcu shared axis")

    module.Endstop = Early
    printer = Printer()
    SharedAxisChecks(printer, lambda axis: True)
    with pytest.raises(ConfigError, match="Early .* refuses 'stepper_z' before"):
        Early().add_stepper(Stepper(printer, "stepper_z"))


def test_closure_that_is_not_set_yet_is_no_obstacle(monkeypatch):
    def outer():
        def add_stepper():
            return later

        return add_stepper
        later = 1

    module = types.ModuleType("unfinished")
    module.add_stepper = outer()
    monkeypatch.setitem(sys.modules, "unfinished", module)
    assert module.add_stepper not in refusing_functions()
