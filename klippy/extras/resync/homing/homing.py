# A homing or probing move from its begin to its end
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
from typing import List, Protocol, Tuple, Union

from ..host.mapping import MappingError
from ..model.klippy import HomingMove, Printer
from ..model.limit import LimitError
from ..model.plan import PlanError
from ..model.rail import Rail
from ..model.rail_result import RailResult
from ..state.sync_state import RailState, SyncState
from .failure import Failure
from .homing_moves import HomingMoves
from .losses import Losses
from .span import CountError, HomingSpan
from .targets import Targets
from .ways import Correcting, Measuring

# Their text says all that there is to know
EXPECTED_ERRORS = (PlanError, LimitError, MappingError)


class Report(Protocol):
    """Takes in what became of a homing move."""

    def note_move(self, results: List[RailResult], error: str) -> None: ...
    def note_in_step(self, rail: Rail, state: RailState) -> None: ...


class Homing:
    """Sees each homing move of the toolhead through."""

    def __init__(
        self,
        printer: Printer,
        rails: List[Rail],
        state: SyncState,
        moves: HomingMoves,
        way: Union[Correcting, Measuring],
        losses: Losses,
        targets: Targets,
        report: Report,
    ) -> None:
        self._printer = printer
        self._rails = rails
        self._state = state
        self._moves = moves
        self._way = way
        self._losses = losses
        self._targets = targets
        self._report = report
        self.failure = Failure(printer)

    def _is_toolheads(self, homing_move: HomingMove) -> bool:
        # manual_stepper and the like bring a toolhead of their own
        return homing_move.toolhead is self._printer.lookup_object("toolhead")

    def begin(self, homing_move: HomingMove) -> None:
        """Its steppers have not started yet; raises the host's error."""
        if not self._is_toolheads(homing_move):
            return
        self._way.pause()
        try:
            if self._printer.is_shutdown():
                # The host would wait for the trigger for ever
                raise self._printer.command_error(
                    "multi_mcu_resync: the printer was shut down before"
                )
            self._moves.begin(homing_move)
        finally:
            self._resume()

    def end(self, homing_move: HomingMove) -> None:
        """Its steppers have halted; an error is raised once other handlers have run."""
        span = self._moves.find(homing_move)
        if span is None:
            if self._is_toolheads(homing_move) and not self._moves.is_given_up(homing_move):
                self._losses.begin_missed(homing_move)
            return
        lost = [rail for rail in self._rails if not self._state.get(rail.name).in_sync]
        results, error = self._resync(span)
        self._close(span)
        self._resume()
        if results or error:
            self._report.note_move(results, error)
        self._note_in_step(lost)

    def left(self, homing_move: HomingMove) -> None:
        """The host has left its function, whether it has come to its end or not."""
        if self._moves.leave(homing_move):
            self._resume()

    def _resume(self) -> None:
        if not self._moves.is_any():
            self._way.resume()

    def _resync(self, span: HomingSpan) -> Tuple[List[RailResult], str]:
        """Put the steppers back in step; returns what was done, and what went wrong."""
        results: List[RailResult] = []
        try:
            results = self._way.plan(self._targets.aim(span.homing_move, span.readings()))
            return self._way.correct(span, results), ""
        except Exception as e:
            error = str(e) or type(e).__name__
            message = "multi_mcu_resync: %s" % (error,)
            self.failure.note(span.homing_move, message)
            corrected = {r.part.rail.name for r in results if r.corrected}
            self._losses.not_corrected(span, corrected, error)
            if isinstance(e, CountError):
                # Nothing that this MCU says of its steppers can be trusted
                self._printer.invoke_shutdown(message)
            elif not isinstance(e, EXPECTED_ERRORS):
                logging.exception("multi_mcu_resync: resync failed")
            return results, error

    def _close(self, span: HomingSpan) -> None:
        for fault in self._moves.end(span):
            message = "multi_mcu_resync: %s" % (fault,)
            if self._moves.is_relayed:
                self._printer.lookup_object("gcode").respond_info(message + "; the host relays")
            else:
                self.failure.note(span.homing_move, message)
        for fault in span.faults:
            # The host has computed the new position from it
            self.failure.note(span.homing_move, "multi_mcu_resync: %s" % (fault,))

    def _note_in_step(self, lost: List[Rail]) -> None:
        for rail in lost:
            state = self._state.get(rail.name)
            if state.in_sync:
                self._report.note_in_step(rail, state)
