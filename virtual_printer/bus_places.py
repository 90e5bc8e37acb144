# Where on a bus printer.cfg has a chip
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Sequence

from printer_config import pins
from printer_config.section import Section
from virtual_printer.firmware.chips import PIN_NUMBERS
from virtual_printer.model import BusPlace, I2cPlace, SpiPlace
from virtual_printer.pins import parse_pin

# The pin of a chip that is alone on its bus
_NO_PIN = "None"


def bus_place(section: Section, mcus: Sequence[str], i2c_address: int = 0) -> BusPlace:
    """Return the place of a section's chip: with a cs_pin it is on SPI."""
    if section.has("cs_pin"):
        return spi_place(section, mcus)
    return i2c_place(section, mcus, i2c_address)


def i2c_place(section: Section, mcus: Sequence[str], i2c_address: int) -> I2cPlace:
    """Return the place of a chip that is on I2C only."""
    address = section.get_int("i2c_address", i2c_address)
    mcu = section.get("i2c_mcu", pins.MAIN_MCU)
    if mcu not in mcus:
        raise section.error("i2c_mcu", f"names an MCU that is not there: '{mcu}'")
    if section.has("i2c_software_scl_pin"):
        clock = parse_pin(section, "i2c_software_scl_pin", mcus)
        return I2cPlace(mcu, PIN_NUMBERS[clock.name], address)
    return I2cPlace(mcu, _bus_number(section, "i2c_bus"), address)


def spi_place(section: Section, mcus: Sequence[str]) -> SpiPlace:
    """Return the place of a chip that is on SPI only."""
    mcu, name, _ = pins.split(section.get("cs_pin"))
    if name != _NO_PIN:
        return SpiPlace(mcu, parse_pin(section, "cs_pin", mcus), 0)
    if mcu not in mcus:
        raise section.error("cs_pin", f"names an MCU that is not there: '{mcu}'")
    return SpiPlace(mcu, None, _bus_number(section, "spi_bus"))


def _bus_number(section: Section, option: str) -> int:
    text = section.get(option, "0")
    if not text.isdigit():
        raise section.error(option, f"names a bus that virtual MCUs do not have: '{text}'")
    return int(text)
