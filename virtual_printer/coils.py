# The coils of a machine that measure how far the bed is
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Callable, List, Tuple

from printer_config.config import Config
from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.bus_places import i2c_place
from virtual_printer.model import Coil
from virtual_printer.pins import parse_pin

# Klipper's own, and that of the plugin eddy-ng
_SECTIONS = ("probe_eddy_current", "probe_eddy_ng")
_I2C_ADDRESS = 0x2A
# By its sensor_type, where printer.cfg does not say it
_CLOCKS_HZ = {
    "cartographer": 24_000_000,
    "mellow_fly": 40_000_000,
    "ldc1612_internal_clk": 43_400_000,
}
_CLOCK_HZ = 12_000_000
# What is drawn: the frequency far from the bed (Hz), and the place over the nozzle (mm)
_COIL_HZ = (2_900_000.0, 3_300_000.0)
_COIL_HEIGHT_MM = (1.5, 3.0)
_CLOCK_ERROR_PPM = 50.0
_NOISE_HZ = 20.0


class Coils:
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
            if name.partition(" ")[0] in _SECTIONS and section.has("sensor_type")
        }

    @property
    def sections(self) -> List[str]:
        """The sections of the machine file that are read here."""
        return list(self._sections)

    def all(self) -> Tuple[Coil, ...]:
        """Return all coils."""
        return tuple(self._coil(section) for section in self._sections.values())

    def _coil(self, section: Section) -> Coil:
        truth = self._truth.section(section.name)
        error_ppm = self._uniform(f"{section.name} clock", -_CLOCK_ERROR_PPM, _CLOCK_ERROR_PPM)
        return Coil(
            place=i2c_place(section, self._boards, _I2C_ADDRESS),
            interrupt_pin=parse_pin(section, "intb_pin", self._boards)
            if section.has("intb_pin")
            else None,
            offset_x_mm=section.get_float("x_offset", 0.0),
            offset_y_mm=section.get_float("y_offset", 0.0),
            height_mm=truth.get_float(
                "coil_height_mm",
                self._uniform(f"{section.name} height", *_COIL_HEIGHT_MM),
                minimum=0.0,
            ),
            coil_hz=truth.get_float(
                "coil_hz", self._uniform(f"{section.name} frequency", *_COIL_HZ), minimum=1e5
            ),
            noise_hz=truth.get_float("noise_hz", _NOISE_HZ, minimum=0.0),
            clock_hz=section.get_int(
                "frequency",
                _CLOCKS_HZ.get(section.get("sensor_type"), _CLOCK_HZ),
                minimum=2_000_000,
            ),
            clock_factor=1.0 + error_ppm * 1e-6,
        )
