# Chips with outputs that the host sets: potentiometers, converters, LED drivers, further pins
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import dataclass
from typing import Dict, Iterator, Mapping, Optional, Sequence, Tuple

from printer_config.config import Config
from printer_config.section import Section
from virtual_printer import expanders
from virtual_printer.boards import Boards
from virtual_printer.bus_places import i2c_place, spi_place
from virtual_printer.model import I2cPlace, LedChain, OutputChip, SpiPlace, software_bus
from virtual_printer.pins import parse_pin, parse_pin_text

_COLORS = {"R": "red", "G": "green", "B": "blue", "W": "white"}
# Where a Replicape has its PCA9685, and the pin that has it drive its outputs
_REPLICAPE_BUS, _REPLICAPE_ADDRESS = 2, 0x70
_REPLICAPE_ENABLE = "!gpio0_20"
# Where its shift registers are, by which its drivers are set
_REPLICAPE_SPI = "spidev1.1"


@dataclass(frozen=True)
class _Kind:
    """The outputs of a kind of chip in their order, and its usual address, None if on SPI."""

    outputs: Tuple[str, ...]
    address: Optional[int] = None


def _lettered(stem: str, letters: Sequence[str]) -> Tuple[str, ...]:
    return tuple(f"{stem}_{letter}" for letter in letters)


# By their sections
_KINDS: Mapping[str, _Kind] = {
    "ad5206": _Kind(_lettered("channel", "123456")),
    "dac084S085": _Kind(_lettered("channel", "ABCD")),
    "mcp4018": _Kind(("wiper",), 0x2F),
    "mcp4451": _Kind(_lettered("wiper", "0123"), 0x2D),
    "mcp4728": _Kind(_lettered("channel", "abcd"), 0x60),
    "pca9533": _Kind(tuple(_COLORS.values()), 0x62),
    "pca9632": _Kind(tuple(_COLORS.values()), 0x62),
    "sx1509": _Kind(tuple(expanders.SX1509_OUTPUTS), 0x3E),
}


def output_chips(printer: Config, boards: Boards) -> Tuple[OutputChip, ...]:
    """Return all that printer.cfg has."""
    return tuple(chip for section in printer.sections.values() for chip in _chips(section, boards))


def led_chains(printer: Config, boards: Boards) -> Tuple[LedChain, ...]:
    """Return the chains of LEDs that have a clock."""
    return tuple(
        _led_chain(section, boards)
        for name, section in printer.sections.items()
        if name.startswith("dotstar ")
    )


def _led_chain(section: Section, boards: Boards) -> LedChain:
    data_pin = parse_pin(section, "data_pin", boards)
    bus = software_bus(parse_pin(section, "clock_pin", boards), data_pin)
    count = section.get_int("chain_count", 1, minimum=1)
    return LedChain(SpiPlace(data_pin.mcu, None, bus), data_pin, count)


def values(chip: OutputChip, shares: Sequence[float]) -> Dict[str, float]:
    """Return what the outputs of a chip are at, in the units in which printer.cfg sets them."""
    return {name: shares[number] * chip.scale for name, number in chip.outputs}


def _chips(section: Section, boards: Boards) -> Iterator[OutputChip]:
    """Yield what a section has."""
    kind_name = section.name.split()[0]
    if section.name == "replicape":
        yield from _replicape(section, boards)
    elif kind_name in _KINDS:
        yield _chip(section, kind_name, _KINDS[kind_name], boards)


def _chip(section: Section, kind_name: str, kind: _Kind, boards: Boards) -> OutputChip:
    outputs = kind.outputs
    if kind_name == "pca9632":
        order = section.get("color_order", "RGBW")
        outputs = tuple(_COLORS.get(letter, letter) for letter in order)
    return OutputChip(
        name=expanders.expander_name(section.name),
        kind=kind_name.lower(),
        place=spi_place(section, boards, "enable_pin")
        if kind.address is None
        else i2c_place(section, boards, kind.address),
        outputs=tuple((name, number) for number, name in enumerate(outputs)),
        scale=section.get_float("scale", 1.0, above=0.0),
    )


def _replicape(section: Section, boards: Boards) -> Iterator[OutputChip]:
    mcu = section.get("host_mcu")
    if mcu not in boards.chips:
        raise section.error("host_mcu", f"names an MCU that is not there: '{mcu}'")
    enable = section.get("enable_pin", _REPLICAPE_ENABLE)
    yield OutputChip(
        name=section.name,
        kind="pca9685",
        place=I2cPlace(mcu, _REPLICAPE_BUS, _REPLICAPE_ADDRESS),
        outputs=tuple(expanders.REPLICAPE_OUTPUTS.items()),
        scale=1.0,
        enable_pin=parse_pin_text(section, "enable_pin", enable, boards),
    )
    bus = boards.chips[mcu].bus_number("spi_bus", _REPLICAPE_SPI)
    if bus is not None:
        yield OutputChip(
            name=f"{section.name}_registers",
            kind="shift_registers",
            place=SpiPlace(mcu, None, bus),
            outputs=tuple((f"bit_{i}", i) for i in range(40)),
            scale=1.0,
        )
