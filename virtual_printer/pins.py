# Pins as printer.cfg writes them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Sequence

from virtual_printer.configfile import Section
from virtual_printer.dictionary import PIN_NUMBERS
from virtual_printer.model import Pin


def parse_pin(section: Section, option: str, mcus: Sequence[str]) -> Pin:
    """Return the pin that an option names: [^~] [!] [mcu:] pin"""
    return parse_pin_text(section, option, section.get(option), mcus)


def parse_pin_text(section: Section, option: str, text: str, mcus: Sequence[str]) -> Pin:
    """Return the pin that a part of an option names"""
    text = text.strip()
    name = text[1:].strip() if text[:1] in ("^", "~") else text
    invert = name.startswith("!")
    name = name[1:].strip() if invert else name
    mcu, colon, pin = name.partition(":")
    mcu, pin = (mcu.strip(), pin.strip()) if colon else ("mcu", name)
    if not pin or any(character in "^~!:" or character.isspace() for character in pin):
        raise section.error(option, f"is not a pin: '{text}'")
    if mcu not in mcus:
        raise section.error(option, f"names an MCU that is not there: '{mcu}'")
    if pin not in PIN_NUMBERS:
        raise section.error(option, f"names a pin that virtual MCUs do not have: '{pin}'")
    return Pin(mcu, pin, invert)


def probe_pin_option(section: Section) -> str:
    """Return the option of a probe's section that names the pin of its signal"""
    return "sensor_pin" if section.has("sensor_pin") else "pin"
