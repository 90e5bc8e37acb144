# Overshoot and corrections of the homing moves that the extra has logged
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List, Optional

from .lines import HomingMove, RailMove, StepperMove
from .series import Histogram, Moments, Series

# So that a log made up for it cannot fill the memory
_MOST_STEPPERS = 256


class StepperHistory:
    """What one stepper did in all homing moves."""

    def __init__(self, name: str, mcu: str) -> None:
        self.name = name
        self.mcu = mcu
        self.overshoot_steps = Moments()
        self.overshoot_mm = Moments()
        self.latency_s = Moments()
        self.correction_steps = Moments()
        self.residual_mm = Moments()
        self.speed_mm_s = Moments()
        self.histogram = Histogram()
        self.overshoot_course = Series()

    def add(self, move: StepperMove, number: int, speed_mm_s: float, triggered: bool) -> None:
        """Take in the stepper's part in the move of that number."""
        self.mcu = move.mcu
        if triggered:
            self.overshoot_steps.add(move.overshoot_steps)
            self.overshoot_mm.add(move.overshoot_mm)
            self.histogram.add(move.overshoot_steps)
            self.overshoot_course.extend([number], [move.overshoot_mm])
            self.speed_mm_s.add(speed_mm_s)
            if speed_mm_s > 0:
                self.latency_s.add(move.overshoot_mm / speed_mm_s)
        self.correction_steps.add(move.correction_steps)
        self.residual_mm.add(move.residual_mm)


class RailHistory:
    """The homing moves of one rail to one endstop."""

    def __init__(self, rail: str, endstop: str) -> None:
        self.rail = rail
        self.endstop = endstop
        self.moves = 0
        self.triggered = 0
        self.corrected = 0
        self.speed_mm_s = Moments()
        self.skew_mm = Moments()

    def add(self, part: RailMove) -> None:
        """Take in the rail's part in a move."""
        self.moves += 1
        self.triggered += part.triggered
        self.corrected += part.corrected
        if part.triggered:
            # The line has the speed at the trigger
            self.speed_mm_s.add(part.speed_mm_s)
        overshoots_mm = [stepper.overshoot_mm for stepper in part.steppers]
        self.skew_mm.add(max(overshoots_mm) - min(overshoots_mm))


class Moves:
    """All homing moves of a log."""

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self.steppers: Dict[str, StepperHistory] = {}
        self.rails: Dict[str, RailHistory] = {}
        # When the moves took place, as the numbers of moves go by
        self.time_course = Series()

    def add(self, move: HomingMove, time_s: Optional[float]) -> bool:
        """Take in a move; False if it has more steppers than any printer."""
        names = {stepper.name for rail in move.rails for stepper in rail.steppers}
        if len(names.union(self.steppers)) > _MOST_STEPPERS:
            return False
        self.count += 1
        self.failed += bool(move.error)
        self.time_course.extend([self.count], [time_s or 0.0])
        for rail in move.rails:
            key = "%s to %s" % (rail.rail, rail.endstop)
            if len(self.rails) < _MOST_STEPPERS or key in self.rails:
                self.rails.setdefault(key, RailHistory(rail.rail, rail.endstop)).add(rail)
            for stepper in rail.steppers:
                history = self.steppers.setdefault(
                    stepper.name, StepperHistory(stepper.name, stepper.mcu)
                )
                history.add(stepper, self.count, rail.speed_mm_s, rail.triggered)
        return True

    def in_order(self) -> List[StepperHistory]:
        """The steppers by name."""
        return [self.steppers[name] for name in sorted(self.steppers)]
