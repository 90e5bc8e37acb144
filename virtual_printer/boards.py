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
from virtual_printer import expanders
from virtual_printer.firmware import chips
from virtual_printer.firmware.chips import Chip

# Options that name pins: of all else it is in the option's name
_PIN_OPTION = re.compile(r"(?:.*_)?pins?(?:_.*)?|adc[12]")
_NO_PIN_SECTIONS = ("board_pins", "gcode_macro", "delayed_gcode", "menu")
# The usual board of a Cartographer probe
_CARTOGRAPHER_CHIP = "stm32f042"
# Which MCU the bus of a section is on: that of its select pin, or the one that it names
SELECT_PINS = ("cs_pin", "sensor_pin", "enable_pin")


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
        # Of other chips that have pins of their own
        self.outputs = expanders.outputs(printer)

    def pin_number(self, chip: str, name: str) -> Optional[int]:
        """Return the number of a chip's pin by any of its names, None if it has none such."""
        if chip in self.outputs:
            return self.outputs[chip].get(name)
        return self.numbers[chip].get(self.aliases.resolve(chip, name))

    def reserved_pins(self, name: str) -> Dict[str, str]:
        """Return the constants of an MCU's firmware for the pins that it keeps for itself."""
        serial = _serial(self._sections[name])
        return chips.reserved_pins(self.chips[name], serial, self._used[name], self._buses[name])

    @staticmethod
    def pins_of(section: Section) -> Iterator[Tuple[str, pins.PinText]]:
        """Yield the options of a section that name pins, with each of these."""
        for option in section.options:
            if not _PIN_OPTION.fullmatch(option):
                continue
            for text in _peek(section, option).replace("\n", ",").split(","):
                pin = pins.split(text.partition("=")[0])
                if pin.name and not pin.name.startswith("<"):
                    yield option, pin

    def _beacon_chip(self, section: Section, truth: Section) -> Chip:
        """Return the chip of a Beacon: which firmware it has depends on the age of its plugin."""
        is_old = section.name.split()[0] != mcus.BEACON_KINDS[0]
        default = chips.OLD_BEACON if is_old else chips.BEACON
        chip = chips.find(truth.get("chip", default.name))
        if chip not in (chips.BEACON, chips.OLD_BEACON):
            names = f"{chips.BEACON.name} or {chips.OLD_BEACON.name}"
            raise truth.error("chip", f"must be {names}: '{truth.get('chip')}'")
        return chip

    def _note(self, section: Section) -> None:
        """Note which pins and buses a section uses."""
        if section.name.split()[0] in _NO_PIN_SECTIONS:
            return
        select = ""
        for option, pin in self.pins_of(section):
            if pin.chip in self._sections:
                self._used[pin.chip].add(self.aliases.resolve(pin.chip, pin.name))
                select = pin.chip if option in SELECT_PINS else select
        if _peek(section, "sensor_type") == "temperature_mcu":
            self._used[_peek(section, "sensor_mcu", pins.MAIN_MCU)].add(chips.TEMPERATURE_PIN)
        for kind, default in (("spi_bus", select), ("i2c_bus", pins.MAIN_MCU)):
            if section.has(kind):
                mcu = _peek(section, "i2c_mcu", default) if kind == "i2c_bus" else default
                self._buses[mcu].add((kind, _peek(section, kind)))

    def _chip(self, name: str, section: Section, truth: Section) -> Chip:
        if mcus.is_beacon(section):
            return self._beacon_chip(section, truth)
        chip = chips.of_serial(_peek(section, "serial"))
        if name == probes.cartographer_mcu(self.printer):
            chip = chips.find(_CARTOGRAPHER_CHIP)
        if truth.has("chip"):
            chip = chips.find(truth.get("chip"))
            if chip is None:
                raise truth.error("chip", f"is not known: '{truth.get('chip')}'")
        chip = chip or chips.fitting(_serial(section), self._used[name], self._buses[name])
        return chip.fitted_to(self._used[name])


def _serial(section: Section) -> Optional[str]:
    """Return the device of an MCU, None if it is on a CAN bus."""
    return None if section.has("canbus_uuid") else _peek(section, "serial")


def _peek(section: Section, option: str, default: str = "") -> str:
    """Return an option's text, and leave open whether anybody knows it."""
    return section.options.get(option, (default, ""))[0].strip()
