# Micro-controllers that firmware is built for, and which of them a printer most likely has
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
from dataclasses import replace
from typing import Dict, Iterable, Mapping, Optional, Set, Tuple

from virtual_printer.firmware.chips import atmel, others, reserved, sensors, stm32
from virtual_printer.firmware.chips.chip import TEMPERATURE, Bus, Chip, ports
from virtual_printer.firmware.chips.memory import MOVE_COUNT

__all__ = [
    "BEACON",
    "KNOWN",
    "MOVE_COUNT",
    "OLD_BEACON",
    "PIN_NUMBERS",
    "TEMPERATURE_PIN",
    "VIRTUAL",
    "Chip",
    "find",
    "fitting",
    "of_serial",
    "reserved_pins",
]


def _unpinned(buses: Iterable[Bus]) -> Tuple[Bus, ...]:
    return tuple(replace(bus, pins="") for bus in buses)


def _numbered(kind: str, count: int) -> Tuple[Bus, ...]:
    return tuple(Bus(kind, str(number), number) for number in range(count))


# Has the pins of several families at once, and buses on any of them, by names or numbers; no
# firmware is built for it
VIRTUAL = Chip(
    "virtual",
    180_000_000,
    (*ports("ABCDEFGHIJK", 16), ("gpio0", 176, 30), ("PL0", 206, 16), TEMPERATURE),
    (*_unpinned(stm32.F407.buses), *_numbered("spi_bus", 4), *_numbered("i2c_bus", 4)),
    {"ADC_MAX": 4095, "PWM_MAX": 255},
)

# The name by which extras ask for the sensor inside a chip
TEMPERATURE_PIN = TEMPERATURE[0]
PIN_NUMBERS: Mapping[str, int] = VIRTUAL.pin_numbers()

BEACON, OLD_BEACON = sensors.BEACON, sensors.OLD_BEACON

# Those that many boards have come first in each family
KNOWN: Tuple[Chip, ...] = (*atmel.AVR, *stm32.CHIPS, *atmel.SAM, *atmel.SAMD, *others.CHIPS)

# How the firmware calls its device: usb-Klipper_stm32f446xx_...
_USB_NAME = re.compile(r"usb-(?:Klipper|Kalico)_([A-Za-z0-9]+)_")
# How many letters of an STM32's name say what it is; the rest is its package and its memory
_STM32_LETTERS = len("stm32f103")
_PATHS = {
    "/tmp/klipper_host_": others.LINUX.name,
    "/dev/rpmsg_pru": "pru",
    "/tmp/virtual_printer/": VIRTUAL.name,
}


def find(name: str) -> Optional[Chip]:
    """The chip of a name, such as stm32f446 or that of a firmware build; None if unknown."""
    name = name.strip().lower()
    for chip in (VIRTUAL, BEACON, OLD_BEACON, *KNOWN):
        is_alike = chip.name[:5] == "stm32" and name[:_STM32_LETTERS] == chip.name[:_STM32_LETTERS]
        if name == chip.name or name.split(".")[0] == chip.name or is_alike:
            return chip
    return others.LINUX if name.startswith("linux") else None


def of_serial(path: str) -> Optional[Chip]:
    """The chip that the name of a device speaks of, None if it speaks of none."""
    for start, name in _PATHS.items():
        if path.startswith(start):
            return find(name)
    found = _USB_NAME.search(path)
    return find(found.group(1)) if found else None


def fitting(serial: Optional[str], pins: Iterable[str], buses: Iterable[Tuple[str, str]]) -> Chip:
    """The first chip that has all of these pins and buses (kind, name), else the virtual one.

    One on which the pins of a bus are not among the others is better, and so is one whose
    firmware keeps none of them for itself.
    """
    wanted, wanted_buses = set(pins), set(buses)
    found = [chip for chip in KNOWN if _has(chip, wanted, wanted_buses)]
    apart = [chip for chip in found if not _pins_of(chip, wanted_buses) & wanted] or found
    free = (
        chip
        for chip in apart
        if not wanted.intersection(
            ",".join(reserved_pins(chip, serial, wanted, wanted_buses).values()).split(",")
        )
    )
    return next(free, next(iter(apart), VIRTUAL))


def reserved_pins(
    chip: Chip,
    serial: Optional[str],
    pins: Iterable[str],
    buses: Iterable[Tuple[str, str]],
) -> Dict[str, str]:
    """Constants of a chip's firmware for the pins that it keeps for itself.

    `serial` is its device, None if it is on a CAN bus; `pins` and `buses` (kind, name) are those
    that printer.cfg uses.
    """
    connection = reserved.Connection.CAN if serial is None else reserved.connection_of(serial)
    return reserved.constants(chip.name, connection, set(pins) | _pins_of(chip, set(buses)))


def _has(chip: Chip, pins: Set[str], buses: Set[Tuple[str, str]]) -> bool:
    return pins <= chip.pin_numbers().keys() and all(
        name in chip.bus_names(kind) for kind, name in buses
    )


def _pins_of(chip: Chip, buses: Set[Tuple[str, str]]) -> Set[str]:
    found = [bus.pins.split(",") for bus in chip.buses if (bus.kind, bus.name) in buses]
    return {pin for some in found for pin in some}
