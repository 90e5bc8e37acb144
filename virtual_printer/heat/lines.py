# Writes what gets warm as lines of the simulation's description
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Callable, List, Mapping

from virtual_printer.firmware import chips
from virtual_printer.firmware.dictionary import Dictionary
from virtual_printer.heat import mcu_thermometers
from virtual_printer.heat.model import (
    AnalogWiring,
    ChipWiring,
    Curve,
    Heat,
    I2cWiring,
    OneWireWiring,
    TemperatureSensor,
)
from virtual_printer.model import Pin


def write(
    heat: Heat, firmware: Mapping[str, Dictionary], number: Callable[[Pin], int]
) -> List[str]:
    """Return the lines; `firmware` is that of each MCU, `number` numbers pins on the wire."""

    def output(pin: Pin) -> str:
        return f"mcu={pin.mcu} pin={number(pin)} invert={int(pin.invert)}"

    lines = [
        f"body {body.name} capacity={body.capacity_j_per_k!r} loss={body.loss_w_per_k!r}"
        f" ambient={body.ambient_c!r} start={body.start_c!r} power={body.own_heat_w!r}"
        for body in heat.bodies
    ]
    lines += [
        f"coupling {one.body} {one.other} conductance={one.conductance_w_per_k!r}"
        for one in heat.couplings
    ]
    lines += [f"heater {one.body} {output(one.pin)} power={one.power_w!r}" for one in heat.heaters]
    lines += [
        f"cooler {one.body} {output(one.pin)} loss={one.loss_w_per_k!r}" for one in heat.coolers
    ]
    lines += [
        f"voltage mcu={one.pin.mcu} pin={number(one.pin)} ratio={one.ratio!r}"
        for one in heat.voltages
    ]
    for sensor in heat.sensors:
        lines += _sensor(sensor, firmware, number)
    return lines


def _sensor(
    sensor: TemperatureSensor, firmware: Mapping[str, Dictionary], number: Callable[[Pin], int]
) -> List[str]:
    wiring = sensor.wiring
    start = f"temperature_sensor {sensor.name} body={sensor.body} offset={sensor.offset_c!r}"
    if isinstance(wiring, AnalogWiring):
        pin = wiring.pin
        return [f"{start} kind=analog mcu={pin.mcu} pin={number(pin)} {_curve(wiring.curve)}"]
    if isinstance(wiring, ChipWiring):
        pin = wiring.pin
        chip = f"{start} kind={wiring.chip.lower()} mcu={pin.mcu} pin={number(pin)}"
        if wiring.chip != "MAX31865":
            return [chip]
        return [f"{chip} nominal={wiring.nominal_ohm!r} reference={wiring.reference_ohm!r}"]
    if isinstance(wiring, OneWireWiring):
        return [f"{start} kind=ds18b20 mcu={wiring.mcu} serial={wiring.serial}"]
    if isinstance(wiring, I2cWiring):
        place = wiring.place
        at = f"mcu={place.mcu} i2c_bus={place.bus} i2c_address={place.address}"
        chip = f"{start} kind={wiring.chip} {at}"
        return [f"{chip} number={wiring.number}" if wiring.number else chip]
    built = firmware[wiring.mcu]
    thermometer = mcu_thermometers.find(str(built.constants["MCU"]))
    if thermometer is None:
        return []
    lines = [
        f"memory_word {wiring.mcu} address={address} value={value}"
        for address, value in thermometer.words
    ]
    inside = f"kind=analog mcu={wiring.mcu} pin={chips.PIN_NUMBERS[chips.TEMPERATURE_PIN]}"
    return [*lines, f"{start} {inside} {_curve(thermometer.curve())}"]


def _curve(curve: Curve) -> str:
    ratios = ",".join(f"{ratio:.8g}" for ratio in curve.ratios)
    return f"lowest={curve.lowest_c!r} step={curve.step_c!r} ratios={ratios}"
