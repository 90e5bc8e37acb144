# Find and lift the checks that refuse shared axes, the host's and those of others
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import sys
import types
from typing import Any, Callable, Dict, Iterator, List, Optional, Set

# What every refusal says, "axis" or "carriage" follows.  Beacon (beacon.py)
# and Cartographer (trigger_dispatch.py, scanner.py) have copied it.
REFUSAL = "Multi-mcu homing not supported on multi-mcu shared"

# The method that holds the check, by the same name wherever it was copied to
METHOD = "add_stepper"

LIFT = "multi_mcu_resync_lift"


def _call_lift(self, argument, *, multi_mcu_resync_lift):
    return multi_mcu_resync_lift(self, argument)


def _present_lift(function: types.FunctionType) -> Optional["CheckLift"]:
    return (function.__kwdefaults__ or {}).get(LIFT)


def _refuses(function: types.FunctionType) -> bool:
    """Tell whether a function holds the check, and nothing lifts it."""
    present = _present_lift(function)
    if present is not None:
        # Another extra may have put our code back after the printer's end
        return present.is_undone
    constants = function.__code__.co_consts
    return any(isinstance(c, str) and REFUSAL in c for c in constants)


class CheckLift:
    """Stands in for a function that refuses shared axes.

    The function's code is swapped, not the class attribute: v0.12's probe and
    bltouch keep a bound add_stepper from the time their section is read.
    is_lifted(object, argument) of the function tells, once it has refused,
    whether this is to be let pass.
    """

    def __init__(
        self, function: types.FunctionType, is_lifted: Callable[[Any, Any], bool], error: Any
    ) -> None:
        present = _present_lift(function)
        if present is not None:
            present.undo()
        self.is_undone = False
        self._function = function
        self._original = types.FunctionType(
            function.__code__,
            function.__globals__,
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        self._original.__kwdefaults__ = function.__kwdefaults__
        self._is_lifted = is_lifted
        self._error = error
        # A function can only be given code with as many free variables
        free_variables = function.__code__.co_freevars
        self._code = _call_lift.__code__.replace(co_freevars=free_variables)
        function.__kwdefaults__ = {LIFT: self}
        function.__code__ = self._code

    def __call__(self, instance: Any, argument: Any) -> None:
        try:
            self._original(instance, argument)
        except self._error as e:
            # Raised after all else has been done, so ignoring it is enough
            if not str(e).startswith(REFUSAL):
                raise
            if self.is_undone or not self._is_lifted(instance, argument):
                raise

    def undo(self) -> None:
        """Leave the function as it was found."""
        self.is_undone = True
        # Another extra may have swapped the code since, and put ours back later
        if self._function.__code__ is self._code:
            self._function.__code__ = self._original.__code__
            self._function.__kwdefaults__ = self._original.__kwdefaults__


def _held_by(function: types.FunctionType) -> Iterator[types.FunctionType]:
    """The function, and those that it was wrapped around."""
    found = [function]
    seen: Set[int] = set()
    while found:
        function = found.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        yield function
        for cell in function.__closure__ or ():
            try:
                content = cell.cell_contents
            except ValueError:
                # Not set yet
                continue
            if type(content) is types.FunctionType:
                found.append(content)


def refusing_functions() -> List[types.FunctionType]:
    """Every add_stepper() that holds the check, in all modules that are loaded."""
    found: Dict[int, types.FunctionType] = {}
    for module in list(sys.modules.values()):
        if not isinstance(module, types.ModuleType):
            continue
        for value in list(vars(module).values()):
            # Not isinstance(), which proxies of all kinds may answer as they like
            if issubclass(type(value), type):
                value = vars(value).get(METHOD)
            elif type(value) is types.FunctionType and value.__name__ != METHOD:
                continue
            if type(value) is types.FunctionType:
                found.update((id(f), f) for f in _held_by(value) if _refuses(f))
    return list(found.values())


class SharedAxisChecks:
    """Lifts the checks of one printer, those of extras that load later too.

    is_resynced(axis) tells whether the axis of that name is; steppers of all
    others are refused as shipped.  The checks are as they were found again
    once the printer disconnects.
    """

    def __init__(self, printer: Any, is_resynced: Callable[[str], bool]) -> None:
        self._printer = printer
        self._is_resynced = is_resynced
        # Names of steppers that a check was to refuse
        self.lifted_steppers: Set[str] = set()
        self.lift_found()
        # Kinematics ask for the pins of their endstops once all sections are
        # read, and add steppers to them at once
        pins = printer.lookup_object("pins")
        self._host_setup_pin = pins.setup_pin
        pins.setup_pin = self._setup_pin

    def _setup_pin(self, pin_type: str, *args: Any, **kwargs: Any) -> Any:
        if pin_type == "endstop":
            self.lift_found()
        return self._host_setup_pin(pin_type, *args, **kwargs)

    def lift_found(self) -> None:
        """Lift all checks that are there by now."""
        for function in refusing_functions():
            self.lift(function, self._is_stepper_lifted)

    def lift(self, function: types.FunctionType, is_lifted: Callable[[Any, Any], bool]) -> None:
        """Lift a check; is_lifted(object, argument) tells when."""
        lift = CheckLift(function, is_lifted, self._printer.config_error)
        self._printer.register_event_handler("klippy:disconnect", lift.undo)

    def _is_stepper_lifted(self, dispatch: Any, stepper: Any) -> bool:
        # The check compares names like "stepper_z1" up to the axis
        axis = stepper.get_name()[len("stepper_") :][:1]
        if stepper.get_mcu().get_printer() is not self._printer or not self._is_resynced(axis):
            return False
        if stepper not in dispatch.get_steppers():
            raise self._printer.config_error(
                "multi_mcu_resync: %s of '%s' refuses '%s' before it has taken it, and is"
                " not supported" % (type(dispatch).__name__, type(dispatch).__module__,
                                    stepper.get_name())
            )
        self.lifted_steppers.add(stepper.get_name())
        return True
