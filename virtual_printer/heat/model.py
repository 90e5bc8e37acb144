# What the simulation has to know of heat
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import dataclass, replace
from typing import Tuple, Union

from virtual_printer.model import I2cPlace, Pin


@dataclass(frozen=True)
class Body:
    """Something that stores heat and loses it to the room."""

    name: str
    capacity_j_per_k: float
    loss_w_per_k: float
    ambient_c: float
    start_c: float
    # What nothing switches
    own_heat_w: float = 0.0


@dataclass(frozen=True)
class Coupling:
    """Heat that flows between two bodies, by their names."""

    body: str
    other: str
    conductance_w_per_k: float


@dataclass(frozen=True)
class Heater:
    """A heater in a body."""

    body: str
    pin: Pin
    power_w: float


@dataclass(frozen=True)
class Cooler:
    """A fan that blows at a body: what it takes away at full speed."""

    body: str
    pin: Pin
    loss_w_per_k: float


@dataclass(frozen=True)
class Curve:
    """Share of the reference voltage at equal steps of the temperature."""

    lowest_c: float
    step_c: float
    ratios: Tuple[float, ...]

    def between(self, low: float, high: float) -> "Curve":
        """Return the curve if 0 and 1 are these shares of the reference voltage."""
        return replace(self, ratios=tuple(low + one * (high - low) for one in self.ratios))


@dataclass(frozen=True)
class Voltage:
    """An analog pin at a fixed share of the reference voltage."""

    pin: Pin
    ratio: float


@dataclass(frozen=True)
class AnalogWiring:
    """A sensor on an analog pin."""

    pin: Pin
    curve: Curve


@dataclass(frozen=True)
class ChipWiring:
    """A sensor behind a chip on SPI, which the pin selects.

    What platinum has at 0 C and what it is compared with are for a MAX31865.
    """

    pin: Pin
    chip: str
    nominal_ohm: float
    reference_ohm: float


@dataclass(frozen=True)
class McuWiring:
    """The sensor inside of a micro-controller."""

    mcu: str


@dataclass(frozen=True)
class OneWireWiring:
    """A DS18B20, known by its serial number."""

    mcu: str
    serial: str


@dataclass(frozen=True)
class I2cWiring:
    """A chip on I2C; the number is what tells the chips of a family apart."""

    chip: str
    number: int
    place: I2cPlace


Wiring = Union[AnalogWiring, ChipWiring, I2cWiring, McuWiring, OneWireWiring]


@dataclass(frozen=True)
class TemperatureSensor:
    """A sensor that shows so much more than the temperature of a body."""

    name: str
    body: str
    offset_c: float
    wiring: Wiring


@dataclass(frozen=True)
class Heat:
    """All of it."""

    bodies: Tuple[Body, ...] = ()
    couplings: Tuple[Coupling, ...] = ()
    heaters: Tuple[Heater, ...] = ()
    coolers: Tuple[Cooler, ...] = ()
    sensors: Tuple[TemperatureSensor, ...] = ()
    voltages: Tuple[Voltage, ...] = ()


@dataclass(frozen=True)
class McuThermometer:
    """The sensor inside of a kind of micro-controller.

    Shares of the reference voltage at two temperatures, and the words of the
    chip's memory (address, value) that show them to a host.
    """

    low_c: float
    low_ratio: float
    high_c: float
    high_ratio: float
    words: Tuple[Tuple[int, int], ...] = ()

    def curve(self) -> Curve:
        """Return the curve over all that a chip survives."""
        lowest_c, highest_c = -60.0, 160.0
        slope = (self.high_ratio - self.low_ratio) / (self.high_c - self.low_c)
        ratios = (self.low_ratio + slope * (at_c - self.low_c) for at_c in (lowest_c, highest_c))
        return Curve(lowest_c, highest_c - lowest_c, tuple(ratios))
