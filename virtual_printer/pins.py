# The pins of virtual MCUs that printer.cfg names
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import List

from printer_config import pins
from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.model import Pin

MULTI_PIN = "multi_pin"


def parse_pin(section: Section, option: str, boards: Boards) -> Pin:
    """Return the pin that an option names: [^~] [!] [mcu:] pin."""
    return parse_pin_text(section, option, section.get(option), boards)


def parse_pin_text(section: Section, option: str, text: str, boards: Boards) -> Pin:
    """Return the pin that a part of an option names."""
    mcu, pin, invert = pins.split(text)
    if not pin or any(character in "^~!:" or character.isspace() for character in pin):
        raise section.error(option, f"is not a pin: '{text.strip()}'")
    if mcu not in boards.chips:
        raise section.error(option, f"names an MCU that is not there: '{mcu}'")
    name = boards.aliases.resolve(mcu, pin)
    number = boards.pin_number(mcu, pin)
    if number is None:
        raise section.error(option, f"is not a pin of {boards.chips[mcu].name} MCUs: '{name}'")
    return Pin(mcu, name, invert, number)


def parse_outputs(section: Section, option: str, boards: Boards) -> List[Pin]:
    """Return the outputs that an option names: several if it names a [multi_pin].

    An output may be that of a chip other than an MCU.  What has it may not be simulated.
    """
    chip, name, invert = pins.split(section.get(option))
    if chip != MULTI_PIN:
        return _output(section, option, section.get(option), boards)
    several = boards.printer.required_section(f"{MULTI_PIN} {name}")
    return [
        Pin(pin.mcu, pin.name, pin.invert != invert, pin.number)
        for text in several.get("pins").split(",")
        for pin in _output(several, "pins", text, boards)
    ]


def _output(section: Section, option: str, text: str, boards: Boards) -> List[Pin]:
    chip, name, invert = pins.split(text)
    if chip in boards.chips:
        return [parse_pin_text(section, option, text, boards)]
    if chip not in boards.outputs:
        return []
    number = boards.pin_number(chip, name)
    if number is None:
        raise section.error(option, f"is not a pin of '{chip}': '{name}'")
    return [Pin(chip, name, invert, number)]
