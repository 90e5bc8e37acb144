# What printer.cfg and the extra say of the machine, in the owner's terms
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from printer_config import kinematics, motion, pins, probes
from printer_config.config import Config
from printer_config.section import ConfigError, Section
from scripts.owner.limits.axes import Axis, shared_axes
from scripts.owner.report.steppers import homing_steppers

from .errors import TrialError

VIRTUAL_PIN = "virtual_endstop"
# In the order of stepper_z to stepper_z3, as Klipper has it
_QUAD_PLACES = ("front left", "rear left", "rear right", "front right")
_LEVELLING = {
    "quad_gantry_level": "QUAD_GANTRY_LEVEL",
    "z_tilt": "Z_TILT_ADJUST",
    "z_tilt_ng": "Z_TILT_ADJUST",
}
_DEFAULT_RETRACT_MM = 5.0


class Motor(NamedTuple):
    """A stepper of the toolhead.

    place says in words where it is, board is the MCU that printer.cfg gives it. direction is what
    the owner sees when it turns forwards, and opposite what it does backwards.
    """

    name: str
    board: str
    place: str
    is_shared: bool
    direction: str
    opposite: str


class Switch(NamedTuple):
    """What ends a homing move: pin is as printer.cfg has it, axis is empty for a probe."""

    axis: str
    name: str
    pin: str
    section: str

    @property
    def is_probe(self) -> bool:
        """Whether it is on the toolhead."""
        return not self.axis


class Machine:
    """One reading of printer.cfg and of the extra's status; raises TrialError."""

    def __init__(self, config: Config, resync: Dict[str, Any]) -> None:
        self.config = config
        names = [str(axis) for axis in resync.get("axes", [])]
        # G28 has no letter for others
        self.axes = [name for name in names if name in tuple("xyz")]
        self.other_axes = [name for name in names if name not in self.axes]
        self.boards: Dict[str, str] = dict(resync.get("mcu", {}))
        try:
            self.shared: List[Axis] = shared_axes(config)
            self.motors = self._motors()
            self.endstop_boards = {s.name: s.endstop_mcu for s in homing_steppers(config)}
            found = probes.sections(config)
        except ConfigError as e:
            raise TrialError(str(e)) from None
        self.probe: Optional[Section] = found[0] if found else None

    @property
    def levelling_command(self) -> str:
        """What levels the gantry or bed; empty if nothing does."""
        return next((c for name, c in _LEVELLING.items() if name in self.config.sections), "")

    @property
    def levelling(self) -> Optional[Section]:
        """The section of that command."""
        return next(
            (self.config.sections[n] for n in _LEVELLING if n in self.config.sections), None
        )

    def names_of(self, axis: str) -> List[str]:
        """The shared steppers of an axis that is resynced."""
        motors = [m.name for m in self.motors if m.is_shared and _axis_of(m.name) == axis]
        return motors or sorted(self.boards)

    def is_second_touch(self, axis: str) -> bool:
        """Whether a homing move is followed by a second one."""
        return self._rail(axis).get_float("homing_retract_dist", _DEFAULT_RETRACT_MM) > 0.0

    def homing_speed_mm_s(self, axis: str) -> float:
        """How fast an axis homes."""
        return motion.homing_speed_mm_s(self._rail(axis))

    def _rail(self, axis: str) -> Section:
        """The section that says how an axis homes."""
        names = ("stepper_%s" % (axis,), "carriage %s" % (axis,))
        return next(
            (self.config.sections[n] for n in names if n in self.config.sections),
            Section(names[0], "printer.cfg"),
        )

    @property
    def probe_height_mm(self) -> float:
        """How high the nozzle is when the probe triggers, as printer.cfg has it."""
        return self.probe.get_float("z_offset", 0.0) if self.probe is not None else 0.0

    @property
    def hop_mm(self) -> float:
        """By how much Z rises before other axes home; 0 if it does not, or nothing says."""
        if "homing_override" in self.config.sections:
            return 0.0
        return self.config.section("safe_z_home").get_float("z_hop", 0.0)

    def probing_area(self) -> Optional[Tuple[Tuple[float, float], Tuple[float, float]]]:
        """Corners (mm) between which the levelling command has the nozzle; None if nothing says."""
        section = self.levelling
        if section is None or not section.has("points"):
            return None
        rows = section.get_rows("points")
        if not rows or any(len(row) != 2 for row in rows):
            return None
        (x0, x1), (y0, y1) = ((min(way), max(way)) for way in zip(*rows))
        return (x0, y0), (x1, y1)

    def switches(self) -> Tuple[List[Switch], List[str]]:
        """What can be triggered by hand, and what cannot."""
        found: List[Switch] = []
        left_out: List[str] = []
        for axis in "xyz":
            section = self._rail(axis)
            if not section.has("endstop_pin"):
                continue
            pin = section.get("endstop_pin")
            if pins.split(pin).name == "z_virtual_endstop":
                continue
            if VIRTUAL_PIN in pin:
                left_out.append("axis %s: its driver feels the stop" % (axis,))
            else:
                found.append(Switch(axis, "endstop of %s" % (axis,), pin, section.name))
        if self.probe is not None:
            if self.probe.has(probes.pin_option(self.probe)):
                pin = self.probe.get(probes.pin_option(self.probe))
                found.append(Switch("", "probe", pin, self.probe.name))
            else:
                left_out.append("[%s]: it has no pin" % (self.probe.name,))
        return found, left_out

    def _motors(self) -> List[Motor]:
        machine = kinematics.load(self.config)
        shared = {name for axis in self.shared for name in axis.stepper_mcus}
        axes = {track.name: track.axis for track in machine.tracks}
        lifting = [m.section.name for m in machine.motors if "z" in {axes[t] for t in m.moves}]
        places = self._places(lifting)
        motors = []
        for one in machine.motors:
            track, by = next(iter(one.moves.items()))
            forwards, backwards = _directions(axes[track])
            if by < 0.0:
                forwards, backwards = backwards, forwards
            board = pins.split(one.section.get("step_pin")).chip
            motors.append(
                Motor(
                    one.section.name,
                    board,
                    places.get(one.section.name, ""),
                    one.name in shared or one.section.name in shared,
                    forwards,
                    backwards,
                )
            )
        return sorted(motors, key=lambda motor: not motor.is_shared)

    def _places(self, names: List[str]) -> Dict[str, str]:
        """Where the Z steppers stand, by the order that the levelling command has."""
        if "quad_gantry_level" in self.config.sections and len(names) == len(_QUAD_PLACES):
            return dict(zip(names, _QUAD_PLACES))
        levelling = self.levelling
        if levelling is None or not levelling.has("z_positions"):
            return {}
        rows = levelling.get_rows("z_positions")
        return {n: "at x %g, y %g" % (r[0], r[1]) for n, r in zip(names, rows) if len(r) == 2}


def _axis_of(stepper: str) -> str:
    return stepper.replace("stepper_", "").rstrip("0123456789")


def _directions(axis: str) -> Tuple[str, str]:
    if axis == "z":
        return "nozzle and bed apart", "nozzle and bed together"
    return "towards higher %s" % (axis,), "towards lower %s" % (axis,)
