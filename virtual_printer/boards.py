# Which chip each MCU of a printer has, and what its pins are called
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
from collections import defaultdict
from typing import Dict, Iterator, Optional, Set, Tuple

from printer_config import mcus, pins, probes
from printer_config.board_pins import PinAliases
from printer_config.config import Config
from printer_config.section import Section
from virtual_printer.firmware import chips
from virtual_printer.firmware.chips import Chip

# Options that name pins: of all else it is in the option's name
_PIN_OPTION = re.compile(r"(?:.*_)?pins?(?:_.*)?|adc[12]")
_NO_PIN_SECTIONS = ("board_pins", "gcode_macro", "delayed_gcode", "menu")
# The usual board of a Cartographer probe
_CARTOGRAPHER_CHIP = "stm32f042"
# Which MCU the bus of a section is on: that of its select pin, or the one that it names
_SELECT_PINS = ("cs_pin", "sensor_pin")


class Boards:
    """The MCUs of a printer by name, each with its chip.

    A chip is what the machine file says, or the name of the MCU's device, or else the first one
    that has all pins which printer.cfg uses.
    """

    def __init__(self, printer: Config, truth: Config) -> None:
        self.printer = printer
        self.aliases = PinAliases(printer)
        self._sections = mcus.sections(printer)
        self._used: Dict[str, Set[str]] = defaultdict(set)
        self._buses: Dict[str, Set[Tuple[str, str]]] = defaultdict(set)
        for section in printer.sections.values():
            self._note(section)
        self.chips: Dict[str, Chip] = {
            name: self._chip(name, section, truth.section(section.name))
            for name, section in self._sections.items()
        }
        self.numbers = {name: chip.pin_numbers() for name, chip in self.chips.items()}

    def i2c_bus(self, section: Section, mcu: str) -> int:
        """Return the number of the bus on which a section has a chip."""
        if section.has("i2c_software_scl_pin"):
            name = pins.split(section.get("i2c_software_scl_pin")).name
            return self.numbers[mcu].get(self.aliases.resolve(mcu, name), 0)
        name = section.get("i2c_bus", "").strip()
        number = self.chips[mcu].bus_number("i2c_bus", name)
        if number is None:
            raise section.error("i2c_bus", f"is no bus of {self.chips[mcu].name} MCUs: '{name}'")
        return number

    def section_at(self, place: str) -> Optional[str]:
        """Return the section that has a chip at MCU:spi:PIN or MCU:i2c:BUS:ADDRESS, if any."""
        mcu, kind, *numbers = place.split(":")
        for name, section in self.printer.sections.items():
            if kind == "spi":
                is_there = any(
                    pin.chip == mcu
                    and self.numbers[mcu].get(self.aliases.resolve(mcu, pin.name))
                    == int(numbers[0])
                    for _, pin in _pins(section)
                )
            else:
                is_there = (
                    any(option.startswith("i2c_") for option in section.options)
                    and _peek(section, "i2c_mcu", pins.MAIN_MCU) == mcu
                    and _peek(section, "i2c_address", numbers[1]) == numbers[1]
                    and self.i2c_bus(section, mcu) == int(numbers[0])
                )
            if is_there:
                return name
        return None

    def _note(self, section: Section) -> None:
        """Note which pins and buses a section uses."""
        if section.name.split()[0] in _NO_PIN_SECTIONS:
            return
        select = ""
        for option, pin in _pins(section):
            if pin.chip in self._sections:
                self._used[pin.chip].add(self.aliases.resolve(pin.chip, pin.name))
                select = pin.chip if option in _SELECT_PINS else select
        if _peek(section, "sensor_type") == "temperature_mcu":
            self._used[_peek(section, "sensor_mcu", pins.MAIN_MCU)].add(chips.TEMPERATURE_PIN)
        for kind, default in (("spi_bus", select), ("i2c_bus", pins.MAIN_MCU)):
            if section.has(kind):
                mcu = _peek(section, "i2c_mcu", default) if kind == "i2c_bus" else default
                self._buses[mcu].add((kind, _peek(section, kind)))

    def _chip(self, name: str, section: Section, truth: Section) -> Chip:
        chip = chips.of_serial(_peek(section, "serial"))
        if name == probes.cartographer_mcu(self.printer):
            chip = chips.find(_CARTOGRAPHER_CHIP)
        if truth.has("chip"):
            chip = chips.find(truth.get("chip"))
            if chip is None:
                raise truth.error("chip", f"is not known: '{truth.get('chip')}'")
        chip = chip or chips.fitting(self._used[name], self._buses[name])
        return chip.fitted_to(self._used[name])


def _peek(section: Section, option: str, default: str = "") -> str:
    """Return an option's text, and leave open whether anybody knows it."""
    return section.options.get(option, (default, ""))[0].strip()


def _pins(section: Section) -> Iterator[Tuple[str, pins.PinText]]:
    """Yield the options of a section that name pins, with each of these."""
    for option in section.options:
        if not _PIN_OPTION.fullmatch(option):
            continue
        for text in _peek(section, option).replace("\n", ",").split(","):
            pin = pins.split(text.partition("=")[0])
            if pin.name and not pin.name.startswith("<"):
                yield option, pin
