# The fields of printer.multi_mcu_resync
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List, Tuple

from ..count_check.comparison import Comparison
from ..model.following_error import Limits
from ..model.limit_settings import LimitSettings
from ..model.plan import StepperCorrection
from ..model.rail import Rail
from ..model.running_statistics import StopStatistics
from ..state.sync_state import RailState, SyncState
from .history import History


class Status:
    """Builds the fields when something has changed, and hands out the same ones until then.

    Clients ask several times a second, and compare the answers: what has been
    handed out is never changed.
    """

    def __init__(
        self,
        correct: bool,
        history: History,
        limits: LimitSettings,
        rails: List[Rail],
        state: SyncState,
    ) -> None:
        self._correct = correct
        self._history = history
        self._limits = limits
        self._rails = rails
        self._state = state
        self._checks: Dict[str, Comparison] = {}
        self._fields: Dict[str, object] = {}
        self._built_from: List[object] = []

    def note_checks(self, comparisons: List[Comparison]) -> None:
        """Take in what the MCUs have counted."""
        self._checks = {**self._checks, **{c.name: c for c in comparisons}}

    def get_status(self) -> Dict[str, object]:
        """What a macro and a client get."""
        present = self._present()
        if present != self._built_from:
            self._built_from = present
            self._fields = self._build()
        return self._fields

    def _present(self) -> List[object]:
        """All that the fields are made of; each part is replaced when it changes."""
        return [
            self._history.moves,
            self._history.statistics,
            self._limits.rails,
            self._limits.max_correction_mm,
            self._limits.on_ferror,
            {name: (c.error_mm, c.limit_mm) for name, c in self._checks.items()},
            [self._state.get(rail.name) for rail in self._rails],
        ]

    def _build(self) -> Dict[str, object]:
        """The fields of printer.multi_mcu_resync: plain, by axis or by stepper."""
        axes = self._by_axis()
        mcus = {n: mcu for rail in self._rails for n, mcu in rail.mcu_names.items()}
        moves = self._history.moves
        last = self._last_by_stepper()
        stops = {n: self._history.statistics.get(n, StopStatistics()) for n in mcus}
        return {
            "axes": list(axes),
            "correct": self._correct,
            "in_sync": {a: state.in_sync for a, (state, _) in axes.items()},
            "out_of_sync_reason": {a: state.reason for a, (state, _) in axes.items()},
            "level_needed": {a: bool(state.level_reason) for a, (state, _) in axes.items()},
            "level_needed_reason": {a: state.level_reason for a, (state, _) in axes.items()},
            "ferror_mm": {a: limits.ferror_mm for a, (_, limits) in axes.items()},
            "min_ferror_mm": {a: limits.min_ferror_mm for a, (_, limits) in axes.items()},
            "max_correction_mm": self._limits.max_correction_mm,
            "on_ferror": self._limits.on_ferror,
            "mcu": mcus,
            "homing_moves": moves.number,
            "triggered": bool(moves.last) and all(r.part.triggered for r in moves.last),
            "corrected": bool(moves.last) and all(r.corrected for r in moves.last),
            "error": moves.error,
            "overshoot_steps": {n: c.overshoot_steps for n, (c, _, _) in last.items()},
            "overshoot_mm": {n: c.overshoot_mm for n, (c, _, _) in last.items()},
            "overshoot_limit_mm": {n: limit_mm for n, (_, limit_mm, _) in last.items()},
            "latency_ms": {n: latency_ms for n, (_, _, latency_ms) in last.items()},
            "target": {a: r.part.target for r in moves.last for a in r.part.rail.axes},
            "correction_steps": {n: c.correction_steps for n, (c, _, _) in last.items()},
            "residual_mm": {n: c.residual_mm for n, (c, _, _) in last.items()},
            "overshoot_count": {n: s.overshoot_mm.number for n, s in stops.items()},
            "overshoot_mean_mm": {n: s.overshoot_mm.mean for n, s in stops.items()},
            "overshoot_max_mm": {n: s.overshoot_mm.maximum for n, s in stops.items()},
            "overshoot_stddev_mm": {
                n: s.overshoot_mm.standard_deviation() for n, s in stops.items()
            },
            "latency_mean_ms": {n: s.latency_ms.mean for n, s in stops.items()},
            "latency_max_ms": {n: s.latency_ms.maximum for n, s in stops.items()},
            "latency_stddev_ms": {n: s.latency_ms.standard_deviation() for n, s in stops.items()},
            "following_error_mm": {n: c.error_mm for n, c in self._checks.items()},
            "following_error_limit_mm": {n: c.limit_mm for n, c in self._checks.items()},
        }

    def _by_axis(self) -> Dict[str, Tuple[RailState, Limits]]:
        return {
            axis: (self._state.get(rail.name), self._limits.rails[rail.name])
            for rail in self._rails
            for axis in rail.axes
        }

    def _last_by_stepper(self) -> Dict[str, Tuple[StepperCorrection, float, float]]:
        """Correction, limit (mm) and latency (ms) of each stepper in the last move."""
        return {
            c.name: (
                c,
                self._limits.rails[r.part.rail.name].limit_mm(r.part.speed_mm_s),
                r.latency_ms(c),
            )
            for r in self._history.moves.last
            for c in r.plan.corrections
        }
