# The shared axes of a printer.cfg, as far as the limits need them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from typing import Dict, List, NamedTuple, Tuple

from printer_config import kinematics, motion, pins, probes
from printer_config.config import Config
from printer_config.kinematics import Kinematics, Motor, Track
from printer_config.section import ConfigError


class Axis(NamedTuple):
    """Steppers that belong together, and how fast they go.

    finest and coarsest are the step distances of its steppers.  speeds_mm_s
    has the homing moves by name, "maximum" comes last.
    """

    name: str
    stepper_mcus: Dict[str, str]
    finest_step_mm: float
    coarsest_step_mm: float
    speeds_mm_s: Dict[str, float]
    accel_mm_s2: float

    @property
    def max_speed_mm_s(self) -> float:
        """The axis's maximum speed."""
        return self.speeds_mm_s["maximum"]


def shared_axes(printer: Config) -> List[Axis]:
    """Read all axes whose steppers sit on several MCUs; that there is none is an error too."""
    machine = kinematics.load(printer)
    tracks = {track.name: track for track in machine.tracks}
    # As the extra has it: steppers that follow the carriages alike belong together
    alike: Dict[Tuple[Tuple[str, float], ...], List[Motor]] = {}
    for motor in machine.motors:
        slopes = sorted((tracks[name].primary, by) for name, by in motor.moves.items())
        alike.setdefault(tuple(slopes), []).append(motor)
    shared = [motors for motors in alike.values() if len(set(map(_mcu, motors))) > 1]
    if not shared:
        raise ConfigError(f"{printer.source}: no axis has steppers on several MCUs")
    return [_axis(printer, machine, motors) for motors in shared]


def _mcu(motor: Motor) -> str:
    return pins.split(motor.section.get("step_pin")).chip


def _axis(printer: Config, machine: Kinematics, motors: List[Motor]) -> Axis:
    rails = _rails(machine, motors)
    steps_mm = [motion.step_distance_mm(motor.section) for motor in motors]
    section = printer.required_section("printer")
    max_mm_s = section.get_float("max_velocity", above=0.0)
    accel_mm_s2 = section.get_float("max_accel", above=0.0)
    if any(rail.axis == "z" for rail in rails):
        max_mm_s = min(max_mm_s, section.get_float("max_z_velocity", max_mm_s, above=0.0))
        accel_mm_s2 = min(accel_mm_s2, section.get_float("max_z_accel", accel_mm_s2, above=0.0))
    speeds_mm_s = {"homing": max(motion.homing_speed_mm_s(rail.range) for rail in rails)}
    found = probes.sections(printer)
    if found and any(rail.axis == "z" for rail in rails):
        speeds_mm_s["probing"] = max(map(motion.probing_speed_mm_s, found))
    # The toolhead lets no move be faster
    speeds_mm_s = {name: min(speed, max_mm_s) for name, speed in speeds_mm_s.items()}
    return Axis(
        "+".join(rail.name for rail in rails),
        {motor.name: _mcu(motor) for motor in motors},
        min(steps_mm),
        max(steps_mm),
        {**speeds_mm_s, "maximum": max_mm_s},
        accel_mm_s2,
    )


def _rails(machine: Kinematics, motors: List[Motor]) -> List[Track]:
    """The carriages that home by these steppers, each by its main track."""
    main = [track for track in machine.tracks if track.name == track.primary]
    first = re.sub(r"\d+$", "", motors[0].section.name)
    named = [track for track in main if track.range.name == first]
    # A stepper of generic_cartesian is not named after a carriage: there it is all that it moves
    moved = {track.primary for track in machine.tracks if track.name in motors[0].moves}
    return named or [track for track in main if track.name in moved]
