# Compare an MCU's stepper count with the host's step history
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Dict, NamedTuple

from .following_error import Limits

# By how much the host may be wrong about an MCU's clock (s), and so about the
# instant at which the MCU counted
CLOCK_ERROR_S = 0.005
# The host's history is looked at so often between the two, as a stepper may turn
INSTANTS = 8


class Comparison(NamedTuple):
    """What an MCU counted, against what the host expects at that instant."""

    name: str
    mcu: str
    counted_steps: int
    expected_steps: int
    error_mm: float
    limit_mm: float

    def is_fault(self) -> bool:
        """At rest the limit is zero: any difference is a fault."""
        return abs(self.error_mm) > self.limit_mm

    def describe(self) -> str:
        """One line for the console."""
        return "%s on %s: counted %d, expected %d, error %.6f mm, limit %.6f mm" % self


class PositionCheck:
    """Asks the MCUs for the counts of steppers."""

    def __init__(self, steppers: Dict[str, Any]) -> None:
        self._steppers = steppers
        self._queries = {
            name: stepper.get_mcu().lookup_query_command(
                "stepper_get_position oid=%c",
                "stepper_position oid=%c pos=%i",
                oid=stepper.get_oid(),
            )
            for name, stepper in steppers.items()
        }

    def compare(self, name: str, limits: Limits) -> Comparison:
        """Ask for the count of one stepper; waits for the MCU's answer.

        Raises the host's error if there is none.
        """
        stepper = self._steppers[name]
        mcu = stepper.get_mcu()
        if mcu.is_fileoutput():
            # In batch mode nobody answers: as if every step had been taken
            counted = stepper.get_mcu_position()
            return Comparison(name, mcu.get_name(), counted, counted, 0.0, 0.0)
        params = self._queries[name].send([stepper.get_oid()])
        counted = -params["pos"] if stepper.get_dir_inverted()[0] else params["pos"]
        # The MCU counted some time between these two
        first = mcu.estimated_print_time(params["#sent_time"]) - CLOCK_ERROR_S
        last = mcu.estimated_print_time(params["#receive_time"]) + CLOCK_ERROR_S
        between = [first + (last - first) * i / INSTANTS for i in range(INSTANTS + 1)]
        counts = [stepper.get_past_mcu_position(instant) for instant in between]
        low, high = min(counts), max(counts)
        expected = min(max(counted, low), high)
        step_dist_mm = stepper.get_step_dist()
        limit_mm = 0.0
        if low != high:
            limit_mm = limits.limit_mm((high - low) * step_dist_mm / (last - first))
        error_mm = (counted - expected) * step_dist_mm
        return Comparison(name, mcu.get_name(), counted, expected, error_mm, limit_mm)
