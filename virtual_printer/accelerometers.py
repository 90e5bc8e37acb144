# The acceleration sensors of a machine, and how its toolhead swings
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Callable, Dict, List, Tuple

from printer_config.config import Config
from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.bus_places import bus_place
from virtual_printer.model import Accelerometer, Resonance

# Sections of printer.cfg with the usual address on I2C
_KINDS = {
    "adxl345": 0,
    "lis2dw": 0x19,
    "lis3dh": 0x19,
    "mpu9250": 0x68,
    "icm20948": 0x68,
    "bmi160": 0x69,
}
_AXES = "xyz"
# What a machine's resonances are drawn from (Hz), and the damping of all
_FREQUENCIES_HZ = {"x": (40.0, 70.0), "y": (30.0, 60.0), "z": (90.0, 150.0)}
_DAMPING = (0.05, 0.12)
_FREQUENCY_HZ_MAX = 500.0
# By how much the clocks of such chips are off
_RATE_ERROR_PERCENT = 1.0


class Accelerometers:
    """Reads them from printer.cfg and the machine file."""

    def __init__(
        self,
        printer: Config,
        truth: Config,
        boards: Boards,
        uniform: Callable[[str, float, float], float],
    ) -> None:
        self._truth = truth
        self._boards = boards
        self._uniform = uniform
        self._sections = {
            name: section
            for name, section in printer.sections.items()
            if name.partition(" ")[0] in _KINDS
        }

    @property
    def sections(self) -> List[str]:
        """The sections of the machine file that are read here."""
        return [*self._sections, *(f"resonance {axis}" for axis in _AXES)]

    def all(self) -> Tuple[Accelerometer, ...]:
        """Return all sensors."""
        return tuple(self._sensor(section) for section in self._sections.values())

    def resonances(self) -> Tuple[Resonance, ...]:
        """Return the resonance of each axis."""
        return tuple(self._resonance(axis) for axis in _AXES)

    def _sensor(self, section: Section) -> Accelerometer:
        kind = section.name.partition(" ")[0]
        truth = self._truth.section(section.name)
        error_percent = truth.get_float(
            "rate_error_percent",
            self._uniform(f"{section.name} rate error", -_RATE_ERROR_PERCENT, _RATE_ERROR_PERCENT),
        )
        if abs(error_percent) > 10.0:
            raise truth.error("rate_error_percent", "must be from -10 to 10")
        owner = truth if truth.has("axes_map") else section
        return Accelerometer(
            kind=kind,
            place=bus_place(section, self._boards, _KINDS[kind]),
            mounting=_mounting(owner),
            rate_factor=1.0 + error_percent / 100.0,
            noise_mg=truth.get_float("noise_mg", minimum=0.0) if truth.has("noise_mg") else None,
        )

    def _resonance(self, axis: str) -> Resonance:
        truth = self._truth.section(f"resonance {axis}")
        frequency_hz = truth.get_float(
            "frequency_hz",
            self._uniform(f"resonance {axis} frequency", *_FREQUENCIES_HZ[axis]),
            minimum=1.0,
        )
        if frequency_hz > _FREQUENCY_HZ_MAX:
            raise truth.error("frequency_hz", f"must be at most {_FREQUENCY_HZ_MAX:g}")
        damping = truth.get_float(
            "damping", self._uniform(f"resonance {axis} damping", *_DAMPING), minimum=0.0
        )
        if damping >= 1.0:
            raise truth.error("damping", "must be below 1")
        return Resonance(axis, frequency_hz, damping)


def _mounting(section: Section) -> Tuple[str, str, str]:
    """Return the axis of the printer along each axis of a chip."""
    words = [word.strip() for word in section.get("axes_map", "x, y, z").split(",")]
    known = {sign + axis for sign in ("", "-") for axis in _AXES}
    found: Dict[str, str] = {}
    if len(words) != 3 or not known.issuperset(words):
        raise section.error("axes_map", f"is not three axes: '{', '.join(words)}'")
    for axis, word in zip(_AXES, words):
        found[word[-1]] = ("-" if word.startswith("-") else "") + axis
    return (found.get("x", "none"), found.get("y", "none"), found.get("z", "none"))
