# The heaters and temperature sensors of a printer: wiring from printer.cfg, physics by experience
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
from dataclasses import dataclass, replace
from typing import Iterator, List, Mapping, Optional, Set, Tuple

from printer_config import mcus, pins, probes
from printer_config.config import Config
from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.bus_places import i2c_place
from virtual_printer.heat import cartographer, curves
from virtual_printer.heat.model import (
    AnalogWiring,
    Body,
    ChipWiring,
    Cooler,
    Coupling,
    Heat,
    Heater,
    I2cWiring,
    McuWiring,
    OneWireWiring,
    TemperatureSensor,
    Voltage,
    Wiring,
)
from virtual_printer.model import Pin
from virtual_printer.pins import parse_outputs, parse_pin, parse_pin_text

_AMBIENT_C = 25.0
# Sections that measure a temperature without a heater; other sensors are none of heat
_UNHEATED_KINDS = ("temperature_sensor", "temperature_fan", "temperature_probe", "z_thermal_adjust")
_CHIPS = ("MAX6675", "MAX31855", "MAX31856", "MAX31865")
# Chips on I2C by sensor_type: the model, the number that such a chip has, and its usual address
_I2C_CHIPS: Mapping[str, Tuple[str, int, int]] = {
    "BME280": ("bme280", 0, 0x76),
    "HTU21D": ("htu21d", 0x32, 0x40),
    "SHT21": ("htu21d", 0x31, 0x40),
    "SI7013": ("htu21d", 0x0D, 0x40),
    "SI7020": ("htu21d", 0x14, 0x40),
    "SI7021": ("htu21d", 0x15, 0x40),
    "SHT3X": ("sht3x", 0, 0x44),
    "LM75": ("lm75", 0, 0x48),
    **dict.fromkeys(("AHT10", "AHT1X", "AHT2X", "AHT3X"), ("aht10", 0, 0x38)),
}
# A sensor_type of several chips, which the host tells apart by what they answer
_BOSCH = "BME280"
_BOSCH_CHIPS = ("BME280", "BMP280", "BMP180", "BMP388", "BME680")
# Where the supply and the ground of thermistors are on boards that let them be measured
_GROUND_RATIO, _SUPPLY_RATIO = 0.004, 0.988
# Shares of a heated body's capacity that are its heating element's and its sensor's
_ELEMENT_SHARE, _SENSOR_SHARE = 0.2, 0.01


@dataclass(frozen=True)
class _Physics:
    """What such a thing is like unless the machine file knows better."""

    capacity_j_per_k: float
    loss_w_per_k: float
    power_w: float = 0.0
    # What is always there, and what a fan takes away
    own_heat_w: float = 0.0
    fan_loss_w_per_k: float = 0.0
    # How far the element is ahead of the body, and the sensor behind it
    element_lag_s: float = 0.0
    sensor_lag_s: float = 0.0


_HOTEND = _Physics(18.0, 0.1, 40.0, fan_loss_w_per_k=0.03, element_lag_s=1.5, sensor_lag_s=1.0)
_BED = _Physics(1000.0, 1.5, 300.0, element_lag_s=4.0, sensor_lag_s=3.0)
_OTHER_HEATER = _Physics(500.0, 2.0, 200.0, element_lag_s=3.0, sensor_lag_s=3.0)
_COOLED = _Physics(60.0, 0.25, own_heat_w=8.0, fan_loss_w_per_k=0.6)
_MCU = _Physics(5.0, 0.03, own_heat_w=0.5)
_UNHEATED = _Physics(10.0, 0.1)
_BEACON = _Physics(4.0, 0.05)
_CARTOGRAPHER = _Physics(5.0, 0.05, own_heat_w=0.1)


def _physics(section: Section) -> _Physics:
    kind = section.name.split()[0]
    if mcus.is_beacon(section):
        return _BEACON
    if kind == probes.CARTOGRAPHER:
        return _CARTOGRAPHER
    if kind == "temperature_fan":
        return _COOLED
    if not section.has("heater_pin"):
        return _MCU if section.get("sensor_type") == "temperature_mcu" else _UNHEATED
    if kind.startswith("extruder"):
        return _HOTEND
    return _BED if kind == "heater_bed" else _OTHER_HEATER


