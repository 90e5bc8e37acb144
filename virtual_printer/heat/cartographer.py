# The thermistor in the coil of a Cartographer probe
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.heat.model import AnalogWiring, Curve
from virtual_printer.heat.thermistors import by_beta
from virtual_printer.model import Pin

# As its plugin reckons: a thermistor by its beta below a resistor
_THERMISTOR = by_beta((25.0, 47_000.0), 4041.0)
_PULL_UP_OHM = 10_000.0
_LOWEST_C, _HIGHEST_C = -50, 200
# Where it may be, by the kind of chip
_PINS = ("PA0", "gpio26")


def pin(section: Section, boards: Boards) -> Pin:
    """Return the pin that it is on, of the MCU that [cartographer] names."""
    mcu = section.get("mcu")
    if mcu not in boards.chips:
        raise section.error("mcu", f"names an MCU that is not there: '{mcu}'")
    numbers = boards.numbers[mcu]
    name = next((one for one in _PINS if one in numbers), next(iter(numbers)))
    return Pin(mcu, name, False, numbers[name])


def wiring(section: Section, boards: Boards) -> AnalogWiring:
    """Return how it is read."""
    return AnalogWiring(pin(section, boards), curve())


def curve() -> Curve:
    """Return the share of the reference voltage at its pin."""
    temperatures_c = range(_LOWEST_C, _HIGHEST_C + 1)
    ohms = [_THERMISTOR.resistance_ohm(float(at_c)) for at_c in temperatures_c]
    ratios = tuple(ohm / (ohm + _PULL_UP_OHM) for ohm in ohms)
    return Curve(float(_LOWEST_C), 1.0, ratios)
