# The endstops of a machine: switches of its tracks, its probe, and what is wired to them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import List, Optional, Sequence, Tuple

from printer_config import pins, probes
from printer_config.config import Config
from printer_config.kinematics import Kinematics, Track
from printer_config.section import Section
from virtual_printer.carriages import Carriages
from virtual_printer.model import (
    BLTouchEndstop,
    CarriageEndstop,
    Endstop,
    NozzleEndstop,
    ProbeEndstop,
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


class Endstops:
    """Reads them from printer.cfg and the machine file."""

    def __init__(self, printer: Config, truth: Config, mcus: Sequence[str]) -> None:
        self._printer = printer
        self._truth = truth.section("probe")
        self._mcus = mcus
        self._probe = self._probe_section()

    def all(self, kinematics: Kinematics, carriages: Carriages) -> Tuple[Endstop, ...]:
        """Return all, those that others are wired to first."""
        endstops: List[Endstop] = []
        for track in kinematics.tracks:
            endstop = self._track_endstop(track, carriages)
            if endstop is not None and all(endstop.pin != one.pin for one in endstops):
                endstops.append(endstop)
        if self._probe is not None and probes.has_pin(self._probe):
            endstops.append(self._probe_endstop(self._probe))
        return (*endstops, *wired_endstops(self._printer, self._probe, self._mcus, endstops))

    def _track_endstop(self, track: Track, carriages: Carriages) -> Optional[Endstop]:
        section = track.endstop
        chip, pin, _ = pins.split(section.get("endstop_pin"))
        if chip != pins.MAIN_MCU and pin == "z_virtual_endstop":
            if self._probe is None:
                raise section.error("endstop_pin", "needs a section [probe]")
            return None
        if chip != pins.MAIN_MCU and pin == "virtual_endstop":
            raise section.error("endstop_pin", f"is not simulated: '{chip}:{pin}'")
        owner = section if section.has("position_endstop") else track.range
        at_mm = owner.get_float("position_endstop")
        reach = carriages.ranges[track.name]
        if not reach.minimum_mm <= at_mm <= reach.maximum_mm:
            raise owner.error("position_endstop", "must be between position_min and position_max")
        to_maximum = homes_to_maximum(track.range, at_mm, reach.minimum_mm, reach.maximum_mm)
        side = "max" if to_maximum else "min"
        place = parse_pin(section, "endstop_pin", self._mcus)
        carriage = carriages.switched(track)
        if carriage is None:
            return NozzleEndstop(place, at_mm, side)
        return CarriageEndstop(place, carriage, at_mm, side)

    def _probe_section(self) -> Optional[Section]:
        """Return the section of printer.cfg that describes the probe."""
        if not self._truth.has("section"):
            return next(iter(probes.sections(self._printer)), None)
        name = self._truth.get("section")
        if name not in self._printer.sections:
            raise self._truth.error("section", f"names a section that is not there: '{name}'")
        return self._printer.sections[name]

    def _probe_endstop(self, section: Section) -> ProbeEndstop:
        pin = parse_pin(section, probes.pin_option(section), self._mcus)
        x_mm, y_mm = (section.get_float(option, 0.0) for option in ("x_offset", "y_offset"))
        height_mm = self._truth.get_float("trigger_height", section.get_float("z_offset"))
        noise_um = self._truth.get_float("noise_um", 0.0, minimum=0.0)
        if not section.has("control_pin"):
            return ProbeEndstop(pin, x_mm, y_mm, height_mm, noise_um)
        control_pin = parse_pin(section, "control_pin", self._mcus)
        return BLTouchEndstop(pin, x_mm, y_mm, height_mm, noise_um, control_pin)
