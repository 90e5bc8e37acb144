# How far each stepper may be expected to overshoot, and how far it did
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Expected overshoot.

The trigger travels from the endstop's MCU to the host and from there to the stepper's MCU, half
a round trip (srtt) each; a stepper on the endstop's own MCU stops at once. What the host itself
takes comes on top. Overshoot is speed times that latency. Klippy prints srtt to a whole
millisecond, so the sum of two halves is right to 0.5 ms only.
"""

from typing import Dict, List, NamedTuple, Optional

from printer_config.motion import DEFAULT_SPEED_MM_S

from .log import MAIN_MCU, Log
from .moves import StepperHistory
from .steppers import StepperConfig, homing_steppers

ROUNDING_S = 0.0005


class Prediction(NamedTuple):
    """What is expected of a stepper (or of any stepper on an MCU, if name is empty)."""

    name: str
    mcu: str
    endstop_mcu: Optional[str]
    speed_mm_s: float
    latency_s: Optional[float]
    step_distance_mm: Optional[float]
    measured: Optional[StepperHistory]

    @property
    def overshoot_mm(self) -> Optional[float]:
        """The overshoot to expect."""
        return None if self.latency_s is None else self.latency_s * self.speed_mm_s

    @property
    def rounding_mm(self) -> float:
        """How much of that is unknown because srtt is rounded."""
        return ROUNDING_S * self.speed_mm_s if self.mcu != self.endstop_mcu else 0.0


def _latency_s(log: Log, mcu: str, endstop_mcu: Optional[str]) -> Optional[float]:
    """One way from the endstop and one way to the stepper."""
    if mcu == endstop_mcu:
        return 0.0
    links = log.links
    if mcu not in links:
        return None
    # An endstop of which nothing is known: as far away as the stepper
    other = links.get(endstop_mcu or "", links[mcu])
    return (links[mcu].srtt_s.mean + other.srtt_s.mean) / 2.0


def homing_speed(log: Log, mcu: str) -> float:
    """The highest speed (mm/s) at which an MCU's steppers home, or any stepper if it has none."""
    speeds = [p.speed_mm_s for p in predictions(log) if p.name and p.mcu == mcu]
    speeds = speeds or [p.speed_mm_s for p in predictions(log) if p.name.startswith("stepper_z")]
    return max(speeds, default=log.probe_speed_mm_s or DEFAULT_SPEED_MM_S)


def predictions(log: Log) -> List[Prediction]:
    """For each stepper that has moved or that the configuration has, by name; else for each MCU."""
    configured = {stepper.name: stepper for stepper in homing_steppers(log.config)}
    names = sorted({*configured, *log.moves.steppers})
    if not names:
        speed_mm_s = log.probe_speed_mm_s or DEFAULT_SPEED_MM_S
        return [
            Prediction("", mcu, None, speed_mm_s, _latency_s(log, mcu, None), None, None)
            for mcu in log.links
            if mcu != MAIN_MCU or len(log.links) == 1
        ]
    return [_of_stepper(log, name, configured) for name in names]


def _of_stepper(log: Log, name: str, configured: Dict[str, StepperConfig]) -> Prediction:
    history = log.moves.steppers.get(name)
    stepper = configured.get(name)
    mcu = history.mcu if history else stepper.mcu if stepper else ""
    endstop_mcu = stepper.endstop_mcu if stepper else None
    speed_mm_s = stepper.speed_mm_s if stepper else DEFAULT_SPEED_MM_S
    if history and history.speed_mm_s.count:
        speed_mm_s = history.speed_mm_s.mean
    return Prediction(
        name,
        mcu,
        endstop_mcu,
        speed_mm_s,
        _latency_s(log, mcu, endstop_mcu),
        stepper.step_distance_mm if stepper else None,
        history,
    )
