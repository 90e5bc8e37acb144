# Pins as printer.cfg writes them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import NamedTuple

# The name of the MCU whose section has none, and of pins that name no MCU
MAIN_MCU = "mcu"


class PinText(NamedTuple):
    """The parts of a pin; chip is the MCU, or what else registers pins of its own."""

    chip: str
    name: str
    invert: bool


def split(text: str) -> PinText:
    """Return the parts of [^~] [!] [chip:] name, which nothing has checked."""
    name = text.strip()
    name = name[1:].strip() if name[:1] in ("^", "~") else name
    invert = name.startswith("!")
    name = name[1:].strip() if invert else name
    chip, colon, rest = name.partition(":")
    return PinText(chip.strip(), rest.strip(), invert) if colon else PinText(MAIN_MCU, name, invert)
