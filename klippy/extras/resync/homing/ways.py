# What a homing move is followed by: a correction, or only a look
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, Protocol

from ..model.klippy import Printer
from ..model.plan import plan_rail
from ..model.rail import Rail
from ..model.rail_result import RailReadings, RailResult
from ..state.sync_state import SyncState
from .resyncer import Resyncer
from .span import HomingSpan


class CountCheck(Protocol):
    """Compares the counts of MCUs and host, but not while the printer homes."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def expect(self, results: List[RailResult], done_time: float) -> None: ...


class Measuring:
    """Nothing is corrected: what is planned shows what it would have taken."""

    def pause(self) -> None:
        """A homing move begins."""

    def resume(self) -> None:
        """No homing move is under way any more."""

    def plan(self, parts: List[RailReadings]) -> List[RailResult]:
        """The corrections of all rails of a homing move; raises PlanError."""
        return [RailResult(part, plan_rail(part.readings, part.target)) for part in parts]

    def correct(self, span: HomingSpan, planned: List[RailResult]) -> List[RailResult]:
        """Do what was planned; returns what has been done."""
        return planned


class Correcting:
    """Every homing move is corrected, and then the MCUs are asked whether they agree."""

    def __init__(
        self,
        printer: Printer,
        rails: List[Rail],
        state: SyncState,
        resyncer: Resyncer,
        count_check: CountCheck,
    ) -> None:
        self._printer = printer
        self._rails = rails
        self._state = state
        self._resyncer = resyncer
        self._count_check = count_check

    def pause(self) -> None:
        """A homing move begins: raises the host's error if an MCU does not answer."""
        self._count_check.pause()

    def resume(self) -> None:
        """No homing move is under way any more."""
        self._count_check.resume()

    def plan(self, parts: List[RailReadings]) -> List[RailResult]:
        """The corrections of all rails of a homing move; raises PlanError."""
        return self._resyncer.plan(parts)

    def correct(self, span: HomingSpan, planned: List[RailResult]) -> List[RailResult]:
        """Do what was planned; returns what has been done.

        Raises LimitError before anything moves.
        """
        results = planned
        if not self._printer.is_shutdown():
            results, done_time = self._resyncer.correct(span, planned)
            self._count_check.expect(results, done_time)
        self._note_squared(span, results)
        return results

    def _note_squared(self, span: HomingSpan, results: List[RailResult]) -> None:
        """Rails whose steppers have all homed to endstops of their own need no correction."""
        resynced = {r.part.rail.name for r in results}
        others = [rail for rail in self._rails if rail.name not in resynced]
        if not others:
            return
        stopped = {
            sp.stepper_name
            for sp in span.homing_move.stepper_positions
            if sp.endstop_name in span.trigger_times
        }
        for rail in others:
            names = rail.stepper_names
            if stopped.issuperset(names):
                self._state.note_squared(rail.name, names)
