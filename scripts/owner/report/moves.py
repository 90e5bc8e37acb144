# Overshoot and corrections of the homing moves that the extra has logged
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List, Optional, Tuple

from .lines import HomingMove, RailMove, StepperMove
from .outliers import Stops
from .series import Histogram, Moments, Series

# So that a log made up for it cannot fill the memory
_MOST_STEPPERS = 256
# Speeds at which one stepper homes to one endstop; a trigger may come while it accelerates
_MOST_STOPS = 64


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
        # Behind the stepper of the rail that went least far
        self.behind_s = Moments()
        # By endstop, and speed to two digits
        self.stops: Dict[Tuple[str, str], Stops] = {}

    def add(self, move: StepperMove, rail: RailMove, number: int, place: str) -> None:
        """Take in the stepper's part in the move of that number and place in the log."""
        self.mcu = move.mcu
        speed_mm_s = rail.speed_mm_s
        if rail.triggered:
            self.overshoot_steps.add(move.overshoot_steps)
            self.overshoot_mm.add(move.overshoot_mm)
            self.histogram.add(move.overshoot_steps)
            self.overshoot_course.extend([number], [move.overshoot_mm])
            self.speed_mm_s.add(speed_mm_s)
            if speed_mm_s > 0:
                self.latency_s.add(move.overshoot_mm / speed_mm_s)
                least_mm = min(stepper.overshoot_mm for stepper in rail.steppers)
                self.behind_s.add((move.overshoot_mm - least_mm) / speed_mm_s)
                self._stop(rail).add(move.overshoot_steps, move.overshoot_mm, place)
        self.correction_steps.add(move.correction_steps)
        self.residual_mm.add(move.residual_mm)

    def _stop(self, rail: RailMove) -> Stops:
        key = (rail.endstop, "%.2g" % (rail.speed_mm_s,))
        if key in self.stops or len(self.stops) < _MOST_STOPS:
            return self.stops.setdefault(key, Stops(rail.speed_mm_s))
        return Stops(rail.speed_mm_s)


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

    def add(self, move: HomingMove, time_s: Optional[float], place: str = "") -> bool:
        """Take in a move, which stands in that place; False if no printer has its steppers."""
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
                history.add(stepper, rail, self.count, place)
        return True

    def in_order(self) -> List[StepperHistory]:
        """The steppers by name."""
        return [self.steppers[name] for name in sorted(self.steppers)]
