# What an analog pin shows of a temperature, by the sensor that printer.cfg names
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from bisect import bisect
from typing import Callable, List, Optional, Tuple

from printer_config.config import Config
from printer_config.section import Section
from virtual_printer.heat import thermistors, thermocouples
from virtual_printer.heat.model import Curve

# All temperatures that a printer may have
_LOWEST_C, _HIGHEST_C = -50, 800
# Of the boards that printers have: the resistor that divides the voltage with a thermistor
_PULL_UP_OHM = 4700.0
_ADC_VOLTAGE = 5.0
# The usual amplifier of a PT100: 4400 ohm to 5 V, and ten times that
_PT100_PULL_UP_OHM, _PT100_SUPPLY_V, _PT100_GAIN = 4400.0, 5.0, 10.0

# Something at a temperature (C)
_OfTemperature = Callable[[float], float]


def find(printer: Config, section: Section) -> Optional[Curve]:
    """Return the curve of a section's sensor, None if it has none that an analog pin shows."""
    kind = section.get("sensor_type")
    ratio = _divider(printer, section, kind) or _amplifier(printer, section, kind)
    if ratio is None:
        return None
    ratios = (ratio(float(at_c)) for at_c in range(_LOWEST_C, _HIGHEST_C + 1))
    return Curve(float(_LOWEST_C), 1.0, tuple(min(max(one, 0.0), 1.0) for one in ratios))


# Resistors


def _divider(printer: Config, section: Section, kind: str) -> Optional[_OfTemperature]:
    resistance_ohm = _resistance(printer, kind)
    if resistance_ohm is None:
        return None
    pull_up_ohm = section.get_float("pullup_resistor", _PULL_UP_OHM, above=0.0)
    inline_ohm = section.get_float("inline_resistor", 0.0, minimum=0.0)

    def ratio(temperature_c: float) -> float:
        ohm = max(resistance_ohm(temperature_c), 0.0) + inline_ohm
        return ohm / (ohm + pull_up_ohm)

    return ratio


def _resistance(printer: Config, kind: str) -> Optional[_OfTemperature]:
    custom = printer.sections.get(f"thermistor {kind}")
    if custom is not None:
        return _custom_thermistor(custom).resistance_ohm
    if kind in thermistors.KNOWN:
        return thermistors.KNOWN[kind].resistance_ohm
    if kind == "PT1000":
        return lambda temperature_c: thermistors.platinum_ohm(1000.0, temperature_c)
    table = printer.sections.get(f"adc_temperature {kind}")
    if table is not None and table.has("resistance1"):
        return _interpolation(table, "resistance")
    return None


def _custom_thermistor(section: Section) -> thermistors.Thermistor:
    absolute_zero_c = -thermistors.KELVIN_AT_0_C
    count = 1 if section.has("beta") else 3
    points = [
        (
            section.get_float(f"temperature{number}", above=absolute_zero_c),
            section.get_float(f"resistance{number}", above=0.0),
        )
        for number in range(1, count + 1)
    ]
    if count == 1:
        return thermistors.by_beta(points[0], section.get_float("beta", above=0.0))
    try:
        return thermistors.by_points(points)
    except ZeroDivisionError:
        raise section.error(
            "temperature1", "must be three different points with the others"
        ) from None


# Voltages


def _amplifier(printer: Config, section: Section, kind: str) -> Optional[_OfTemperature]:
    volt = _voltage(printer, kind)
    if volt is None:
        return None
    reference_v = section.get_float("adc_voltage", _ADC_VOLTAGE, above=0.0)
    offset_v = section.get_float("voltage_offset", 0.0)
    return lambda temperature_c: (volt(temperature_c) - offset_v) / reference_v


def _voltage(printer: Config, kind: str) -> Optional[_OfTemperature]:
    if kind in thermocouples.KNOWN:
        return thermocouples.KNOWN[kind].volt
    if kind == "PT100 INA826":
        return _pt100_volt
    table = printer.sections.get(f"adc_temperature {kind}")
    return None if table is None else _interpolation(table, "voltage")


def _pt100_volt(temperature_c: float) -> float:
    ohm = thermistors.platinum_ohm(100.0, temperature_c)
    return _PT100_GAIN * _PT100_SUPPLY_V * ohm / (_PT100_PULL_UP_OHM + ohm)


# Tables


def _interpolation(section: Section, what: str) -> _OfTemperature:
    """Return what a table of an [adc_temperature] shows, going on straight beyond its ends."""
    points: List[Tuple[float, float]] = []
    while section.has(f"temperature{len(points) + 1}"):
        number = len(points) + 1
        temperature_c = section.get_float(f"temperature{number}")
        points.append((temperature_c, section.get_float(f"{what}{number}")))
    points.sort()
    temperatures_c = [at_c for at_c, _ in points]
    if len(set(temperatures_c)) < max(len(points), 2):
        raise section.error("temperature1", "must be at least two different ones with the others")

    def value(temperature_c: float) -> float:
        index = min(max(bisect(temperatures_c, temperature_c), 1), len(points) - 1)
        (low_c, low), (high_c, high) = points[index - 1 : index + 1]
        return low + (high - low) * (temperature_c - low_c) / (high_c - low_c)

    return value
