# Pins that a chip's firmware keeps for itself: those of its link to the host, of its crystal
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Klippy refuses a printer.cfg that uses pins which the firmware's RESERVE_PINS_* constants name.

Whoever builds firmware chooses between several ports and clocks.  So the firmware of a virtual
MCU has the first ones that leave printer.cfg its pins, in the order of the build's menu.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import AbstractSet, Dict, Optional, Tuple

_PREFIX = "RESERVE_PINS_"
# What stands between the host and a UART of the MCU
_UART_DEVICE = re.compile(
    r"/tty(USB|AMA|S)\d|/serial\d|1a86|FTDI|Silicon_Labs|CP210|Prolific|Arduino"
)
# usb-Klipper_Klipper_firmware_12345 is a placeholder
_USB_DEVICE = re.compile(r"usb-(Klipper|Kalico)_(?!Klipper)")


class Connection(Enum):
    """How a host reaches an MCU; a serial device that leaves it open may be of either kind."""

    USB = "USB"
    UART = "UART"
    SERIAL = "serial device"
    CAN = "CAN bus"


def connection_of(serial: str) -> Connection:
    """Return what the name of a device says of its MCU's connection."""
    if _UART_DEVICE.search(serial):
        return Connection.UART
    return Connection.USB if _USB_DEVICE.search(serial) else Connection.SERIAL


@dataclass(frozen=True)
class _Ports:
    """The pins of each port that a build can have, one choice a word.

    A chip without `usb` has no USB, or USB on pins of its own.
    """

    usb: str = ""
    uart: str = ""
    can: str = ""
    # Of a crystal; firmware may do without it where the internal clock is good enough
    crystal: str = ""
    has_internal_clock: bool = True
    has_own_usb: bool = False
    always: str = ""


_STM32_UART = "PA10,PA9 PB7,PB6 PA3,PA2 PD6,PD5 PB11,PB10 PD9,PD8"
_F401_UART = "PA10,PA9 PB7,PB6 PA3,PA2 PD6,PD5 PA12,PA11 PC7,PC6"
_STM32_CAN = "PA11,PA12 PA11,PB9 PB8,PB9 PD0,PD1"
_STM32_FDCAN = "PA11,PA12 PA11,PB9 PB8,PB9 PB12,PB13 PD0,PD1 PB0,PB1 PD12,PD13 PC2,PC3"
_STM32_USB = "PA11,PA12"
_F4_CAN = "PA11,PA12 PB8,PB9 PI9,PH13 PB5,PB6 PB12,PB13 PD0,PD1"
_F4 = _Ports(_STM32_USB, _STM32_UART, _F4_CAN, "PH0,PH1")
_H7_CAN = "PA11,PA12 PA11,PB9 PB8,PB9 PB5,PB6 PB12,PB13 PD0,PD1 PB0,PB1 PD12,PD13 PC2,PC3"
_H7 = _Ports(_STM32_USB, f"{_STM32_UART} PA0,PA1", _H7_CAN, "PH0,PH1")
_F0_UART = "PA10,PA9 PB7,PB6 PA3,PA2 PA15,PA14"
_F0 = _Ports(uart=_F0_UART, crystal="PF0,PF1")
_F0_USB = _Ports(_STM32_USB, _F0_UART, "PA11,PA12 PB8,PB9", "PF0,PF1")
_G0_UART = "PA10,PA9 PB7,PB6 PA3,PA2 PD6,PD5 PB11,PB10 PD9,PD8"
_G0_CAN = "PB8,PB9 PB12,PB13 PD0,PD1 PB0,PB1 PD12,PD13 PC2,PC3"
# Boards have the bridge to USB, or a connector, at the first UART of these
_AVR = _Ports(uart="PD0,PD1")
_AVR_LARGE = _Ports(uart="PE0,PE1")
_SAMD_CRYSTAL = "PA0,PA1"
_SAMD51_CAN = "PA23,PA22 PA25,PA24 PB13,PB12 PB15,PB14"
_LPC_CAN = "P0.0,P0.1 P0.21,P0.22 P0.4,P0.5 P2.7,P2.8"
# Its CAN may be on any two pins
_RP = _Ports(
    can=" ".join(f"gpio{rx},gpio{rx + 1}" for rx in (4, 0, 2, *range(6, 29, 2))),
    has_own_usb=True,
)

