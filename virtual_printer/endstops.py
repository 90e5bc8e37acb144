# The endstops of a machine: switches of its tracks, its probe, and what is wired to them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import List, Optional, Sequence, Tuple

from printer_config import pins, probes
from printer_config.config import Config
from printer_config.kinematics import Track
from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.carriages import Carriages
from virtual_printer.drivers import is_sensorless
from virtual_printer.linkages import Joint, Linkage
from virtual_printer.lone_steppers import LoneStepper
from virtual_printer.model import (
    BLTouchEndstop,
    CarriageEndstop,
    DockedProbe,
    Endstop,
    NozzleEndstop,
    Pin,
    ProbeEndstop,
    StepperEndstop,
    Stop,
)
from virtual_printer.pins import parse_pin
from virtual_printer.wires import wired_endstops


def homes_to_maximum(section: Section, at_mm: float, minimum_mm: float, maximum_mm: float) -> bool:
    """On which end of its axis an endstop is, from its position when the section is silent."""
    quarter_mm = (maximum_mm - minimum_mm) / 4.0
    if section.has("homing_positive_dir"):
        return section.get_boolean("homing_positive_dir", False)
    if at_mm <= minimum_mm + quarter_mm:
        return False
    if at_mm >= maximum_mm - quarter_mm:
        return True
    raise section.error("homing_positive_dir", "must be specified: the endstop is at neither end")


def _is_sensorless(section: Section) -> bool:
    chip, pin, _ = pins.split(section.get("endstop_pin"))
    return is_sensorless(chip, pin)


def _place(section: Section, option: str) -> List[float]:
    """Return x and y (mm) of a place that may have a height, too."""
    rows = section.get_rows(option)
    if len(rows) != 1 or len(rows[0]) not in (2, 3):
        raise section.error(option, "must be x, y or x, y, z")
    return rows[0][:2]


