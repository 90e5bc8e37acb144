# How much memory the firmware of chips has for objects and moves
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Firmware wants 1024 slots for moves, and takes as many as fit behind its objects.

That only shows on chips with little memory.  How much of it a firmware has for itself depends on
what it is built with: here it is about what a build with all parts takes, and one with few parts
where all do not fit.
"""

from dataclasses import dataclass
from typing import Dict, Optional

# What the firmware asks for
MOVE_COUNT = 1024

_STACK_BYTES = 512
_ARM_STATIC_BYTES = 2560


@dataclass(frozen=True)
class Memory:
    """Memory (bytes) for objects and moves, and what each of these takes of it."""

    total_bytes: int
    id_bytes: int = 8
    object_bytes: int = 56
    move_bytes: int = 16


def _arm(kib: float, static_bytes: int = _ARM_STATIC_BYTES) -> Memory:
    return Memory(int(kib * 1024) - static_bytes - _STACK_BYTES)


def _avr(ram_bytes: int, static_bytes: int) -> Memory:
    stack_bytes = 256
    return Memory(
        ram_bytes - static_bytes - stack_bytes, id_bytes=4, object_bytes=36, move_bytes=11
    )


def _program(pool_bytes: int) -> Memory:
    return Memory(pool_bytes, id_bytes=16, object_bytes=80, move_bytes=24)


# By how the name of the chip begins; others have more than anybody needs
_MEMORIES: Dict[str, Memory] = {
    "atmega1284": _avr(16 * 1024, 1700),
    "atmega2560": _avr(8 * 1024, 1700),
    "atmega1280": _avr(8 * 1024, 1700),
    "atmega644": _avr(4 * 1024, 1500),
    "at90usb1286": _avr(8 * 1024, 1700),
    "at90usb646": _avr(4 * 1024, 1500),
    "atmega32u4": _avr(2560, 1000),
    "atmega328": _avr(2 * 1024, 700),
    "lgt8f328p": _avr(2 * 1024, 700),
    "atmega168": _avr(1024, 400),
    "stm32f031": _arm(4, static_bytes=1024),
    "stm32f042": _arm(6, static_bytes=1536),
    "stm32f070": _arm(16),
    "stm32f072": _arm(16),
    "stm32f103": _arm(20),
    "samd21e15": _arm(4, static_bytes=1024),
    "pru": Memory(8 * 1024 - 2048 - 256),
    "ar100": Memory(8 * 1024),
    "linux": _program(20 * 1024),
    "simulator": _program(20 * 1024),
}


def of_chip(name: str) -> Optional[Memory]:
    """Return the memory of the chip of a name, None if it never runs out of it."""
    names = [start for start in _MEMORIES if name.startswith(start)]
    return _MEMORIES[max(names, key=len)] if names else None
