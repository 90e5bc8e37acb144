# The micro-controllers of a printer: their sections, and who is on a CAN bus
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, Optional

from printer_config.config import Config
from printer_config.pins import MAIN_MCU
from printer_config.section import Section

# What a Beacon's section begins with; the second one is that of the package klipper-beacon
BEACON_KINDS = ("beacon", "klipper_beacon.beacon")


def sections(printer: Config) -> Dict[str, Section]:
    """Return the sections of all MCUs by the name that pins use, the main one first.

    Sensors that are MCUs themselves have their section's name, as one word.
    """
    found = {MAIN_MCU: printer.required_section(MAIN_MCU)}
    for name, section in printer.sections.items():
        words = name.split()
        if len(words) == 2 and words[0] == "mcu":
            found[words[1]] = section
        elif is_beacon(section):
            found["_".join(words)] = section
    return found


def section(printer: Config, name: str) -> Section:
    """Return the section of one MCU; an absent one is empty."""
    for one in printer.sections.values():
        if is_beacon(one) and "_".join(one.name.split()) == name:
            return one
    return printer.section(MAIN_MCU if name == MAIN_MCU else f"mcu {name}")


def is_beacon(section: Section) -> bool:
    """Whether a section is that of a Beacon, which is an MCU by itself; not that of a model."""
    return section.name.split()[0] in BEACON_KINDS and section.has("serial")


def is_mcu(printer: Config, chip: str) -> bool:
    """Whether a pin's chip is an MCU."""
    return chip == MAIN_MCU or f"mcu {chip}" in printer.sections


def can_interface(mcu: Section) -> Optional[str]:
    """Return the CAN interface over which the host reaches an MCU, or None."""
    return mcu.get("canbus_interface", "can0").strip() if mcu.has("canbus_uuid") else None
