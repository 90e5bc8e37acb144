# A kind of micro-controller, as its firmware's data dictionary shows it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple

from virtual_printer.firmware.chips import memory, speed
from virtual_printer.firmware.chips.memory import Memory
from virtual_printer.firmware.chips.speed import Speed

# Runs of pins: the name of the first, its number, how many they are
PinRun = Tuple[str, int, int]

# What a number of a pin has room for on the wire
PIN_COUNT = 256
# Not a pin but the sensor inside the chip
TEMPERATURE: PinRun = ("ADC_TEMPERATURE", 254, 1)


@dataclass(frozen=True)
class Bus:
    """A bus of a chip by one of its names; `pins` is empty where they are not fixed."""

    kind: str
    name: str
    number: int
    pins: str = ""


@dataclass(frozen=True)
class Chip:
    """A kind of micro-controller: its clock (Hz), pins, buses and constants."""

    name: str
    frequency_hz: int
    pin_runs: Tuple[PinRun, ...]
    buses: Tuple[Bus, ...] = ()
    constants: Mapping[str, Any] = field(default_factory=dict)

    @property
    def speed(self) -> Speed:
        """What its CPU takes."""
        return speed.of_chip(self.name)

    @property
    def memory(self) -> Optional[Memory]:
        """What its firmware has for objects and moves, None if that never ends."""
        return memory.of_chip(self.name)

    def pin_numbers(self) -> Dict[str, int]:
        """Every pin by its name, with its number on the wire."""
        numbers = {}
        for first, number, count in self.pin_runs:
            stem = first.rstrip("0123456789")
            start = int(first[len(stem) :] or 0)
            names = [first] if stem == first else [f"{stem}{start + i}" for i in range(count)]
            numbers.update({name: number + i for i, name in enumerate(names)})
        return numbers

    def bus_names(self, kind: str) -> Tuple[str, ...]:
        """The names of all buses of a kind, such as spi_bus."""
        return tuple(bus.name for bus in self.buses if bus.kind in (kind, "bus"))

    def bus_number(self, kind: str, name: str) -> Optional[int]:
        """The number by which a host finds a bus of a kind from its name, which may be empty.

        As Klippy resolves it: without a name it is the one numbered 0, and firmware that has no
        names for such buses takes a number for a name.  None if there is no such bus.
        """
        numbers = {bus.name: bus.number for bus in self.buses if bus.kind in (kind, "bus")}
        if not numbers:
            return int(name or 0) if (name or "0").isdigit() else None
        if not name:
            return 0 if 0 in numbers.values() else None
        return numbers.get(name)

    def fitted_to(self, names: Iterable[str]) -> "Chip":
        """This chip, or one that has only these of its pins if it has too many for the wire."""
        if all(number + count <= PIN_COUNT for _, number, count in self.pin_runs):
            return self
        numbers = self.pin_numbers()
        found = [name for name in names if name in numbers]
        places = {number: i for i, number in enumerate(sorted({numbers[name] for name in found}))}
        runs = tuple((name, places[numbers[name]], 1) for name in sorted(set(found)))
        return replace(self, pin_runs=runs)

    def enumerations(self) -> Dict[str, Dict[str, Any]]:
        """Pins and buses, as a data dictionary has them."""
        found: Dict[str, Dict[str, Any]] = {
            "pin": {
                first: [number, count] if first[-1].isdigit() else number
                for first, number, count in self.pin_runs
            }
        }
        for bus in self.buses:
            found.setdefault(bus.kind, {})[bus.name] = bus.number
        return found

    def all_constants(self) -> Dict[str, Any]:
        """The chip's constants, as a data dictionary has them."""
        found = {"CLOCK_FREQ": self.frequency_hz, "MCU": self.name, **self.constants}
        found.update({f"BUS_PINS_{bus.name}": bus.pins for bus in self.buses if bus.pins})
        if self.speed.plain_unstep_ticks:
            found["STEPPER_OPTIMIZED_UNSTEP"] = self.speed.plain_unstep_ticks
        return found


# Every port begins at a multiple of this, so that a pin has one number on most chips
_PORT_SIZE = 16


def ports(letters: str, size: int) -> Tuple[PinRun, ...]:
    """Ports whose pins are called like PA0."""
    step = max(size, _PORT_SIZE)
    return tuple((f"P{letter}0", step * (ord(letter) - ord("A")), size) for letter in letters)


def buses(kind: str, text: str, has_long_names: bool = False) -> Tuple[Bus, ...]:
    """Buses from NAME=PINS words, numbered in their order.

    A bus that is there on several sets of pins has a letter more in its short
    name; its long name has the pins.  An underscore marks that only the long
    one is known.
    """
    found = []
    for number, word in enumerate(text.split()):
        name, _, pins = word.partition("=")
        has_short_name = not name.startswith("_")
        if has_short_name:
            found.append(Bus(kind, name, number, pins))
        if has_long_names or not has_short_name:
            peripheral = name.lstrip("_").rstrip("abcdefgh")
            found.append(Bus(kind, f"{peripheral}_{pins.replace(',', '_')}", number, pins))
    return tuple(found)
