# The pins of virtual MCUs that printer.cfg names
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Sequence

from printer_config import pins
from printer_config.section import Section
from virtual_printer.firmware.chips import PIN_NUMBERS
from virtual_printer.model import Pin


def parse_pin(section: Section, option: str, mcus: Sequence[str]) -> Pin:
    """Return the pin that an option names: [^~] [!] [mcu:] pin."""
    return parse_pin_text(section, option, section.get(option), mcus)


def parse_pin_text(section: Section, option: str, text: str, mcus: Sequence[str]) -> Pin:
    """Return the pin that a part of an option names."""
    mcu, pin, invert = pins.split(text)
    if not pin or any(character in "^~!:" or character.isspace() for character in pin):
        raise section.error(option, f"is not a pin: '{text.strip()}'")
    if mcu not in mcus:
        raise section.error(option, f"names an MCU that is not there: '{mcu}'")
    if pin not in PIN_NUMBERS:
        raise section.error(option, f"names a pin that virtual MCUs do not have: '{pin}'")
    return Pin(mcu, pin, invert)
