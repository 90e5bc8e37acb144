# Voltage of thermocouples, and of the amplifiers that make use of it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import math
from dataclasses import dataclass
from typing import Callable, Mapping, Sequence

# Coefficients of the NIST's ITS-90 polynomials (mV, C)
_K_BELOW_0 = (
    *(0.0, 0.394501280250e-1, 0.236223735980e-4, -0.328589067840e-6, -0.499048287770e-8),
    *(-0.675090591730e-10, -0.574103274280e-12, -0.310888728940e-14, -0.104516093650e-16),
    *(-0.198892668780e-19, -0.163226974860e-22),
)
_K = (
    *(-0.176004136860e-1, 0.389212049750e-1, 0.185587700320e-4, -0.994575928740e-7),
    *(0.318409457190e-9, -0.560728448890e-12, 0.560750590590e-15, -0.320207200030e-18),
    *(0.971511471520e-22, -0.121047212750e-25),
)
_J = (
    *(0.0, 0.503811878150e-1, 0.304758369300e-4, -0.856810657200e-7, 0.132281952950e-9),
    *(-0.170529583370e-12, 0.209480906970e-15, -0.125383953360e-18, 0.156317256970e-22),
)
_J_ABOVE_760 = (
    *(0.296456256810e3, -0.149761277860e1, 0.317871039240e-2, -0.318476867010e-5),
    *(0.157208190040e-8, -0.306913690560e-12),
)


def _polynomial(coefficients: Sequence[float], value: float) -> float:
    total = 0.0
    for coefficient in reversed(coefficients):
        total = total * value + coefficient
    return total


def type_k_mv(temperature_c: float) -> float:
    """Return the voltage of a type K thermocouple whose other end is at 0 C."""
    if temperature_c < 0.0:
        return _polynomial(_K_BELOW_0, temperature_c)
    bump_mv = 0.1185976 * math.exp(-0.1183432e-3 * (temperature_c - 126.9686) ** 2)
    return _polynomial(_K, temperature_c) + bump_mv


def type_j_mv(temperature_c: float) -> float:
    """Return the voltage of a type J thermocouple whose other end is at 0 C."""
    return _polynomial(_J if temperature_c < 760.0 else _J_ABOVE_760, temperature_c)


@dataclass(frozen=True)
class Amplifier:
    """An amplifier that makes up for the other end's temperature."""

    thermocouple_mv: Callable[[float], float]
    gain: float
    # What its data sheet shows at 0 C
    offset_mv: float

    def volt(self, temperature_c: float) -> float:
        """Return its output."""
        return (self.thermocouple_mv(temperature_c) * self.gain + self.offset_mv) * 1e-3


KNOWN: Mapping[str, Amplifier] = {
    "AD595": Amplifier(type_k_mv, 247.3, 2.7),
    "AD597": Amplifier(type_k_mv, 245.46, 0.0),
    "AD8494": Amplifier(type_j_mv, 96.7, 1.5),
    "AD8495": Amplifier(type_k_mv, 122.4, 2.6),
    "AD8496": Amplifier(type_j_mv, 90.35, 27.0),
    "AD8497": Amplifier(type_k_mv, 122.4, 3.0),
}
