# Where on a bus printer.cfg has a chip
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Optional, Tuple

from printer_config import pins
from printer_config.section import ConfigError, Section
from virtual_printer.boards import SELECT_PINS, Boards
from virtual_printer.model import BusPlace, I2cPlace, I2cWires, SpiPlace, software_bus
from virtual_printer.pins import parse_pin

# The pin of a chip that is alone on its bus
_NO_PIN = "None"
_SPI_CLOCK, _SPI_DATA = "spi_software_sclk_pin", "spi_software_mosi_pin"
# Options of a bus that the firmware, or else Klippy itself, clocks bit by bit
_WIRES = (
    ("i2c_software_scl_pin", "i2c_software_sda_pin"),
    ("scl_pin", "sda_pin"),
)


def bus_place(section: Section, boards: Boards, i2c_address: int = 0) -> BusPlace:
    """Return the place of a section's chip: with a cs_pin it is on SPI."""
    if section.has("cs_pin"):
        return spi_place(section, boards)
    return i2c_place(section, boards, i2c_address)


def i2c_place(section: Section, boards: Boards, i2c_address: int) -> I2cPlace:
    """Return the place of a chip that is on I2C only."""
    address = section.get_int("i2c_address", i2c_address)
    for clock, data in _WIRES:
        if section.has(clock):
            wires = I2cWires(parse_pin(section, clock, boards), parse_pin(section, data, boards))
            bus = software_bus(wires.clock_pin, wires.data_pin)
            return I2cPlace(wires.clock_pin.mcu, bus, address, wires)
    mcu = section.get("i2c_mcu", pins.MAIN_MCU)
    if mcu not in boards.chips:
        raise section.error("i2c_mcu", f"names an MCU that is not there: '{mcu}'")
    return I2cPlace(mcu, _bus(section, "i2c_bus", boards, mcu), address)


def spi_place(section: Section, boards: Boards, option: str = "cs_pin") -> SpiPlace:
    """Return the place of a chip that is on SPI only; the option names the pin that selects it."""
    mcu, name, _ = pins.split(section.get(option))
    if name != _NO_PIN:
        return SpiPlace(mcu, parse_pin(section, option, boards), 0)
    if mcu not in boards.chips:
        raise section.error(option, f"names an MCU that is not there: '{mcu}'")
    if section.has(_SPI_CLOCK):
        wires = (parse_pin(section, wire, boards) for wire in (_SPI_CLOCK, _SPI_DATA))
        return SpiPlace(mcu, None, software_bus(*wires))
    return SpiPlace(mcu, None, _bus(section, "spi_bus", boards, mcu))


def section_at(place: str, boards: Boards) -> Optional[str]:
    """Return the section that has a chip at a place, if any.

    That is MCU:spi:PIN, MCU:spi_bus:BUS or MCU:i2c:BUS:ADDRESS.
    """
    mcu, kind, *numbers = place.split(":")
    for name, section in boards.printer.sections.items():
        if kind == "spi":
            selecting = (pin for _, pin in boards.pins_of(section) if pin.chip == mcu)
            numbers_of_pins = (boards.pin_number(mcu, pin.name) for pin in selecting)
            is_there = int(numbers[0]) in numbers_of_pins
        elif kind == "spi_bus":
            is_there = _is_alone_on_spi(section, boards, SpiPlace(mcu, None, int(numbers[0])))
        else:
            is_there = _is_on_i2c(section, boards, (mcu, int(numbers[0]), int(numbers[1])))
        if is_there:
            return name
    return None


def _is_alone_on_spi(section: Section, boards: Boards, place: SpiPlace) -> bool:
    """Whether the options of a section have its chip on a bus, where no pin selects it."""
    for option in SELECT_PINS:
        if section.has(option) and pins.split(section.get(option)).name == _NO_PIN:
            try:
                return spi_place(section, boards, option) == place
            except ConfigError:
                return False
    return False


def unanswered_text(place: str, boards: Boards) -> str:
    """Return what a log says of a place at which nobody answers."""
    section = section_at(place, boards)
    what = f"section [{section}]" if section else f"the chip at {place}"
    return f"{what} is not simulated: it answers zeros"


def _is_on_i2c(section: Section, boards: Boards, place: Tuple[str, int, int]) -> bool:
    """Whether the options of a section have its chip there; the address may be any without one."""
    if not any(option.startswith("i2c_") for option in section.options):
        return False
    try:
        found = i2c_place(section, boards, place[2])
    except ConfigError:
        return False
    return (found.mcu, found.bus, found.address) == place


def _bus(section: Section, kind: str, boards: Boards, mcu: str) -> int:
    """Return the number of a bus that is the hardware's own."""
    chip = boards.chips[mcu]
    name = section.get(kind, "").strip()
    number = chip.bus_number(kind, name)
    if number is None:
        raise section.error(kind, f"is no bus of {chip.name} MCUs: '{name}'")
    return number
