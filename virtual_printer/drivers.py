# The stepper drivers of a machine, from the sections of printer.cfg that configure them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import replace
from typing import Dict, List, Optional, Set, Tuple

from printer_config.config import Config
from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.model import Driver, DriverOnSpi, DriverOnUart, Pin
from virtual_printer.pins import parse_pin, parse_pin_text

MODELS = ("tmc2130", "tmc2208", "tmc2209", "tmc2240", "tmc2660", "tmc5160")
# Outputs that show a stall, by the option that says where they lead to
_DIAG_OPTIONS = {"diag_pin": 0, "diag0_pin": 0, "diag1_pin": 1}


def is_sensorless(chip: str, pin: str) -> bool:
    """Whether a pin is no switch but what a driver feels."""
    return pin == "virtual_endstop" and chip.partition("_")[0] in MODELS


class Drivers:
    """Reads them from printer.cfg and the machine file."""

    def __init__(self, printer: Config, truth: Config, boards: Boards) -> None:
        self._truth = truth
        self._boards = boards
        self.sections: Dict[str, Section] = {
            name: section
            for name, section in printer.sections.items()
            if name.split()[0] in MODELS and len(name.split()) > 1
        }

    def all(self) -> Tuple[Driver, ...]:
        """Return all; what Klippy refuses since two are in one place is left out."""
        found: List[Driver] = []
        places: Set[object] = set()
        diag_pins: Set[Tuple[str, str]] = set()
        for section in self.sections.values():
            driver = self._driver(section)
            if driver.place in places:
                continue
            places.add(driver.place)
            free = [one for one in driver.diag_pins if _key(one[1]) not in diag_pins]
            diag_pins.update(_key(pin) for _, pin in free)
            found.append(replace(driver, diag_pins=tuple(free)))
        return tuple(found)

    def _driver(self, section: Section) -> Driver:
        model, _, stepper = section.name.partition(" ")
        place = self._uart(section) or self._spi(section)
        diag_pins = tuple(
            (number, parse_pin(section, option, self._boards))
            for option, number in _DIAG_OPTIONS.items()
            if section.has(option)
        )
        truth = self._truth.section(section.name)
        is_powered = truth.get_boolean("powered", True)
        return Driver("_".join(stepper.split()), model, place, diag_pins, is_powered)

    def _uart(self, section: Section) -> Optional[DriverOnUart]:
        if not section.has("uart_pin"):
            return None
        # Where both directions have a pin of their own they meet at the chip
        option = "tx_pin" if section.has("tx_pin") else "uart_pin"
        select = section.get("select_pins", "")
        return DriverOnUart(
            pin=parse_pin(section, option, self._boards),
            address=section.get_int("uart_address", 0),
            select_pins=tuple(
                parse_pin_text(section, "select_pins", text, self._boards)
                for text in select.split(",")
                if text.strip()
            ),
        )

    def _spi(self, section: Section) -> DriverOnSpi:
        length = section.get_int("chain_length", 1, minimum=1)
        position = section.get_int("chain_position", minimum=1) if length > 1 else 1
        if position > length:
            raise section.error("chain_position", f"must be at most {length}")
        return DriverOnSpi(parse_pin(section, "cs_pin", self._boards), length, position)


def _key(pin: Pin) -> Tuple[str, str]:
    return pin.mcu, pin.name
