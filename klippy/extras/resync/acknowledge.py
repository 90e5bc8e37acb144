# Acknowledged corrections, and the following error between homing moves
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
from typing import Any, Callable, List

from .history import RailResult
from .host import Host
from .limit import LimitError
from .limit_settings import LimitSettings
from .position_check import CLOCK_ERROR_S, Comparison, PositionCheck
from .rail import Rail
from .resyncer import Resyncer
from .sync_state import SyncState

# An MCU answers within milliseconds, and a lost message is repeated after 25 ms
ANSWER_TIMEOUT_S = 1.0


class Acknowledgement:
    """Asks the MCUs for their counts after corrections, at intervals, on demand.

    None of it holds up the moves that follow.  The host asks for the same
    counts while it homes, and two such questions at once would take each
    other's answer, so there are none of ours then.
    """

    def __init__(
        self,
        printer: Any,
        host: Host,
        rails: List[Rail],
        limits: LimitSettings,
        state: SyncState,
        resyncer: Resyncer,
        note_checks: Callable[[List[Comparison]], None],
    ) -> None:
        self._printer = printer
        self._reactor = printer.get_reactor()
        self._host = host
        self._state = state
        self._resyncer = resyncer
        self._note_checks = note_checks
        self._rails = {s.get_name(): rail for rail in rails for s in rail.steppers}
        self._limits = limits
        steppers = {s.get_name(): s for rail in rails for s in rail.steppers}
        self._check = PositionCheck(steppers)
        # The steppers whose counts are being asked for
        self._asked: List[str] = []
        self._answered = self._reactor.completion()
        # Held by who compares; others wait for their turn
        self._turn = self._reactor.mutex()
        self._is_paused = False

    def pause(self) -> None:
        """Wait for the answers that are due, and ask nothing more.

        Raises the host's error if an MCU does not answer: it would not take
        part in a homing move either.
        """
        self._is_paused = True
        if self._asked:
            self._answered.wait(self._reactor.monotonic() + ANSWER_TIMEOUT_S)
        if self._asked:
            self._is_paused = False
            raise self._no_answer(self._asked[0])

    def resume(self) -> None:
        """Go on asking."""
        self._is_paused = False

    def expect(self, results: List[RailResult], done_time: float) -> None:
        """Check, once a correction is done, that the MCUs have counted as planned."""
        names = [r.name for result in results for r in result.part.readings]
        self._host.call_at_print_time(
            done_time + 2.0 * CLOCK_ERROR_S, lambda eventtime: self._look_at(names)
        )

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
        results: List[Any] = []

        def compare(eventtime: float) -> None:
            try:
                results.append(self._compare(list(self._rails)))
            except Exception as e:
                results.append(e)

        # The host itself would wait for ever for an MCU that is lost
        patience_s = ANSWER_TIMEOUT_S * (len(self._rails) + 1)
        done = self._reactor.register_callback(compare)
        done.wait(self._reactor.monotonic() + patience_s)
        if not results:
            name = self._asked[0]
            self._state.lose(self._rails[name].name, "no count from an MCU")
            raise self._no_answer(name)
        if isinstance(results[0], Exception):
            raise results[0]
        return list(results[0])

    def _no_answer(self, name: str) -> Exception:
        error: Exception = self._printer.command_error(
            "multi_mcu_resync: no answer from the MCU of '%s'" % (name,)
        )
        return error

    def _compare(self, names: List[str]) -> List[Comparison]:
        comparisons = []
        with self._turn:
            for name in names:
                # The host itself may have begun to ask
                if self._is_paused or self._printer.is_shutdown():
                    break
                comparisons.append(self._ask(name))
        self._note_checks(comparisons)
        for comparison in comparisons:
            if comparison.is_fault():
                rail = self._rails[comparison.name]
                self._state.lose(rail.name, comparison.describe())
        return comparisons

    def _ask(self, name: str) -> Comparison:
        self._asked = [name]
        self._answered = self._reactor.completion()
        try:
            return self._check.compare(name, self._limits.rails[self._rails[name].name])
        finally:
            self._asked = []
            self._answered.complete(True)

    def _look_at(self, names: List[str]) -> None:
        # What is known already is not told again at each interval
        names = [n for n in names if self._state.get(self._rails[n].name).in_sync is not False]
        try:
            faults = [c for c in self._compare(names) if c.is_fault()]
        except Exception as e:
            # The host shuts down by itself when it has lost an MCU
            logging.info("multi_mcu_resync: no count from an MCU: %s", e)
            for name in names:
                self._state.lose(self._rails[name].name, "no count from an MCU")
            return
        for fault in faults:
            try:
                self._resyncer.trip(fault.describe())
            except LimitError as e:
                logging.warning("multi_mcu_resync: %s", e)
                gcode = self._printer.lookup_object("gcode")
                gcode.respond_raw("!! multi_mcu_resync: %s" % (e,))
