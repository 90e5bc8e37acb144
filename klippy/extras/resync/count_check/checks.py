# When the counts of MCUs and host are compared: after corrections, at intervals, on demand
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
import math
from typing import Callable, Dict, List, Tuple

from ..host.answers import CLOCK_ERROR_S
from ..host.host import Host
from ..model.klippy import Printer
from ..model.limit import LimitError
from ..model.rail import Rail
from ..model.rail_result import RailResult
from ..state.following_error_trip import FollowingErrorTrip
from ..state.sync_state import SyncState
from .comparison import Comparison
from .questions import ANSWER_TIMEOUT_S, AnswerError, Questions

# After how long to look again at what could not be compared (s)
LOOK_AGAIN_S = 1.0


class CountChecks:
    """Compares counts after corrections, at intervals, on demand.

    None of it holds up the moves that follow.
    """

    def __init__(
        self,
        printer: Printer,
        host: Host,
        rails: List[Rail],
        state: SyncState,
        ferror: FollowingErrorTrip,
        note_checks: Callable[[List[Comparison]], None],
    ) -> None:
        self._printer = printer
        self._reactor = printer.get_reactor()
        self._host = host
        self._state = state
        self._trip = ferror.trip
        self._note_checks = note_checks
        self._rails = {s.get_name(): rail for rail in rails for s in rail.steppers}
        self._limits = ferror.limits
        self._questions = Questions(
            printer, {s.get_name(): s for rail in rails for s in rail.steppers}
        )
        # Corrected steppers that have not been compared since, and the print
        # time (s) from which on they can be
        self._due: Dict[str, float] = {}
        self._timer = self._reactor.register_timer(self._look_at_due, self._reactor.NEVER)

    def pause(self) -> None:
        """Wait for the answer that is due, and ask nothing more.

        Raises the host's error if an MCU does not answer: it would not take
        part in a homing move either.
        """
        try:
            self._questions.pause()
        except AnswerError as e:
            raise self._command_error(e) from e

    def resume(self) -> None:
        """Go on asking, and make up for what had to wait."""
        self._questions.resume()
        self._reactor.update_timer(self._timer, self._next_look_time())

    def expect(self, results: List[RailResult], done_time: float) -> None:
        """Check, once a correction is done, that the MCUs have counted as planned.

        A homing move that begins before only puts it off.
        """
        check_time = done_time + 2.0 * CLOCK_ERROR_S
        for result in results:
            self._due.update({r.name: check_time for r in result.part.readings})
        self._reactor.update_timer(self._timer, self._next_look_time())

    def check_every(self, interval_s: float) -> None:
        """Check all steppers at an interval (s); zero for never."""
        if not interval_s:
            return

        def check(eventtime: float) -> float:
            self._look_at(list(self._rails))
            return self._reactor.monotonic() + interval_s

        self._reactor.register_timer(check, self._reactor.monotonic() + interval_s)

    def compare_all(self) -> List[Comparison]:
        """Compare all steppers now; faults are noted in the state.

        Raises the host's error if an MCU does not answer.
        """
        # The host itself would wait for ever for an MCU that is lost
        patience_s = ANSWER_TIMEOUT_S * (len(self._rails) + 1)
        done = self._reactor.register_callback(lambda eventtime: self._compare(list(self._rails)))
        found = done.wait(self._reactor.monotonic() + patience_s)
        if found is None:
            found = [], [self._questions.unanswered()]
            self._lose(found[1][0])
        comparisons, unanswered = found
        for e in unanswered:
            raise self._command_error(e)
        return list(comparisons)

    def _command_error(self, e: AnswerError) -> Exception:
        return self._printer.command_error("multi_mcu_resync: %s" % (e,))

    def _print_time(self) -> float:
        return self._host.print_time_at(self._reactor.monotonic())

    def _lose(self, e: AnswerError) -> None:
        self._state.note_miscount(self._rails[e.stepper_name].name, str(e))

    def _compare(self, names: List[str]) -> Tuple[List[Comparison], List[AnswerError]]:
        """Compare as many of these as homing moves let, and note what is wrong."""
        comparisons, unanswered = [], []
        for name in names:
            asked_time = self._print_time()
            try:
                comparison = self._questions.ask(name, self._limits.rails[self._rails[name].name])
            except AnswerError as e:
                # The host shuts down by itself when it has lost an MCU
                if not self._printer.is_shutdown():
                    self._lose(e)
                    unanswered.append(e)
                continue
            if comparison is None:
                break
            comparisons.append(comparison)
            self._note(comparison, asked_time)
        self._note_checks(comparisons)
        return comparisons, unanswered

    def _note(self, comparison: Comparison, asked_time: float) -> None:
        name = comparison.name
        if comparison.is_fault():
            self._state.note_miscount(self._rails[name].name, comparison.describe())
        if self._due.get(name, math.inf) <= asked_time:
            if comparison.is_conclusive():
                self._due.pop(name)
            else:
                self._due[name] = asked_time + LOOK_AGAIN_S

    def _next_look_time(self) -> float:
        """System time (s) at which to look at what is due; not while we may not ask."""
        if self._questions.is_stopped() or not self._due:
            return self._reactor.NEVER
        return self._host.system_time_at(min(self._due.values()))

    def _look_at_due(self, eventtime: float) -> float:
        # While it homes the host has no time to spare
        if not self._questions.is_stopped():
            self._look_at(list(self._due))
        return self._next_look_time()

    def _is_out_of_step(self, name: str) -> bool:
        return self._state.get(self._rails[name].name).in_sync is False

    def _look_at(self, names: List[str]) -> None:
        # What has been reported is not reported again at each interval
        for name in filter(self._is_out_of_step, names):
            self._due.pop(name, None)
        comparisons, unanswered = self._compare([n for n in names if not self._is_out_of_step(n)])
        for e in unanswered:
            self._report(str(e))
        for comparison in comparisons:
            if comparison.is_fault():
                try:
                    self._trip(comparison.describe())
                except LimitError as e:
                    self._report(str(e))

    def _report(self, error: str) -> None:
        logging.warning("multi_mcu_resync: %s", error)
        self._printer.lookup_object("gcode").respond_raw("!! multi_mcu_resync: %s" % (error,))