class Endstops:
    """Reads them from printer.cfg and the machine file."""

    def __init__(self, printer: Config, truth: Config, boards: Boards) -> None:
        self._printer = printer
        self._truth = truth.section("probe")
        self._gantry = truth.section("gantry")
        self._boards = boards
        self._probe = self._probe_section()

    def all(
        self, linkage: Linkage, carriages: Carriages, steppers: Sequence[LoneStepper]
    ) -> Tuple[Endstop, ...]:
        """Return all, those that others are wired to first."""
        found = [self._track_endstop(track, carriages) for track in linkage.kinematics.tracks]
        found += [self._joint_endstop(joint) for joint in linkage.joints]
        found += [self._probe_endstop(section) for section in self._probe_sections()]
        found += [self._stepper_endstop(stepper) for stepper in steppers]
        endstops: List[Endstop] = []
        for endstop in found:
            if endstop is not None and all(endstop.pin != one.pin for one in endstops):
                endstops.append(endstop)
        return (*endstops, *wired_endstops(self._printer, self._probe, self._boards, endstops))

    def stops(self, linkage: Linkage, carriages: Carriages) -> Tuple[Stop, ...]:
        """Return where carriages that are homed without a switch meet the end of their way."""
        found = [
            Stop(joint.name, joint.switch, "max")
            for joint in linkage.joints
            if joint.switch is not None and _is_sensorless(joint.section)
        ]
        for track in linkage.kinematics.tracks:
            if not _is_sensorless(track.endstop):
                continue
            at_mm, side = self._place(track, carriages)
            at_mm = self._gantry.get_float(f"stop_{track.name}", at_mm)
            found += [Stop(name, at_mm, side) for name in carriages.stopped(track)]
        return tuple(found)

    def _switch_pin(self, section: Section) -> Optional[Pin]:
        """Return the pin of a section's switch, None if a probe or a driver takes its place."""
        chip, pin, _ = pins.split(section.get("endstop_pin"))
        if chip != pins.MAIN_MCU and pin == "z_virtual_endstop":
            if self._probe is None:
                raise section.error("endstop_pin", "needs a section [probe]")
            return None
        if _is_sensorless(section):
            return None
        if chip != pins.MAIN_MCU and pin == "virtual_endstop":
            raise section.error("endstop_pin", f"is not simulated: '{chip}:{pin}'")
        return parse_pin(section, "endstop_pin", self._boards)

    def _joint_endstop(self, joint: Joint) -> Optional[Endstop]:
        if joint.switch is None:
            return None
        pin = self._switch_pin(joint.section)
        return CarriageEndstop(pin, joint.name, joint.switch, "max") if pin else None

    def _stepper_endstop(self, stepper: LoneStepper) -> Optional[Endstop]:
        if stepper.switch_mm is None:
            return None
        pin = self._switch_pin(stepper.motor.section)
        side = "max" if stepper.is_switch_at_max else "min"
        if pin is None:
            return None
        return StepperEndstop(pin, stepper.motor.name, stepper.switch_mm, side)

    def _track_endstop(self, track: Track, carriages: Carriages) -> Optional[Endstop]:
        section = track.endstop
        place = self._switch_pin(section)
        if place is None:
            return None
        at_mm, side = self._place(track, carriages)
        carriage = carriages.switched(track)
        if carriage is None:
            return NozzleEndstop(place, at_mm, side)
        return CarriageEndstop(place, carriage, at_mm, side)

    def _place(self, track: Track, carriages: Carriages) -> Tuple[float, str]:
        """Return where the end of a track is that it is homed to, and on which side."""
        owner = track.endstop if track.endstop.has("position_endstop") else track.range
        at_mm = owner.get_float("position_endstop")
        reach = carriages.ranges[track.name]
        if not reach.minimum_mm <= at_mm <= reach.maximum_mm:
            raise owner.error("position_endstop", "must be between position_min and position_max")
        to_maximum = homes_to_maximum(track.range, at_mm, reach.minimum_mm, reach.maximum_mm)
        return at_mm, "max" if to_maximum else "min"

    def _probe_section(self) -> Optional[Section]:
        """Return the section of printer.cfg that describes the probe of the machine file."""
        if not self._truth.has("section"):
            found = probes.sections(self._printer)
            with_pin = [one for one in found if one.has(probes.pin_option(one))]
            return next(iter(with_pin + found), None)
        name = self._truth.get("section")
        if name not in self._printer.sections:
            raise self._truth.error("section", f"names a section that is not there: '{name}'")
        return self._printer.sections[name]

    def _probe_sections(self) -> List[Section]:
        """Return the sections of all probes that a pin shows the state of."""
        found = probes.sections(self._printer)
        if self._probe is not None and self._probe not in found:
            found.append(self._probe)
        return [one for one in found if one.has(probes.pin_option(one))]

    def _docked(self, section: Section) -> Optional[Section]:
        """Return the section that says where a probe waits, of macros the machine file's."""
        owners = [self._truth, section] if section is self._probe else [section]
        return next((owner for owner in owners if owner.has("dock_position")), None)

    def _probe_endstop(self, section: Section) -> ProbeEndstop:
        pin = parse_pin(section, probes.pin_option(section), self._boards)
        x_mm, y_mm = (section.get_float(option, 0.0) for option in ("x_offset", "y_offset"))
        height_mm, noise_um = section.get_float("z_offset"), 0.0
        if section is self._probe:
            height_mm = self._truth.get_float("trigger_height", height_mm)
            noise_um = self._truth.get_float("noise_um", 0.0, minimum=0.0)
        docked = self._docked(section)
        if docked is not None:
            places = (_place(docked, option) for option in ("dock_position", "detach_position"))
            ways = [length_mm for place in places for length_mm in place]
            return DockedProbe(pin, x_mm, y_mm, height_mm, noise_um, *ways)
        if section.name == "smart_effector" or not section.has("control_pin"):
            return ProbeEndstop(pin, x_mm, y_mm, height_mm, noise_um)
        control_pin = parse_pin(section, "control_pin", self._boards)
        return BLTouchEndstop(pin, x_mm, y_mm, height_mm, noise_um, control_pin)
