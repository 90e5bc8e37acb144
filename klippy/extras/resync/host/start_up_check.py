# Find and lift the checks that refuse shared axes, the host's and those of others
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import sys
import types
from typing import Any, Callable, Dict, List, Protocol, Set, Type

from ..model.klippy import Printer, Stepper
from .patches import Patches, Proceed
from .stand_in import held_by, standing_in

# What every refusal says, "axis" or "carriage" follows.  Beacon (beacon.py)
# and Cartographer (trigger_dispatch.py, scanner.py) have copied it.
REFUSAL = "Multi-mcu homing not supported on multi-mcu shared"

# The method that holds the check, by the same name wherever it was copied to
METHOD = "add_stepper"


# Says of an object and an argument of its check whether this is to be let pass;
# their classes are whatever holds a check
IsLifted = Callable[[Any, Any], bool]


class Dispatch(Protocol):
    """What stops steppers, and holds the check that is named METHOD."""

    def get_steppers(self) -> List[Stepper]: ...


def _refuses(function: types.FunctionType) -> bool:
    """Whether a function holds the check, and nothing lifts it."""
    present = standing_in(function.__code__)
    if present is not None:
        # Another extra may have put our code back after the printer's end
        return present.is_undone
    constants = function.__code__.co_consts
    return any(isinstance(c, str) and REFUSAL in c for c in constants)


class CheckLift:
    """Stands in for a function that refuses shared axes.

    All who hold it have to get the stand-in: v0.12's probe and bltouch keep a
    bound add_stepper from the time their section is read.
    is_lifted(object, argument) of the function says, once it has refused,
    whether this is to be let pass.
    """

    def __init__(
        self,
        function: types.FunctionType,
        is_lifted: IsLifted,
        error: Type[Exception],
    ) -> None:
        present = standing_in(function.__code__)
        if present is not None:
            present.undo()
        self._is_lifted = is_lifted
        self._error = error
        self._patches = Patches()
        self._patches.around_check(function, self._check)

    def _check(self, proceed: Proceed, instance: object, argument: object) -> None:
        try:
            proceed()
        except self._error as e:
            # Raised after all else has been done, so ignoring it is enough
            if not str(e).startswith(REFUSAL) or not self._is_lifted(instance, argument):
                raise

    def undo(self) -> None:
        """Leave the function as it was found."""
        self._patches.undo()


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
                found.update((id(f), f) for f in held_by(value, METHOD) if _refuses(f))
    return list(found.values())


class SharedAxisChecks:
    """Lifts the checks of one printer, those of extras that load later too.

    is_resynced(axis) says whether the axis of that name is; steppers of all
    others are refused as shipped.  The checks are as they were found again
    once the printer disconnects.
    """

    def __init__(self, printer: Printer, is_resynced: Callable[[str], bool]) -> None:
        self._printer = printer
        self._is_resynced = is_resynced
        # Names of steppers that a check was to refuse
        self.lifted_steppers: Set[str] = set()
        self.lift_found()
        # Kinematics ask for the pins of their endstops once all sections are
        # read, and add steppers to them at once
        patches = Patches()
        printer.register_event_handler("klippy:disconnect", patches.undo)
        patches.before_setup_pin(printer.lookup_object("pins"), self._lift_before_pin)

    def _lift_before_pin(self, pin_type: str) -> None:
        if pin_type == "endstop":
            self.lift_found()

    def lift_found(self) -> None:
        """Lift all checks that are there by now."""
        for function in refusing_functions():
            self.lift(function, self._is_stepper_lifted)

    def lift(self, function: types.FunctionType, is_lifted: IsLifted) -> None:
        """Lift a check; is_lifted(object, argument) says when."""
        lift = CheckLift(function, is_lifted, self._printer.config_error)
        self._printer.register_event_handler("klippy:disconnect", lift.undo)

    def _is_stepper_lifted(self, dispatch: Dispatch, stepper: Stepper) -> bool:
        # The check compares names like "stepper_z1" up to the axis
        axis = stepper.get_name()[len("stepper_") :][:1]
        if stepper.get_mcu().get_printer() is not self._printer or not self._is_resynced(axis):
            return False
        if stepper not in dispatch.get_steppers():
            raise self._printer.config_error(
                "multi_mcu_resync: %s of '%s' refuses '%s' before it has taken it, and is"
                " not supported"
                % (type(dispatch).__name__, type(dispatch).__module__, stepper.get_name())
            )
        self.lifted_steppers.add(stepper.get_name())
        return True
