# Printers whose toolhead hangs from rods or ropes, or whose bed turns: what their steppers hold
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import math
import string
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from printer_config import kinematics
from printer_config.config import Config
from printer_config.kinematics import Kinematics, Motor
from printer_config.section import Section
from virtual_printer.carriages import Draw, Range
from virtual_printer.model import Carriage, CrankRod, LinkagePart, Polar, Rod, Rope

# From the toolhead's place to a joint's position, None if the joint cannot hold it there
Inverse = Callable[[float, float, float], Optional[float]]

# Where Klipper takes towers and cranks to be unless printer.cfg says otherwise (degrees)
_TOWERS_DEGREES = (210.0, 330.0, 90.0)
_CRANKS_DEGREES = (30.0, 150.0, 270.0)
# What a printer without a toolhead has instead of a bed (mm)
_NOWHERE = Range(-100.0, 100.0)
# Where the toolhead of a printer without switches starts
_ORIGIN = Range(0.0, 0.0)


@dataclass(frozen=True)
class Joint:
    """What steppers move along no axis (mm, or rad if it turns)."""

    name: str
    section: Section
    is_turning: bool
    # Where its switch closes, if it has one, and it stays closed beyond
    switch: Optional[float]


@dataclass(frozen=True)
class Linkage:
    """A printer's kinematics, whose motors move joints too, and what these hold."""

    kinematics: Kinematics
    joints: Tuple[Joint, ...] = ()
    parts: Tuple[LinkagePart, ...] = ()
    # Where the joints are at the start
    carriages: Tuple[Carriage, ...] = ()
    # Of the toolhead, along axes that have no rail
    ranges: Mapping[str, Range] = field(default_factory=dict)

    def is_turned_by(self, motor: Motor) -> bool:
        """Whether a stepper turns its joint, so that its steps are angles."""
        return any(joint.is_turning and joint.name in motor.moves for joint in self.joints)


def load(printer: Config, gantry: Section, draw: Draw) -> Linkage:
    """Read printer.cfg; section [gantry] of the machine file may know better."""
    name = printer.required_section("printer").get("kinematics")
    if name == "none":
        return Linkage(kinematics.load_rails(printer, ()), ranges=dict.fromkeys("xyz", _NOWHERE))
    if name == "polar":
        return _polar(printer, gantry)
    if name not in _HANGING:
        return Linkage(kinematics.load(printer))
    return _hanging(printer, gantry, draw, _HANGING[name](_Options(printer, gantry)))


# What hangs from rods


@dataclass(frozen=True)
class _Rod:
    """A joint with its rod."""

    joint: Joint
    part: LinkagePart
    inverse: Inverse


@dataclass(frozen=True)
class _Hanging:
    """A toolhead's rods, the ranges in which it starts and moves, and the rails beside them."""

    rods: Sequence[_Rod]
    starts: Mapping[str, Range]
    ranges: Mapping[str, Range]
    rails: Sequence[Tuple[str, str]] = ()


class _Options:
    """Reads a joint's options, which the machine file has under its own names."""

    def __init__(self, printer: Config, gantry: Section) -> None:
        self.printer = printer
        self.main = printer.required_section("printer")
        self.gantry = gantry

    def of_all(self, option: str) -> float:
        """Return a length (mm) that [printer] has."""
        configured_mm = self.main.get_float(option, above=0.0)
        return self.gantry.get_float(option, configured_mm, above=0.0)

    def of_joint(
        self, name: str, option: str, default: Optional[float] = None, above: Optional[float] = None
    ) -> float:
        """Return what a joint's section has, or the default, which may be the first joint's."""
        configured = self.section(name).get_float(option, default, above=above)
        return self.gantry.get_float(f"{option}_{name}", configured, above=above)

    def section(self, name: str) -> Section:
        """Return the section of a joint's first stepper."""
        return self.printer.required_section(f"stepper_{name}")

    def endstop_mm(self, name: str, first: str) -> float:
        """Return the height of the toolhead at the switch of a joint."""
        default_mm = self.section(first).get_float("position_endstop")
        return self.of_joint(name, "position_endstop", default_mm)


