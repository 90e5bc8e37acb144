# Which steppers home, to which endstop and how fast, as the printed configuration has it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from typing import Callable, Iterator, List, NamedTuple, Optional, Tuple

from printer_config import mcus, motion, pins, probes
from printer_config.config import Config
from printer_config.section import ConfigError, Section

# Where the pin is at which an MCU sees what triggers: a probe or a driver that feels a stall
_SENSOR_PINS = ("pin", "sensor_pin", "diag_pin", "diag0_pin", "diag1_pin", "dout_pin")
# A number beyond that is one of a damaged log
_LARGEST = 1e9


class StepperConfig(NamedTuple):
    """A stepper of a rail; what the configuration leaves open is None."""

    name: str
    mcu: str
    endstop_mcu: Optional[str]
    speed_mm_s: float
    step_distance_mm: Optional[float]


def homing_steppers(printer: Config) -> List[StepperConfig]:
    """All steppers of rails that home, in the order of the configuration."""
    return list(_homing_steppers(printer))


def _homing_steppers(printer: Config) -> Iterator[StepperConfig]:
    for section in printer.sections.values():
        rail = _rail_of(printer, section) if section.has("step_pin") else None
        if rail is None:
            continue
        endstop_mcu, probe = _endstop(printer, rail)
        speed_mm_s = _number(motion.homing_speed_mm_s, rail) or motion.DEFAULT_SPEED_MM_S
        if probe is not None:
            probing_mm_s = _number(motion.probing_speed_mm_s, probe) or motion.DEFAULT_SPEED_MM_S
            speed_mm_s = max(speed_mm_s, probing_mm_s)
        yield StepperConfig(
            # As the extra's log line has it: generic_cartesian's names have blanks
            section.name.replace(" ", "_"),
            pins.split(section.get("step_pin")).chip,
            endstop_mcu,
            speed_mm_s,
            _number(motion.step_distance_mm, section),
        )


def _number(read: Callable[[Section], float], section: Section) -> Optional[float]:
    """What a section says, or None if it makes no sense."""
    try:
        value = read(section)
    except ConfigError:
        return None
    return value if value <= _LARGEST else None


def _rail_of(printer: Config, stepper: Section) -> Optional[Section]:
    carriage = re.match(r"\s*(\w+)", stepper.get("carriages", ""))
    rails = [stepper.name, stepper.name.rstrip("0123456789")]
    if carriage:
        rails.insert(0, "carriage %s" % (carriage.group(1),))
    # A second stepper without an endstop of its own homes to the first one's
    for rail in rails:
        if printer.section(rail).has("endstop_pin"):
            return printer.section(rail)
    return None


def _endstop(printer: Config, rail: Section) -> Tuple[Optional[str], Optional[Section]]:
    """The MCU of a rail's endstop; and the probe if it is one."""
    chip = pins.split(rail.get("endstop_pin")).chip
    if mcus.is_mcu(printer, chip):
        return chip, None
    kind, _, rest = chip.partition("_")
    # tmc2209_stepper_x:virtual_endstop belongs to [tmc2209 stepper_x]
    for name in (chip, "%s %s" % (kind, rest)):
        if not probes.is_probe(name) and name in printer.sections:
            return _sensor_mcu(printer, printer.sections[name]), None
    for probe in probes.sections(printer):
        return _sensor_mcu(printer, probe), probe
    # Of a probe that is not Klipper's the section is not known
    return None, printer.section(chip) if chip == "probe" else None


def _sensor_mcu(printer: Config, sensor: Section) -> Optional[str]:
    if sensor.has("i2c_mcu"):
        return sensor.get("i2c_mcu")
    if sensor.name == probes.CARTOGRAPHER and sensor.has("mcu"):
        return sensor.get("mcu")
    given = [sensor.get(option) for option in _SENSOR_PINS if sensor.has(option)]
    chips = [pins.split(pin).chip for pin in given]
    return next((chip for chip in chips if mcus.is_mcu(printer, chip)), None)
