# Tell the user what the last homing move did
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Dict, List, NamedTuple

from .event import RailReadings
from .plan import RailPlan
from .rail import Rail
from .sync_state import RailState, SyncState


class RailResult(NamedTuple):
    """One rail's part in a homing move."""

    part: RailReadings
    plan: RailPlan
    corrected: bool = False


def _log_fields(result: RailResult) -> str:
    plan = result.plan
    steppers = " ".join(
        "%s=%+d,%+d,%+.6f"
        % (c.name, c.overshoot_steps, c.correction_steps, c.residual_mm)
        for c in plan.corrections
    )
    return "rail=%s endstop=%s triggered=%d direction=%+d target=%.6f corrected=%d %s" % (
        result.part.rail.name,
        result.part.endstop,
        result.part.triggered,
        plan.direction,
        plan.target_mm,
        result.corrected,
        steppers,
    )


def log_line(results: List[RailResult]) -> str:
    """One line per homing move: for each rail key=value fields, then steppers.

    A stepper's fields are steps of overshoot, steps of correction and the
    residual in mm.
    """
    return "multi_mcu_resync: %s" % (" ; ".join(_log_fields(r) for r in results),)


def _console_lines(result: RailResult) -> List[str]:
    part = result.part
    trigger = "triggered" if part.triggered else "did not trigger"
    outcome = "corrected" if result.corrected else "not corrected"
    lines = ["%s: %s %s, %s" % (part.rail.name, part.endstop, trigger, outcome)]
    for c in result.plan.corrections:
        lines.append(
            "  %s: overshoot %d steps (%.6f mm), correction %d steps"
            " (%.6f mm), residual %.6f mm"
            % (
                c.name,
                c.overshoot_steps,
                c.overshoot_mm,
                c.correction_steps,
                c.correction_mm,
                c.residual_mm,
            )
        )
    return lines


class Status:
    """Holds the last homing move for QUERY_RESYNC and get_status()."""

    def __init__(self, correct: bool) -> None:
        self._correct = correct
        self._axes: List[str] = []
        self._rails: List[Rail] = []
        self._state = SyncState([])
        self._homing_moves = 0
        self._last: List[RailResult] = []
        self._error = ""

    def note_rails(self, rails: List[Rail], state: SyncState) -> None:
        """Remember which rails are resynced, and where their state is."""
        self._rails = rails
        self._state = state
        self._axes = [axis for rail in rails for axis in rail.axes]

    def note_homing_move(self, results: List[RailResult], error: str = "") -> None:
        """Take in one homing move; error tells why it could not be corrected."""
        self._homing_moves += 1
        self._last = results
        self._error = error

    def console_text(self) -> str:
        """What QUERY_RESYNC answers."""
        if not self._axes:
            return "No axis has steppers on several MCUs"
        if not self._homing_moves:
            return "No homing move yet on axis %s" % (", ".join(self._axes),)
        lines = [line for r in self._last for line in _console_lines(r)]
        for axis, state in self._axis_states().items():
            word = {True: "in sync", False: "not in sync", None: "unknown"}[state.in_sync]
            lines.append("axis %s: %s" % (axis, ", ".join(filter(None, (word, state.reason)))))
        if self._error:
            lines.append("Error: %s" % (self._error,))
        return "\n".join(lines)

    def _axis_states(self) -> Dict[str, RailState]:
        return {axis: self._state.get(r.name) for r in self._rails for axis in r.axes}

    def get_status(self) -> Dict[str, Any]:
        """The fields of printer.multi_mcu_resync, by stepper name."""
        corrections = [c for r in self._last for c in r.plan.corrections]
        return {
            "axes": list(self._axes),
            "correct": self._correct,
            "in_sync": {axis: s.in_sync for axis, s in self._axis_states().items()},
            "out_of_sync_reason": {axis: s.reason for axis, s in self._axis_states().items()},
            "homing_moves": self._homing_moves,
            "triggered": bool(self._last) and all(r.part.triggered for r in self._last),
            "corrected": bool(self._last) and all(r.corrected for r in self._last),
            "overshoot_steps": {c.name: c.overshoot_steps for c in corrections},
            "overshoot_mm": {c.name: c.overshoot_mm for c in corrections},
            "correction_steps": {c.name: c.correction_steps for c in corrections},
            "residual_mm": {c.name: c.residual_mm for c in corrections},
            "error": self._error,
        }
