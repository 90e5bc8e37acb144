# The load cells of a machine, and how the nozzle meets the bed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Callable, List, Tuple

from printer_config.config import Config
from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.bus_places import spi_place
from virtual_printer.model import LoadCell
from virtual_printer.pins import parse_pin

_SECTIONS = ("load_cell", "load_cell_probe")
# Converters that are read by pins of their own, with their usual rate (Hz)
_HX71X_RATES_HZ = {"hx711": 80, "hx717": 320}
_ON_SPI = ("ads1220", "ads131m02", "ads131m04")
# What is drawn: counts of 24 bits, and grams per mm of penetration
_COUNTS_PER_GRAM = (300.0, 900.0)
_ZERO_COUNTS = (-100_000.0, 100_000.0)
_STIFFNESS_G_PER_MM = (800.0, 1600.0)
_RATE_ERROR_PERCENT = 1.0
_NOISE_G = 0.5


class LoadCells:
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
        return [*self._sections, "nozzle"]

    def stiffness_g_per_mm(self) -> float:
        """Return what pushes back at the nozzle when it is in the bed."""
        drawn = self._uniform("nozzle stiffness", *_STIFFNESS_G_PER_MM)
        return self._truth.section("nozzle").get_float("stiffness_g_per_mm", drawn, above=0.0)

    def all(self) -> Tuple[LoadCell, ...]:
        """Return all of them whose converter is simulated."""
        simulated = (*_HX71X_RATES_HZ, *_ON_SPI)
        return tuple(
            self._load_cell(section)
            for section in self._sections.values()
            if section.get("sensor_type") in simulated
        )

    def _load_cell(self, section: Section) -> LoadCell:
        truth = self._truth.section(section.name)
        is_inverted = section.get("sensor_orientation", "normal") == "inverted"
        drawn = {
            name: self._uniform(f"{section.name} {name}", *limits)
            for name, limits in (
                ("counts_per_gram", _COUNTS_PER_GRAM),
                ("zero_counts", _ZERO_COUNTS),
                ("rate error", (-_RATE_ERROR_PERCENT, _RATE_ERROR_PERCENT)),
            )
        }
        counts_per_gram = truth.get_float(
            "counts_per_gram",
            section.get_float("counts_per_gram", drawn["counts_per_gram"]),
            above=0.0,
        )
        sensor_type = section.get("sensor_type")
        is_hx71x = sensor_type in _HX71X_RATES_HZ
        ready, clock = ("dout_pin", "sclk_pin") if is_hx71x else ("data_ready_pin", "")
        return LoadCell(
            kind="hx71x" if is_hx71x else sensor_type,
            ready_pin=parse_pin(section, ready, self._boards),
            clock_pin=parse_pin(section, clock, self._boards) if is_hx71x else None,
            place=None if is_hx71x else spi_place(section, self._boards),
            rate_hz=section.get_int("sample_rate", _HX71X_RATES_HZ[sensor_type])
            if is_hx71x
            else None,
            counts_per_gram=-counts_per_gram if is_inverted else counts_per_gram,
            zero_counts=truth.get_float(
                "zero_counts", section.get_float("reference_tare_counts", drawn["zero_counts"])
            ),
            noise_g=truth.get_float("noise_g", _NOISE_G, minimum=0.0),
            rate_factor=1.0 + drawn["rate error"] / 100.0,
        )
