# Resistance at a temperature: thermistors and platinum
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import math
from dataclasses import dataclass
from typing import Mapping, Sequence, Tuple

KELVIN_AT_0_C = 273.15
# Solutions of the equation below that are closer are the same
_PRECISION = 1e-12

# Temperature (C) and resistance (ohm)
Point = Tuple[float, float]


@dataclass(frozen=True)
class Thermistor:
    """A thermistor by its Steinhart-Hart equation: 1/T = a + b*ln(R) + c*ln(R)^3."""

    a: float
    b: float
    c: float = 0.0

    def resistance_ohm(self, temperature_c: float) -> float:
        """Return what it has at a temperature above absolute zero."""
        inverse = 1.0 / (temperature_c + KELVIN_AT_0_C)
        # Of a cubic that only rises, from a side on which Newton's method cannot miss
        logarithm = (inverse - self.a) / self.b
        for _ in range(100):
            excess = self.a + self.b * logarithm + self.c * logarithm**3 - inverse
            step = excess / (self.b + 3.0 * self.c * logarithm**2)
            logarithm -= step
            if abs(step) < _PRECISION:
                break
        return math.exp(min(max(logarithm, -50.0), 50.0))


def by_beta(point: Point, beta_k: float) -> Thermistor:
    """Return a thermistor of which one point and beta are known."""
    temperature_c, resistance_ohm = point
    inverse = 1.0 / (temperature_c + KELVIN_AT_0_C)
    return Thermistor(inverse - math.log(resistance_ohm) / beta_k, 1.0 / beta_k)


def by_points(points: Sequence[Point]) -> Thermistor:
    """Return a thermistor of which three points are known."""
    (x1, y1), (x2, y2), (x3, y3) = (
        (math.log(ohm), 1.0 / (at_c + KELVIN_AT_0_C)) for at_c, ohm in sorted(points)
    )
    # Divided differences, of which the last is that of a cubic without its square
    slope12, slope13 = (y2 - y1) / (x2 - x1), (y3 - y1) / (x3 - x1)
    c = (slope13 - slope12) / ((x3 - x2) * (x1 + x2 + x3))
    if c <= 0.0:
        # No thermistor bends that way; one parameter fits the range at least
        return by_beta(min(points), 1.0 / slope13)
    b = slope12 - c * (x1 * x1 + x1 * x2 + x2 * x2)
    return Thermistor(y1 - b * x1 - c * x1**3, b, c)


# Points that the data sheets of common thermistors give
KNOWN: Mapping[str, Thermistor] = {
    "ATC Semitec 104GT-2": by_points([(20, 126800), (150, 1360), (300, 80.65)]),
    "ATC Semitec 104NT-4-R025H42G": by_points([(25, 100000), (160, 1074), (300, 82.78)]),
    "EPCOS 100K B57560G104F": by_points([(25, 100000), (150, 1641.9), (250, 226.15)]),
    "Generic 3950": by_points([(25, 100000), (150, 1770), (250, 230)]),
    "SliceEngineering 450": by_points([(25, 500000), (200, 3734), (400, 240)]),
    "TDK NTCG104LH104JT1": by_points([(25, 100000), (50, 31230), (125, 2066)]),
    "Honeywell 100K 135-104LAG-J01": by_beta((25, 100000), 3974),
    "NTC 100K MGB18-104F39050L32": by_beta((25, 100000), 4100),
    "NTC 100K beta 3950": by_beta((25, 100000), 3950),
}


def platinum_ohm(nominal_ohm: float, temperature_c: float) -> float:
    """Return the resistance of platinum by Callendar and Van Dusen (IEC 60751)."""
    below_c = min(temperature_c, 0.0)
    return nominal_ohm * (
        1.0
        + 3.9083e-3 * temperature_c
        - 5.775e-7 * temperature_c**2
        - 4.183e-12 * (below_c - 100.0) * below_c**3
    )
