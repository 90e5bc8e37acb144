# Learn of steppers that FORCE_MOVE has moved alone
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List

from ..host import mapping
from ..host.patches import Patches, Proceed
from ..model.klippy import GCodeCommand, Printer, Stepper
from ..model.rail import Rail
from .sync_state import RailState, SyncState

# Steppers that have been moved one after the other are as far apart as before (mm)
SAME_MM = 1e-6


class ForceMoveWatch:
    """Counts the steps by which FORCE_MOVE and STEPPER_BUZZ move steppers alone.

    Other extras that use their code do so to put a stepper where it belongs,
    as levelling does: what they have moved stays in step.
    """

    def __init__(
        self, printer: Printer, rails: List[Rail], state: SyncState, patches: Patches
    ) -> None:
        self._printer = printer
        self._rails = {s.get_name(): rail for rail in rails for s in rail.steppers}
        self._state = state
        # Whether one of these commands is under way
        self._is_by_hand = False
        # By rail: what we have noted last, what its state was before, and how
        # many steps each of its steppers has been moved by since
        self._noted: Dict[str, RailState] = {}
        self._before: Dict[str, RailState] = {}
        self._moved_steps: Dict[str, Dict[str, int]] = {}
        force_move = printer.lookup_object("force_move", None)
        if force_move is not None:
            patches.around_manual_move(force_move, self._move)
            patches.around_manual_commands(force_move, self._command)

    def _command(self, proceed: Proceed, gcmd: GCodeCommand) -> None:
        self._is_by_hand = True
        try:
            proceed()
        finally:
            self._is_by_hand = False

    def _move(self, proceed: Proceed, stepper: Stepper) -> None:
        name = stepper.get_name()
        if name not in self._rails:
            proceed()
            return
        # Of other moves the count may still be to come
        before_mm = mapping.offset_mm(stepper)
        is_done = False
        try:
            proceed()
            is_done = not self._printer.is_shutdown()
        finally:
            if not is_done:
                reason = "a move of '%s' alone was interrupted" % (name,)
                self._state.lose(self._rails[name].name, reason)
        if is_done and self._is_by_hand:
            self._note(self._rails[name], stepper, mapping.offset_mm(stepper) - before_mm)

    def _note(self, rail: Rail, stepper: Stepper, moved_mm: float) -> None:
        names = rail.stepper_names
        if self._state.get(rail.name) != self._noted.get(rail.name):
            # It has been homed or accepted since
            self._before[rail.name] = self._state.get(rail.name)
            self._moved_steps[rail.name] = dict.fromkeys(names, 0)
        name, before = stepper.get_name(), self._before[rail.name]
        # The host has it start from a whole step: the way has a part of one too
        self._moved_steps[rail.name][name] += round(moved_mm / stepper.get_step_dist())
        self._state.note_moved(
            rail.name,
            names,
            name,
            moved_mm,
            "FORCE_MOVE has moved '%s' alone" % (name,),
        )
        if self._has_moved_as_one(rail):
            if before.in_sync:
                self._state.note_corrected(rail.name, names)
            self._state.restore(rail.name, before)
        self._noted[rail.name] = self._state.get(rail.name)

    def _has_moved_as_one(self, rail: Rail) -> bool:
        steps = self._moved_steps[rail.name]
        moved_mm = [steps[s.get_name()] * s.get_step_dist() for s in rail.steppers]
        return max(moved_mm) - min(moved_mm) < SAME_MM
