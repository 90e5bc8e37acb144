# Steppers that move no carriage: those of extruders, and those that are moved by hand
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
from dataclasses import dataclass
from typing import List, Optional

from printer_config.config import Config
from printer_config.kinematics import Motor
from printer_config.section import Section
from virtual_printer.carriages import Draw

_EXTRUDER = re.compile(r"extruder\d*|extruder_stepper\s.+")
# Those of the plugin Happy Hare home like one
_MANUAL = re.compile(r"manual_stepper\s.+|stepper_mmu_(selector|gear)(_\d+)?")


@dataclass(frozen=True)
class LoneStepper:
    """A stepper with a position (mm) of its own; of an extruder: how much filament it has fed."""

    motor: Motor
    start_mm: float
    # Where its switch closes, if it has one
    switch_mm: Optional[float] = None
    is_switch_at_max: bool = False


def lone_steppers(printer: Config, gantry: Section, draw: Draw) -> List[LoneStepper]:
    """Return all; section [gantry] of the machine file may have where they start."""
    found = []
    for name, section in printer.sections.items():
        # Extruders that share a stepper need none of their own
        if not section.has("step_pin"):
            continue
        if _EXTRUDER.fullmatch(name):
            found.append(LoneStepper(Motor(section, {}), 0.0))
        elif _MANUAL.fullmatch(name):
            found.append(_manual(section, gantry, draw))
    return found


def _manual(section: Section, gantry: Section, draw: Draw) -> LoneStepper:
    motor = Motor(section, {})
    option = f"start_{motor.name}"
    if not section.get("endstop_pin", ""):
        return LoneStepper(motor, gantry.get_float(option, 0.0))
    switch_mm = section.get_float("position_endstop", 0.0)
    is_at_max = section.get_boolean("homing_positive_dir", switch_mm > 0.0)
    away_mm = draw(option, 3.0, 10.0)
    start_mm = switch_mm + (-away_mm if is_at_max else away_mm)
    return LoneStepper(motor, gantry.get_float(option, start_mm), switch_mm, is_at_max)