def _hanging(printer: Config, gantry: Section, draw: Draw, found: _Hanging) -> Linkage:
    rails = kinematics.load_rails(printer, found.rails)
    motors = list(rails.motors)
    starts_mm: Dict[str, float] = {"y": 0.0}
    for axis, reach in found.starts.items():
        option = f"start_{axis}"
        starts_mm[axis] = gantry.get_float(option, reach.at(draw(option, 0.4, 0.6)))
    carriages = []
    for rod in found.rods:
        joint = rod.joint
        start = rod.inverse(starts_mm["x"], starts_mm["y"], starts_mm["z"])
        if start is None:
            raise gantry.error("start_x", f"is out of reach of '{joint.section.name}'")
        carriages.append(Carriage(joint.name, "joint", start))
        members = kinematics.members(printer, joint.section.name)
        motors += [Motor(member, {joint.name: 1.0}) for member in members]
    return Linkage(
        Kinematics(rails.tracks, tuple(motors)),
        tuple(rod.joint for rod in found.rods),
        tuple(rod.part for rod in found.rods),
        tuple(carriages),
        found.ranges,
    )


def _tower(joint: Joint, x_mm: float, y_mm: float, length_mm: float) -> _Rod:
    """Return a rod from a tower."""

    def inverse(x: float, y: float, z: float) -> Optional[float]:
        square = length_mm**2 - (x - x_mm) ** 2 - (y - y_mm) ** 2
        return z + math.sqrt(square) if square > 0.0 else None

    return _Rod(joint, Rod(joint.name, x_mm, y_mm, 0.0, length_mm), inverse)


def _delta(options: _Options) -> _Hanging:
    radius_mm = options.of_all("delta_radius")
    rods = []
    for name, degrees in zip("abc", _TOWERS_DEGREES):
        default_mm = options.section("a").get_float("arm_length", above=radius_mm)
        length_mm = options.of_joint(name, "arm_length", default_mm, above=radius_mm)
        angle = math.radians(options.of_joint(name, "angle", degrees))
        # The switch is where the carriage has the nozzle at that height over the centre
        switch_mm = options.endstop_mm(name, "a") + math.sqrt(length_mm**2 - radius_mm**2)
        joint = Joint(name, options.section(name), False, switch_mm)
        x_mm, y_mm = radius_mm * math.cos(angle), radius_mm * math.sin(angle)
        rods.append(_tower(joint, x_mm, y_mm, length_mm))
    width_mm = options.main.get_float("print_radius", radius_mm, above=0.0)
    return _around_centre(rods, width_mm, options)


def _around_centre(rods: Sequence[_Rod], width_mm: float, options: _Options) -> _Hanging:
    plane = Range(-width_mm, width_mm)
    height = Range(0.0, min(options.endstop_mm(name, "a") for name in "abc"))
    return _Hanging(rods, {"x": plane, "y": plane, "z": height}, {"x": plane, "y": plane})


def _deltesian(options: _Options) -> _Hanging:
    rods = []
    heights_mm, widths_mm = [], []
    for name, side in (("left", -1.0), ("right", 1.0)):
        left = options.section("left")
        across_mm = options.of_joint(
            name, "arm_x_length", left.get_float("arm_x_length", above=0.0), above=0.0
        )
        length_mm = options.of_joint(
            name, "arm_length", left.get_float("arm_length", above=across_mm), above=across_mm
        )
        heights_mm.append(options.endstop_mm(name, "left"))
        widths_mm.append(across_mm)
        switch_mm = heights_mm[-1] + math.sqrt(length_mm**2 - across_mm**2)
        joint = Joint(name, options.section(name), False, switch_mm)
        rods.append(_tower(joint, side * across_mm, 0.0, length_mm))
    across = Range(-min(widths_mm), min(widths_mm))
    # The rods are held along x and z alone
    starts = {"x": across, "z": Range(0.0, min(heights_mm))}
    return _Hanging(rods, starts, {"x": across}, (("y", "y"),))


