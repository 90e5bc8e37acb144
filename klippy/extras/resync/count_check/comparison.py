# Compare an MCU's stepper count with the host's step history
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, NamedTuple, Optional

from ..host.answers import CLOCK_ERROR_S, ask
from ..host.step_history import counts_between, is_remembered
from ..model.following_error import Limits
from ..model.klippy import Reactor, Stepper

# An answer that took longer (s) has been asked for twice, and a stepper that
# moves may have gone too far meanwhile for a lost step to show
MAX_ROUND_TRIP_S = 0.025

# Why nothing can be said of a count
LATE = "the MCU answers late and the stepper moves"
FORGOTTEN = "the host has generated a long move already"


class Comparison(NamedTuple):
    """What an MCU counted, against what the host expects at that instant.

    doubt says why nothing can be said of it; it is empty as a rule.
    """

    name: str
    mcu: str
    counted_steps: int
    expected_steps: int
    error_mm: float
    limit_mm: float
    doubt: str = ""

    def is_fault(self) -> bool:
        """At rest the limit is zero: any difference is a fault."""
        return abs(self.error_mm) > self.limit_mm

    def is_conclusive(self) -> bool:
        """Whether steps that the MCU has lost would have shown."""
        return not self.doubt or self.is_fault()

    def describe(self) -> str:
        """One line for the console."""
        if not self.is_conclusive():
            return "%s on %s: not compared, %s: check again at standstill" % (
                self.name,
                self.mcu,
                self.doubt,
            )
        return "%s on %s: counted %d, expected %d, error %.6f mm, limit %.6f mm" % (
            self.name,
            self.mcu,
            self.counted_steps,
            self.expected_steps,
            self.error_mm,
            self.limit_mm,
        )


class Comparer:
    """Asks the MCUs for the counts of steppers."""

    def __init__(self, reactor: Reactor, steppers: Dict[str, Stepper]) -> None:
        self._reactor = reactor
        self._steppers = steppers
        self._queries = {
            name: stepper.get_mcu().lookup_query_command(
                "stepper_get_position oid=%c",
                "stepper_position oid=%c pos=%i",
                oid=stepper.get_oid(),
            )
            for name, stepper in steppers.items()
        }

    def compare(self, name: str, limits: Limits) -> Optional[Comparison]:
        """Ask for the count of one stepper; waits for the MCU's answer.

        Returns None if the answer belongs to an earlier question.  Raises the
        host's error if there is none.
        """
        stepper = self._steppers[name]
        mcu = stepper.get_mcu()
        if mcu.is_fileoutput():
            # In batch mode nobody answers: as if every step had been taken
            counted = stepper.get_mcu_position()
            return Comparison(name, mcu.get_name(), counted, counted, 0.0, 0.0)
        answer = ask(self._reactor, self._queries[name], [stepper.get_oid()])
        if answer is None:
            return None
        pos = answer.params["pos"]
        counted = -pos if stepper.get_dir_inverted()[0] else pos
        # The MCU counted some time between these two
        first = mcu.estimated_print_time(answer.first_time) - CLOCK_ERROR_S
        last = mcu.estimated_print_time(answer.last_time) + CLOCK_ERROR_S
        if not is_remembered(stepper, last):
            return Comparison(name, mcu.get_name(), counted, counted, 0.0, 0.0, FORGOTTEN)
        low, high = counts_between(stepper, first, last)
        expected = min(max(counted, low), high)
        step_dist_mm = stepper.get_step_dist()
        limit_mm = 0.0
        if low != high:
            limit_mm = limits.limit_mm((high - low) * step_dist_mm / (last - first))
        error_mm = (counted - expected) * step_dist_mm
        is_timely = low == high or answer.last_time - answer.first_time <= MAX_ROUND_TRIP_S
        doubt = "" if is_timely else LATE
        return Comparison(name, mcu.get_name(), counted, expected, error_mm, limit_mm, doubt)