# By how the name of the chip begins; others keep no pins
_PORTS: Dict[str, _Ports] = {
    "atmega": _AVR,
    "atmega1280": _AVR_LARGE,
    "atmega2560": _AVR_LARGE,
    "atmega32u4": _Ports(has_own_usb=True),
    "at90usb": _Ports(has_own_usb=True),
    "lgt8f": _AVR,
    "sam3x": _Ports(uart="PA8,PA9", has_own_usb=True),
    "sam4s": _Ports("PB10,PB11", "PB2,PB3"),
    "sam4e": _Ports("PB10,PB11", "PA9,PA10"),
    "same70": _Ports(uart="PD25,PD26", can="PC12,PD12 PB3,PB2", has_own_usb=True),
    "samd21": _Ports("PA24,PA25", "PA11,PA10", crystal=_SAMD_CRYSTAL),
    "samd51": _Ports("PA24,PA25", "PA11,PA10", crystal=_SAMD_CRYSTAL),
    "same5": _Ports("PA24,PA25", "PA11,PA10", _SAMD51_CAN, _SAMD_CRYSTAL),
    "samc21": _Ports(
        can="PA23,PA22 PA25,PA24 PB11,PB10 PB15,PB14",
        crystal="PA14,PA15",
        has_internal_clock=False,
        always="adc=PA3",
    ),
    "stm32f031": _F0,
    "stm32f042": _F0_USB,
    "stm32f070": _Ports(_STM32_USB, _F0_UART, crystal="PF0,PF1"),
    "stm32f072": _F0_USB,
    "stm32f1": _Ports(_STM32_USB, _STM32_UART, _STM32_CAN),
    "stm32f2": _Ports(_STM32_USB, _STM32_UART, _STM32_CAN),
    "stm32f401": _Ports(_STM32_USB, _F401_UART, crystal="PH0,PH1"),
    "stm32f4": _F4,
    "stm32f7": _Ports(_STM32_USB, _STM32_UART, crystal="PH0,PH1"),
    "stm32g07": _Ports(uart=_G0_UART, crystal="PF0,PF1"),
    "stm32g0b0": _Ports(_STM32_USB, _G0_UART, crystal="PF0,PF1"),
    "stm32g0b1": _Ports(_STM32_USB, _G0_UART, _G0_CAN, "PF0,PF1"),
    "stm32g4": _Ports(_STM32_USB, _STM32_UART, _STM32_FDCAN, "PF0,PF1"),
    "stm32h7": _H7,
    "stm32h743": _Ports("PA11,PA12 PB14,PB15", _H7.uart, f"{_H7_CAN} PH14,PH13", "PH0,PH1"),
    "stm32h750": _Ports("PA11,PA12 PB14,PB15", _H7.uart, _H7_CAN, "PH0,PH1"),
    "stm32l4": _Ports(_STM32_USB, _STM32_UART, crystal="PC14,PC15"),
    "hc32f4": _Ports(uart="PA15,PA9 PC0,PC1 PA3,PA2 PH2,PB10 PA7,PA8 PA13,PA14"),
    "lpc176": _Ports("P0.30,P0.29,P2.9", "P0.3,P0.2 P4.29,P4.28", _LPC_CAN),
    "rp2040": _RP,
    "rp2350": _RP,
}


def constants(chip: str, connection: Connection, used: AbstractSet[str]) -> Dict[str, str]:
    """Return the constants of firmware for a chip that leaves printer.cfg the pins it uses.

    If it uses those of every port there is, the first of them stays reserved.
    """
    names = [name for name in _PORTS if chip.startswith(name)]
    if not names:
        return {}
    ports = _PORTS[max(names, key=len)]
    found = dict(item.split("=") for item in ports.always.split())
    name, choices = _link(ports, connection, used)
    if choices:
        found[name] = _first_free(choices, used) or choices[0]
    taken = used | set(found.get(name, "").split(","))
    crystal = _first_free(tuple(ports.crystal.split()), taken)
    if not ports.has_internal_clock:
        crystal = ports.crystal
    if crystal:
        found["crystal"] = crystal
    return {_PREFIX + name: pins for name, pins in found.items()}


def _link(
    ports: _Ports, connection: Connection, used: AbstractSet[str]
) -> Tuple[str, Tuple[str, ...]]:
    """Return the name of the port to the host, and the pins that each choice of it has."""
    usb, uart, can = (tuple(text.split()) for text in (ports.usb, ports.uart, ports.can))
    if connection is Connection.CAN:
        return "CAN", can
    has_usb = ports.has_own_usb or _first_free(usb, used) is not None
    # Devices are often named as placeholders: what is left is what it must be
    if connection is Connection.UART:
        is_usb = has_usb and not _first_free(uart, used)
    else:
        is_usb = has_usb or (connection is Connection.USB and bool(usb))
    if not is_usb:
        return "serial", uart
    return ("USB1" if _first_free(usb, used) == "PB14,PB15" else "USB"), usb


def _first_free(choices: Tuple[str, ...], used: AbstractSet[str]) -> Optional[str]:
    return next((pins for pins in choices if used.isdisjoint(pins.split(","))), None)
