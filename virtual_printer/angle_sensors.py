# The angle sensors of a machine, each at the shaft of a motor
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Callable, Dict, Mapping, Tuple

from printer_config.config import Config
from printer_config.motion import step_distance_mm
from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.bus_places import spi_place
from virtual_printer.model import AngleSensor

# Others answer zeros
_KINDS = ("a1333", "as5047d", "tle5012b", "mt6816", "mt6826s")
_CLOCK_ERROR_PERCENT = 1.0


def angle_sensors(
    printer: Config,
    boards: Boards,
    motors: Mapping[str, Section],
    uniform: Callable[[str, float, float], float],
) -> Tuple[AngleSensor, ...]:
    """Return all that printer.cfg has; `motors` are the sections of steppers by name."""
    found: Dict[str, AngleSensor] = {}
    for name, section in printer.sections.items():
        kind = section.get("sensor_type", "") if name.startswith("angle ") else ""
        if kind not in _KINDS:
            continue
        stepper = section.get("stepper", "").replace(" ", "_")
        motor = motors.get(stepper)
        found[name] = AngleSensor(
            kind=kind,
            place=spi_place(section, boards),
            offset=uniform(f"{name} offset", 0.0, 0.999),
            stepper=stepper if motor else None,
            turn_mm=_turn_mm(motor) if motor else 0.0,
            clock_factor=1.0
            + uniform(f"{name} clock", -_CLOCK_ERROR_PERCENT, _CLOCK_ERROR_PERCENT) / 100.0,
        )
    return tuple(found.values())


def _turn_mm(motor: Section) -> float:
    steps = motor.get_int("full_steps_per_rotation", 200, minimum=1)
    return step_distance_mm(motor) * steps * motor.get_int("microsteps", minimum=1)