def _is_body(section: Section) -> bool:
    if section.name == probes.CARTOGRAPHER:
        return section.has("mcu")
    is_of_heat = section.name.split()[0] in _UNHEATED_KINDS or section.has("heater_pin")
    return mcus.is_beacon(section) or (is_of_heat and section.has("sensor_type"))


def body_name(section: str) -> str:
    """Return a section's name as one word."""
    return re.sub(r"[^\w.-]+", "_", section)


def _bosch_chip(truth: Section) -> str:
    """Return the kind of chip that is there, in small letters."""
    chip = truth.get("sensor_chip", _BOSCH).strip().upper()
    if chip not in _BOSCH_CHIPS:
        raise truth.error("sensor_chip", f"is none of {', '.join(_BOSCH_CHIPS)}: '{chip}'")
    return chip.lower()


class HeatReader:
    """Reads them: all sections that have a temperature sensor."""

    def __init__(self, printer: Config, truth: Config, boards: Boards) -> None:
        self._printer = printer
        self._truth = truth
        self._boards = boards
        self._found = [one for one in printer.sections.values() if _is_body(one)]
        # Sections that the machine file may have
        self.sections = [one.name for one in self._found]
        self._bodies: List[Body] = []
        self._couplings: List[Coupling] = []
        self._heaters: List[Heater] = []
        self._coolers: List[Cooler] = []
        self._sensors: List[TemperatureSensor] = []
        self._pins: Set[Pin] = set()

    def all(self) -> Heat:
        """Return all that gets warm."""
        room_c = self._truth.section("virtual_printer").get_float("ambient_c", _AMBIENT_C)
        for section in self._found:
            self._add(section, self._truth.section(section.name), room_c)
        return Heat(
            tuple(self._bodies),
            tuple(self._couplings),
            tuple(self._heaters),
            tuple(self._coolers),
            tuple(self._sensors),
            tuple(self._voltages()),
        )

    def _add(self, section: Section, truth: Section, room_c: float) -> None:
        usual = _physics(section)
        name = body_name(section.name)
        ambient_c = truth.get_float("ambient_c", room_c)
        body = Body(
            name,
            truth.get_float("capacity_j_per_k", usual.capacity_j_per_k, above=0.0),
            truth.get_float("loss_w_per_k", usual.loss_w_per_k, minimum=0.0),
            ambient_c,
            truth.get_float("start_c", ambient_c),
            truth.get_float("own_heat_w", usual.own_heat_w, minimum=0.0),
        )
        parts: List[Body] = []
        if section.has("heater_pin"):
            parts += self._add_heater(section, truth, usual, body)
        if section.has("sensor_type"):
            parts += self._add_sensor(section, truth, usual, body)
        if usual.fan_loss_w_per_k:
            self._add_fan(section, truth, usual, body)
        self._add_couplings(section, truth)
        own_j_per_k = body.capacity_j_per_k - sum(part.capacity_j_per_k for part in parts)
        self._bodies += [replace(body, capacity_j_per_k=own_j_per_k), *parts]

    def _parts(self, body: Body, part: str, share: float, lag_s: float) -> List[Body]:
        """Return a part of a body that lags behind it, or it behind the part, if there is a lag."""
        if not lag_s:
            return []
        name = f"{body.name}.{part}"
        capacity_j_per_k = share * body.capacity_j_per_k
        self._couplings.append(Coupling(body.name, name, capacity_j_per_k / lag_s))
        return [Body(name, capacity_j_per_k, 0.0, body.ambient_c, body.start_c)]

    def _add_heater(
        self, section: Section, truth: Section, usual: _Physics, body: Body
    ) -> List[Body]:
        power_w = truth.get_float("power_w", usual.power_w, above=0.0)
        lag_s = truth.get_float("element_lag_s", usual.element_lag_s, minimum=0.0)
        parts = self._parts(body, "element", _ELEMENT_SHARE, lag_s)
        heated = [body, *parts][-1].name
        found = parse_outputs(section, "heater_pin", self._boards)
        self._heaters += [Heater(heated, pin, power_w / len(found)) for pin in found]
        return parts

    def _add_fan(self, section: Section, truth: Section, usual: _Physics, body: Body) -> None:
        """Add the fan that blows at it: that of its section, or of the print if it is a hotend."""
        loss_w_per_k = truth.get_float("fan_loss_w_per_k", usual.fan_loss_w_per_k, minimum=0.0)
        fan = section if section.has("pin") else self._printer.section("fan")
        for pin in parse_outputs(fan, "pin", self._boards) if fan.has("pin") else ():
            self._coolers.append(Cooler(body.name, pin, loss_w_per_k))

    def _add_couplings(self, section: Section, truth: Section) -> None:
        for line in truth.get("coupling_w_per_k", "").splitlines():
            if not line.strip():
                continue
            other, _, text = line.rpartition(":")
            other = other.strip()
            if other not in self.sections or other == section.name:
                raise truth.error("coupling_w_per_k", f"names no other section: '{line.strip()}'")
            try:
                conductance = float(text)
            except ValueError:
                conductance = -1.0
            if not 0.0 <= conductance < 1e6:
                raise truth.error("coupling_w_per_k", f"is not a number: '{line.strip()}'")
            names = (body_name(section.name), body_name(other))
            self._couplings.append(Coupling(*names, conductance))

    # Sensors

    def _add_sensor(
        self, section: Section, truth: Section, usual: _Physics, body: Body
    ) -> List[Body]:
        offset_c = truth.get_float("sensor_offset_c", 0.0)
        lag_s = truth.get_float("sensor_lag_s", usual.sensor_lag_s, minimum=0.0)
        wiring = self._wiring(section, truth)
        if wiring is None:
            return []
        parts = self._parts(body, "sensor", _SENSOR_SHARE, lag_s)
        felt = [body, *parts][-1].name
        self._sensors.append(TemperatureSensor(body.name, felt, offset_c, wiring))
        return parts

    def _wiring(self, section: Section, truth: Section) -> Optional[Wiring]:
        """Return how the sensor is read; None if no MCU reads it, or not here."""
        if section.name == probes.CARTOGRAPHER:
            return cartographer.wiring(section, self._boards)
        kind = section.get("sensor_type")
        if kind == "temperature_mcu":
            return McuWiring(self._mcu(section, "sensor_mcu", pins.MAIN_MCU))
        if kind == "DS18B20":
            mcu = self._mcu(section, "sensor_mcu", None)
            return OneWireWiring(mcu, section.get("serial_no"))
        if kind in _I2C_CHIPS:
            chip, number, address = _I2C_CHIPS[kind]
            if kind == _BOSCH:
                chip = _bosch_chip(truth)
            return I2cWiring(chip, number, i2c_place(section, self._boards, address))
        if kind not in _CHIPS:
            curve = curves.find(self._printer, section)
            pin = self._input(section) if curve else None
            if not pin or not curve:
                return None
            is_scaled = self._scale(section) is not None
            return AnalogWiring(
                pin, curve.between(_GROUND_RATIO, _SUPPLY_RATIO) if is_scaled else curve
            )
        nominal_ohm = section.get_float("rtd_nominal_r", 100.0, above=0.0)
        reference_ohm = section.get_float("rtd_reference_r", 430.0, above=0.0)
        pin = self._input(section)
        return ChipWiring(pin, kind, nominal_ohm, reference_ohm) if pin else None

    def _mcu(self, section: Section, option: str, default: Optional[str]) -> str:
        name = section.get(option, default)
        if name not in self._boards.chips:
            raise section.error(option, f"names an MCU that is not there: '{name}'")
        return name

    def _input(self, section: Section) -> Optional[Pin]:
        """Return the sensor's pin; None if no MCU has it or another section shares the sensor."""
        chip, name, _ = pins.split(section.get("sensor_pin"))
        scale = self._scale(section)
        if scale is not None:
            chip = parse_pin(scale, "vref_pin", self._boards).mcu
        if chip not in self._boards.chips:
            return None
        pin = parse_pin_text(section, "sensor_pin", f"{chip}:{name}", self._boards)
        if pin in self._pins:
            return None
        self._pins.add(pin)
        return pin

    # Boards that measure what their thermistors are supplied with

    def _scale(self, section: Section) -> Optional[Section]:
        """Return the section of what scales the pin of a section's sensor, None if nothing does."""
        chip = pins.split(section.get("sensor_pin")).chip
        return self._printer.sections.get(f"adc_scaled {chip}")

    def _voltages(self) -> Iterator[Voltage]:
        for name, section in self._printer.sections.items():
            if name.startswith("adc_scaled "):
                yield Voltage(parse_pin(section, "vref_pin", self._boards), _SUPPLY_RATIO)
                yield Voltage(parse_pin(section, "vssa_pin", self._boards), _GROUND_RATIO)
