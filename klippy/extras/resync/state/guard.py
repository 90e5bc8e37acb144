# Refuse moves that need a rail which is not in step
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Callable, List

from ..host import mapping
from ..host.patches import Patches
from ..model.klippy import Kinematics, Move, Printer
from ..model.rail import Rail
from .sync_state import RailState, SyncState


class MoveGuard:
    """Stands in for the kinematics' check_move() of one printer."""

    def __init__(
        self,
        printer: Printer,
        kinematics: Kinematics,
        rails: List[Rail],
        state: SyncState,
        is_homing: Callable[[], bool],
        patches: Patches,
    ) -> None:
        self._printer = printer
        self._rails = rails
        self._state = state
        self._is_homing = is_homing
        patches.after_check_move(kinematics, self._check_rails)

    def _check_rails(self, move: Move) -> None:
        if self._is_homing():
            return
        for rail in self._rails:
            state = self._state.get(rail.name)
            if state.in_sync is False and self._needs(rail, move):
                self._refuse("+".join(rail.axes), state)

    def _refuse(self, axes: str, state: RailState) -> None:
        if state.is_skew_known:
            raise self._printer.command_error(
                "Axis %s is not in sync: %s. Home it, or run RESYNC" % (axes, state.reason)
            )
        raise self._printer.command_error(
            "Axis %s is not in sync: %s. Home it" % (axes, state.reason)
        )

    def _needs(self, rail: Rail, move: Move) -> bool:
        slopes = mapping.slopes(rail.steppers[0])
        return any(slope and distance for slope, distance in zip(slopes, move.axes_d))
