# Micro-controllers that firmware is built for: clock and pins
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import dataclass
from typing import Dict, Mapping, Tuple


@dataclass(frozen=True)
class Chip:
    """A kind of micro-controller: clock (Hz) and runs of pins (first, number of it, count)."""

    name: str
    frequency_hz: int
    pin_runs: Tuple[Tuple[str, int, int], ...]

    def pin_numbers(self) -> Dict[str, int]:
        """Every pin by its name, with its number on the wire."""
        numbers = {}
        for first, number, count in self.pin_runs:
            stem = first.rstrip("0123456789")
            start = int(first[len(stem) :])
            numbers.update({f"{stem}{start + i}": number + i for i in range(count)})
        return numbers


def _ports(letters: str, size: int) -> Tuple[Tuple[str, int, int], ...]:
    return tuple((f"P{letter}0", size * i, size) for i, letter in enumerate(letters))


# Has the pins of several families at once
VIRTUAL = Chip(
    "virtual", 180_000_000, (*_ports("ABCDEFGHIJK", 16), ("gpio0", 176, 30), ("PL0", 206, 16))
)

PIN_NUMBERS: Mapping[str, int] = VIRTUAL.pin_numbers()

# By the first letters of the names of Klipper's firmware builds
FAMILIES: Mapping[str, Chip] = {
    chip.name: chip
    for chip in (
        Chip("atmega", 16_000_000, _ports("ABCDEFGHJKL", 8)),
        Chip("stm32", 72_000_000, _ports("ABCDEFGHI", 16)),
        Chip("rp2", 12_000_000, (("gpio0", 0, 30),)),
        Chip("linuxprocess", 50_000_000, (("gpiochip0/gpio0", 0, 256),)),
    )
}
