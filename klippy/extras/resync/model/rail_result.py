# What one homing move did to a rail: what was read, and what was made of it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, NamedTuple

from .plan import TRIGGER, RailPlan, StepperCorrection, StepperReading
from .rail import Rail
from .running_statistics import latency_ms


class RailReadings(NamedTuple):
    """The readings of those steppers of a rail that share an endstop.

    speed_mm_s is that of the rail when the endstop triggered, error why these
    steppers must not be moved by what was read, target where they are to go.
    """

    rail: Rail
    endstop: str
    triggered: bool
    readings: List[StepperReading]
    speed_mm_s: float
    error: str = ""
    target: str = TRIGGER


class RailResult(NamedTuple):
    """One rail's part in a homing move."""

    part: RailReadings
    plan: RailPlan
    corrected: bool = False

    def has_stops(self) -> bool:
        """Whether the rail was on its way when the endstop triggered."""
        return self.part.triggered and self.part.speed_mm_s > 0.0

    def latency_ms(self, correction: StepperCorrection) -> float:
        """The time that a stepper's overshoot took; zero if nothing had to stop."""
        if not self.has_stops():
            return 0.0
        return latency_ms(correction.overshoot_mm, self.part.speed_mm_s)
