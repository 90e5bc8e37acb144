# What printer.cfg connects to pins: buttons, filament sensors, fans with a tachometer, displays
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from printer_config import pins
from printer_config.config import Config
from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.bus_places import i2c_place
from virtual_printer.model import Display, Fan, FilamentSensor, Pin, Switch
from virtual_printer.pins import parse_outputs, parse_pin, parse_pin_text

_BUTTON_OPTIONS = ("click_pin", "back_pin", "up_pin", "down_pin", "kill_pin")
_FILAMENT_SWITCH = "filament_switch_sensor"
_FILAMENT_WHEEL = "filament_motion_sensor"
# By the type of display: the option that names the pin by which the controller is told apart
_SELECT_OPTIONS = {
    "hd44780": "e_pin",
    "hd44780_spi": "latch_pin",
    "aip31068_spi": "latch_pin",
    "st7920": "cs_pin",
    "uc1701": "cs_pin",
    "ssd1306": "cs_pin",
    "sh1106": "cs_pin",
}
_DATA_OPTIONS = {"uc1701": "a0_pin", "ssd1306": "dc_pin", "sh1106": "dc_pin"}
_OLED_ADDRESS = 60
_OFFSET_MAX = 3


class Devices:
    """Reads them from printer.cfg, and what fans are like from the machine file."""

    def __init__(self, printer: Config, truth: Config, boards: Boards) -> None:
        self._printer = printer
        self._truth = truth
        self._boards = boards
        self._fan_sections = [
            section for section in printer.sections.values() if section.has("tachometer_pin")
        ]
        self._wheel_sections = [
            section
            for name, section in printer.sections.items()
            if name.partition(" ")[0] == _FILAMENT_WHEEL
        ]

    @property
    def sections(self) -> List[str]:
        """Names of the sections that the machine file may have."""
        return [section.name for section in (*self._fan_sections, *self._wheel_sections)]

    def switches(self) -> Tuple[Switch, ...]:
        """Return all: nobody presses a button, and there is filament wherever it is looked for."""
        found: Dict[Tuple[str, str], Switch] = {}
        for name, section in self._printer.sections.items():
            kind = name.partition(" ")[0]
            is_filament = kind == _FILAMENT_SWITCH
            for pin in self._switch_pins(kind, section):
                if is_filament or (pin.mcu, pin.name) not in found:
                    found[pin.mcu, pin.name] = Switch(pin, int(is_filament != pin.invert))
            # The contacts of an encoder are open where it comes to rest
            for pin in self._encoder_pins(kind, section):
                found[pin.mcu, pin.name] = Switch(pin, 1)
        return tuple(found.values())

    def _switch_pins(self, kind: str, section: Section) -> Iterator[Pin]:
        options: Sequence[str] = ()
        if kind == _FILAMENT_SWITCH:
            options = ("switch_pin",)
        elif kind == "gcode_button":
            options = () if section.has("analog_range") else ("pin",)
        elif kind == "display":
            options = [
                option
                for option in _BUTTON_OPTIONS
                if not section.has(option.replace("_pin", "_analog_range"))
            ]
        for option in options:
            if section.has(option) and self._is_on_mcu(section.get(option)):
                yield parse_pin(section, option, self._boards)

    def _encoder_pins(self, kind: str, section: Section) -> Iterator[Pin]:
        if kind != "display":
            return
        for text in filter(str.strip, section.get("encoder_pins", "").split(",")):
            yield parse_pin_text(section, "encoder_pins", text, self._boards)

    def _is_on_mcu(self, text: str) -> bool:
        """Whether a pin is that of an MCU, not of a chip that has pins of its own."""
        return pins.split(text).chip in self._boards.chips

    def fans(self) -> Tuple[Fan, ...]:
        """Return those with a tachometer."""
        return tuple(
            self._fan(section, pin)
            for section in self._fan_sections
            for pin in parse_outputs(section, "pin", self._boards)[:1]
            if self._is_on_mcu(section.get("tachometer_pin"))
        )

    def _fan(self, section: Section, pin: Pin) -> Fan:
        truth = self._truth.section(section.name)
        turns_per_s = truth.get_float("max_rpm", 5000.0, above=0.0) / 60.0
        pulses = section.get_int("tachometer_ppr", 2, minimum=1)
        return Fan(
            pin=pin,
            tachometer_pin=parse_pin(section, "tachometer_pin", self._boards),
            edges_per_s=2.0 * pulses * turns_per_s,
            spin_up_s=truth.get_float("spin_up_s", 0.5, above=0.0),
        )

    def filament_sensors(self, steppers: Sequence[str]) -> Tuple[FilamentSensor, ...]:
        """Return the wheels on filament that one of the steppers moves."""
        return tuple(
            self._filament_sensor(section)
            for section in self._wheel_sections
            if section.get("extruder").replace(" ", "_") in steppers
            and self._is_on_mcu(section.get("switch_pin"))
        )

    def _filament_sensor(self, section: Section) -> FilamentSensor:
        length_mm = section.get_float("detection_length", 7.0, above=0.0)
        truth = self._truth.section(section.name)
        return FilamentSensor(
            pin=parse_pin(section, "switch_pin", self._boards),
            stepper=section.get("extruder").replace(" ", "_"),
            edge_mm=truth.get_float("edge_mm", length_mm / 4.0, above=0.0),
        )

    def displays(self) -> Tuple[Display, ...]:
        """Return those whose type is known."""
        found = (
            self._display(section)
            for name, section in self._printer.sections.items()
            if name.partition(" ")[0] == "display"
        )
        return tuple(display for display in found if display is not None)

    def _display(self, section: Section) -> Optional[Display]:
        kind = section.get("lcd_type", "")
        if kind not in _SELECT_OPTIONS:
            return None
        data_option = _DATA_OPTIONS.get(kind)
        is_on_i2c = not section.has("cs_pin") and kind in ("ssd1306", "sh1106")
        return Display(
            name=section.name.replace(" ", "_"),
            kind=kind,
            pin=None if is_on_i2c else parse_pin(section, _SELECT_OPTIONS[kind], self._boards),
            data_pin=(
                parse_pin(section, data_option, self._boards)
                if data_option and not is_on_i2c
                else None
            ),
            i2c=i2c_place(section, self._boards, _OLED_ADDRESS) if is_on_i2c else None,
            column_count=16 if section.get("line_length", "20") == "16" else 20,
            first_column=min(section.get_int("x_offset", 0), _OFFSET_MAX)
            if kind == "sh1106"
            else 0,
        )
