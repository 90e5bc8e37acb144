# How far a step moves a stepper, and how fast a printer homes
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import math

from printer_config.config import Config
from printer_config.section import Section

# Klipper's default (mm/s) of homing_speed and of a probe's speed
DEFAULT_SPEED_MM_S = 5.0
# After how long (s) an MCU that hears nothing stops a homing move; Klipper's TRSYNC_TIMEOUT
TRSYNC_TIMEOUT_S = 0.025


def step_distance_mm(stepper: Section) -> float:
    """Return how far one step pulse moves a stepper."""
    return _step_distance(stepper, stepper.get_float("rotation_distance", above=0.0))


def step_distance_rad(stepper: Section) -> float:
    """Return how far one step pulse turns what a stepper turns through its gears."""
    stepper.get("gear_ratio")
    return _step_distance(stepper, 2.0 * math.pi)


def _step_distance(stepper: Section, rotation: float) -> float:
    """Return a step's share of what a whole rotation of the last gear is."""
    full_steps = stepper.get_int("full_steps_per_rotation", 200, minimum=1)
    steps = float(full_steps) * float(stepper.get_int("microsteps", minimum=1))
    if stepper.has("gear_ratio"):
        for pair in stepper.get_rows("gear_ratio", (",", ":")):
            if len(pair) != 2 or min(pair) <= 0.0:
                raise stepper.error("gear_ratio", "must be pairs of positive numbers, as in 80:16")
            steps *= pair[0] / pair[1]
    distance = rotation / steps if steps else math.inf
    if not 0.0 < distance < math.inf:
        raise stepper.error("rotation_distance", "makes no step distance with the other options")
    return distance


def homing_speed_mm_s(rail: Section) -> float:
    """Return how fast a rail homes."""
    return rail.get_float("homing_speed", DEFAULT_SPEED_MM_S, above=0.0)


def probing_speed_mm_s(probe: Section) -> float:
    """Return how fast a probe goes down."""
    return probe.get_float("speed", DEFAULT_SPEED_MM_S, above=0.0)


def trsync_timeout_s(printer: Config) -> float:
    """Return after how long an MCU that hears nothing stops a homing move; an option in Kalico."""
    section = printer.section("danger_options")
    return section.get_float("multi_mcu_trsync_timeout", TRSYNC_TIMEOUT_S, above=0.0)
