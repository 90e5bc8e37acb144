# Where on a bus printer.cfg has a chip
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from printer_config import pins
from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.model import BusPlace, I2cPlace, SpiPlace
from virtual_printer.pins import parse_pin

# The pin of a chip that is alone on its bus
_NO_PIN = "None"


def bus_place(section: Section, boards: Boards, i2c_address: int = 0) -> BusPlace:
    """Return the place of a section's chip: with a cs_pin it is on SPI."""
    if section.has("cs_pin"):
        return spi_place(section, boards)
    return i2c_place(section, boards, i2c_address)


def i2c_place(section: Section, boards: Boards, i2c_address: int) -> I2cPlace:
    """Return the place of a chip that is on I2C only."""
    address = section.get_int("i2c_address", i2c_address)
    mcu = section.get("i2c_mcu", pins.MAIN_MCU)
    if mcu not in boards.chips:
        raise section.error("i2c_mcu", f"names an MCU that is not there: '{mcu}'")
    return I2cPlace(mcu, boards.i2c_bus(section, mcu), address)


def spi_place(section: Section, boards: Boards) -> SpiPlace:
    """Return the place of a chip that is on SPI only."""
    mcu, name, _ = pins.split(section.get("cs_pin"))
    if name != _NO_PIN:
        return SpiPlace(mcu, parse_pin(section, "cs_pin", boards), 0)
    if mcu not in boards.chips:
        raise section.error("cs_pin", f"names an MCU that is not there: '{mcu}'")
    name = section.get("spi_bus", "").strip()
    number = boards.chips[mcu].bus_number("spi_bus", name)
    if number is None:
        raise section.error("spi_bus", f"is no bus of {boards.chips[mcu].name} MCUs: '{name}'")
    return SpiPlace(mcu, None, number)