def _crank(joint: Joint, part: CrankRod) -> _Rod:
    """Return a rod from a crank, whose elbow is outside."""
    cosine, sine = math.cos(part.direction_rad), math.sin(part.direction_rad)

    def inverse(x: float, y: float, z: float) -> Optional[float]:
        # From the axle: along the crank's direction, across it, and up
        dx, dy, up = x - part.x_mm, y - part.y_mm, z - part.z_mm
        along, across = dx * cosine + dy * sine, dy * cosine - dx * sine
        # The elbow's angle from the line to the toolhead, by the law of cosines
        square = along**2 + up**2
        rod_square = part.length_mm**2 - across**2
        product = 2.0 * part.crank_mm * math.sqrt(square)
        ratio = (square + part.crank_mm**2 - rod_square) / product if product else math.inf
        if rod_square <= 0.0 or abs(ratio) > 1.0:
            return None
        return math.atan2(up, along) + math.acos(ratio)

    return _Rod(joint, part, inverse)


def _rotary_delta(options: _Options) -> _Hanging:
    radius_mm, height_mm = options.of_all("shoulder_radius"), options.of_all("shoulder_height")
    rods = []
    for name, degrees in zip("abc", _CRANKS_DEGREES):
        lengths_mm = {}
        for option in ("upper_arm_length", "lower_arm_length"):
            default_mm = options.section("a").get_float(option, above=0.0)
            lengths_mm[option] = options.of_joint(name, option, default_mm, above=0.0)
        angle = math.radians(options.of_joint(name, "angle", degrees))
        part = CrankRod(
            joint=name,
            x_mm=radius_mm * math.cos(angle),
            y_mm=radius_mm * math.sin(angle),
            z_mm=height_mm,
            length_mm=lengths_mm["lower_arm_length"],
            direction_rad=angle,
            crank_mm=lengths_mm["upper_arm_length"],
        )
        section = options.section(name)
        endstop_mm = options.endstop_mm(name, "a")
        switch_rad = _crank(Joint(name, section, True, None), part).inverse(0.0, 0.0, endstop_mm)
        if switch_rad is None:
            raise section.error("position_endstop", "is out of reach of its arms")
        rods.append(_crank(Joint(name, section, True, switch_rad), part))
    width_mm = max(options.section("a").get_float("lower_arm_length") - radius_mm, 1.0)
    return _around_centre(rods, width_mm, options)


def _winch(options: _Options) -> _Hanging:
    rods: List[_Rod] = []
    for name in string.ascii_lowercase:
        if len(rods) >= 3 and f"stepper_{name}" not in options.printer.sections:
            break
        anchor = [options.of_joint(name, f"anchor_{axis}") for axis in "xyz"]
        rods.append(_rope(Joint(name, options.section(name), False, None), Rope(name, *anchor)))
    anchors = [rod.part for rod in rods if isinstance(rod.part, Rope)]
    x_mm, y_mm = [one.x_mm for one in anchors], [one.y_mm for one in anchors]
    ranges = {"x": Range(min(x_mm), max(x_mm)), "y": Range(min(y_mm), max(y_mm))}
    # Nothing finds the toolhead: its user puts it where Klippy takes it to be
    return _Hanging(rods, dict.fromkeys("xyz", _ORIGIN), ranges)


def _rope(joint: Joint, part: Rope) -> _Rod:

    def inverse(x: float, y: float, z: float) -> Optional[float]:
        return math.dist((x, y, z), (part.x_mm, part.y_mm, part.z_mm))

    return _Rod(joint, part, inverse)


_HANGING: Mapping[str, Callable[[_Options], _Hanging]] = {
    "delta": _delta,
    "deltesian": _deltesian,
    "rotary_delta": _rotary_delta,
    "winch": _winch,
}


# What turns


def _polar(printer: Config, gantry: Section) -> Linkage:
    rails = kinematics.load_rails(printer, (("arm", "joint"), ("z", "z")))
    bed = Joint("bed", printer.required_section("stepper_bed"), True, None)
    reach_mm = printer.required_section("stepper_arm").get_float("position_max", above=0.0)
    reach = Range(-reach_mm, reach_mm)
    # No switch finds the bed's angle: what it is when homing is 0 then
    start = Carriage("bed", "joint", gantry.get_float("start_bed", 0.0))
    return Linkage(
        Kinematics(rails.tracks, (Motor(bed.section, {"bed": 1.0}), *rails.motors)),
        (bed,),
        (Polar("bed", "arm"),),
        (start,),
        {"x": reach, "y": reach},
    )
