# Refuse moves that need a rail which is not in step
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Callable, Dict, List

from . import mapping
from .rail import Rail
from .sync_state import MOTORS_OFF, RailState, SyncState
from .wrapping import Wrapping


class MoveGuard:
    """Stands in for the kinematics' check_move() of one printer."""

    def __init__(
        self,
        printer: Any,
        kinematics: Any,
        rails: List[Rail],
        state: SyncState,
        is_homing: Callable[[], bool],
        wrapping: Wrapping,
    ) -> None:
        self._printer = printer
        self._rails = rails
        self._state = state
        self._is_homing = is_homing
        wrapping.wrap_shipped(kinematics, "check_move", self._checking)

    def _checking(self, host_check_move: Callable[[Any], None]) -> Callable[[Any], None]:
        def check_move(move: Any) -> None:
            host_check_move(move)
            self._check_rails(move)

        return check_move

    def _check_rails(self, move: Any) -> None:
        if self._is_homing():
            return
        for rail in self._rails:
            state = self._state.get(rail.name)
            if state.in_sync is False and self._needs(rail, move):
                advice = "Home it, or run RESYNC" if state.is_skew_known else "Home it"
                raise self._printer.command_error(
                    "Axis %s is not in sync: %s. %s" % ("+".join(rail.axes), state.reason, advice)
                )

    def _needs(self, rail: Rail, move: Any) -> bool:
        slopes = mapping.slopes(rail.steppers[0])
        return any(slope and distance for slope, distance in zip(slopes, move.axes_d))


class MotorWatch:
    """Learns of motors that are switched off, all of a rail or one alone."""

    def __init__(self, printer: Any, rails: List[Rail], state: SyncState) -> None:
        self._state = state
        # What a rail was before its first motor was switched off
        self._before: Dict[str, RailState] = {}
        stepper_enable = printer.lookup_object("stepper_enable")
        for rail in rails:
            off: Dict[str, float] = {}
            for stepper in rail.steppers:
                enable = stepper_enable.lookup_enable(stepper.get_name())
                enable.register_state_callback(self._handler(rail, stepper.get_name(), off))

    def _handler(
        self, rail: Rail, name: str, off: Dict[str, float]
    ) -> Callable[[float, bool], None]:
        # off has the print time at which each motor that is off was switched off
        def handle(print_time: float, is_enabled: bool) -> None:
            if is_enabled:
                off.pop(name, None)
                return
            if not off:
                self._before[rail.name] = self._state.get(rail.name)
            off[name] = print_time
            if len(off) == len(rail.steppers) and len(set(off.values())) == 1:
                # One after the other, but at the same time
                self._state.restore(rail.name, self._before[rail.name])
                self._state.forget([rail.name], MOTORS_OFF)
            else:
                # While the others hold the rail, this one lets go
                self._state.forget([rail.name], "the motor of '%s' was switched off" % (name,))

        return handle


class ForceMoveWatch:
    """Learns of steppers that FORCE_MOVE moves alone.

    STEPPER_BUZZ uses the same code, but takes the stepper back to where the
    others are.
    """

    def __init__(
        self, printer: Any, rails: List[Rail], state: SyncState, wrapping: Wrapping
    ) -> None:
        self._rails = {s.get_name(): rail for rail in rails for s in rail.steppers}
        self._state = state
        # Of the rails that are out of step by our word: what they were before
        self._before: Dict[str, RailState] = {}
        self._distance_mm: Dict[str, float] = {}
        force_move = printer.lookup_object("force_move", None)
        if force_move is not None:
            wrapping.wrap_shipped(force_move, "manual_move", self._noting)

    def _noting(self, host_manual_move: Callable[..., None]) -> Callable[..., None]:
        def manual_move(stepper: Any, dist: float, *args: Any, **kwargs: Any) -> None:
            before_mm = mapping.offset_mm(stepper)
            host_manual_move(stepper, dist, *args, **kwargs)
            rail = self._rails.get(stepper.get_name())
            if rail is not None:
                self._note(rail, stepper, dist, mapping.offset_mm(stepper) - before_mm)

        return manual_move

    def _note(
        self, rail: Rail, stepper: Any, distance_mm: float, skew_mm: float
    ) -> None:
        name = stepper.get_name()
        reason = "FORCE_MOVE has moved '%s' alone" % (name,)
        if self._state.get(rail.name).reason != reason:
            # It has been homed or accepted since
            self._before[name] = self._state.get(rail.name)
            self._distance_mm[name] = 0.0
        self._distance_mm[name] += distance_mm
        if abs(self._distance_mm[name]) < 0.5 * stepper.get_step_dist():
            self._state.restore(rail.name, self._before[name])
        else:
            names = [s.get_name() for s in rail.steppers]
            self._state.note_moved(rail.name, names, name, skew_mm, reason)
