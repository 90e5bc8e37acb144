# Every function of a host that is replaced, in one list
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import functools
import types
from typing import Callable, Iterable, NamedTuple, Sequence, Type

from ..model.klippy import (
    Endstop,
    ForceMove,
    GCode,
    GCodeCommand,
    HomingCompletion,
    HomingMove,
    Kinematics,
    LevelHelper,
    LevelStatus,
    Move,
    Pins,
    Stepper,
    Toolhead,
    Trsync,
)
from .stand_in import Call, Wrapper, Wrapping, look_alike

# Does what the host would have done, with the arguments that it was called with
Proceed = Callable[[], object]

HomeStart = Callable[..., HomingCompletion]
HomeWait = Callable[[float], float]


class Layer(NamedTuple):
    """What is put around an endstop's home_start() and its home_wait()."""

    around_start: Callable[[HomeStart], HomeStart]
    around_wait: Callable[[HomeWait], HomeWait]


def _around(around: Callable[..., object]) -> Wrapper:
    """Have around(proceed, first) called, first being the first argument of the call."""

    def wrapper(function: Call) -> Call:
        def instead(first: object, *arguments: object, **options: object) -> object:
            return around(functools.partial(function, first, *arguments, **options), first)

        return instead

    return wrapper


def _layered(wrappers: Sequence[Wrapper]) -> Wrapper:
    def wrapper(function: Call) -> Call:
        for around in wrappers:
            function = around(function)
        return function

    return wrapper


class Patches(Wrapping):
    """Functions of the host around, before, after or instead of which ours are called.

    They are the host's own again after undo().
    """

    # Of the toolhead and its steppers
    def around_set_position(
        self, toolhead: Toolhead, around: Callable[[Proceed, Sequence[float]], None]
    ) -> None:
        """around(proceed, newpos) for the toolhead's position."""
        self.wrap_shipped(toolhead, "set_position", _around(around))

    def keep_from_set_position(self, stepper: Stepper) -> None:
        """Nothing at all instead of a new position of the stepper."""
        self.wrap(stepper, "set_position", lambda set_position: lambda coord: None)

    def after_check_move(self, kinematics: Kinematics, after: Callable[[Move], None]) -> None:
        """after(move) once the kinematics has let a move pass."""

        def wrapper(function: Call) -> Call:
            def check_move(move: Move) -> None:
                function(move)
                after(move)

            return check_move

        self.wrap_shipped(kinematics, "check_move", wrapper)

    def around_manual_move(
        self, force_move: ForceMove, around: Callable[[Proceed, Stepper], None]
    ) -> None:
        """around(proceed, stepper) for a stepper that is moved alone."""
        self.wrap_shipped(force_move, "manual_move", _around(around))

    def around_manual_commands(
        self, force_move: ForceMove, around: Callable[[Proceed, GCodeCommand], None]
    ) -> None:
        """around(proceed, gcmd) for the commands that move a stepper alone."""
        for name in ("cmd_FORCE_MOVE", "cmd_STEPPER_BUZZ"):
            self.wrap_shipped(force_move, name, _around(around))

    # Of homing
    def around_homing_move(
        self, owner: Type[HomingMove], around: Callable[[Proceed, HomingMove], object]
    ) -> None:
        """around(proceed, homing_move) for every homing move, of other printers too."""
        self.wrap_class(owner, "homing_move", _around(around))

    def around_endstop(self, endstop: Endstop, layers: Iterable[Layer]) -> None:
        """Layers around what is called of an endstop while it homes, the innermost first."""
        found = list(layers)
        self.wrap(endstop, "home_start", _layered([layer.around_start for layer in found]))
        self.wrap(endstop, "home_wait", _layered([layer.around_wait for layer in found]))

    def around_stop(self, trsync: Trsync, around: Callable[[Callable[[], int]], int]) -> None:
        """around(stop) where the host asks why the steppers of an MCU have stopped."""
        self.wrap(trsync, "stop", lambda stop: functools.partial(around, stop))

    # Of levelling
    def before_adjust_steppers(self, helper: LevelHelper, before: Callable[[], None]) -> None:
        """before() where a levelling command is to move steppers alone."""

        def wrapper(function: Call) -> Call:
            def adjust_steppers(*arguments: object, **options: object) -> object:
                before()
                return function(*arguments, **options)

            return adjust_steppers

        self.wrap_shipped(helper, "adjust_steppers", wrapper)

    def after_check_retry_result(
        self, status: LevelStatus, after: Callable[[object], None]
    ) -> None:
        """after(result) once a levelling command knows whether to go on."""

        def wrapper(function: Call) -> Call:
            def check_retry_result(*arguments: object, **options: object) -> object:
                result = function(*arguments, **options)
                after(result)
                return result

            return check_retry_result

        self.wrap_shipped(status, "check_retry_result", wrapper)

    # Of G-code
    def around_command(
        self, gcode: GCode, name: str, around: Callable[[Proceed, GCodeCommand], None]
    ) -> None:
        """around(proceed, gcmd) for a command, outside of all others that replace it by now."""
        function = gcode.register_command(name, None)
        ours, undo = look_alike(function, _around(around))
        self._undo.append(undo)
        gcode.register_command(name, ours)

    # Of the start
    def before_setup_pin(self, pins: Pins, before: Callable[[str], None]) -> None:
        """before(pin_type) where a section asks for a pin."""

        def wrapper(function: Call) -> Call:
            def setup_pin(pin_type: str, *arguments: object, **options: object) -> object:
                before(pin_type)
                return function(pin_type, *arguments, **options)

            return setup_pin

        self.wrap_shipped(pins, "setup_pin", wrapper)

    def around_check(
        self, check: types.FunctionType, around: Callable[[Proceed, object, object], None]
    ) -> None:
        """around(proceed, object, argument) for a check of all objects of its class."""

        def wrapper(function: Call) -> Call:
            def instead(
                instance: object, argument: object, *arguments: object, **options: object
            ) -> None:
                proceed = functools.partial(function, instance, argument, *arguments, **options)
                around(proceed, instance, argument)

            return instead

        self.wrap_function(check, wrapper)
