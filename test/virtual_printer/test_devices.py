# What printer.cfg connects to pins: buttons, filament sensors, fans, displays
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Dict, Tuple

import pytest

from printer_config.config import Config
from printer_config.section import ConfigError
from virtual_printer import screens
from virtual_printer.boards import Boards
from virtual_printer.devices import Devices
from virtual_printer.model import I2cPlace


def config(text: str) -> Config:
    found = Config("printer.cfg")
    found.add(text.split("\n"), "printer.cfg")
    return found


def devices(text: str, truth: str = "") -> Devices:
    printer = config(f"[mcu]\nserial: /dev/a\n[mcu board]\nserial: /dev/b\n{text}")
    chips = config("".join(f"[{name}]\nchip: virtual\n" for name in ("mcu", "mcu board")))
    return Devices(printer, config(truth), Boards(printer, chips))


def levels(text: str) -> Dict[Tuple[str, str], int]:
    return {(one.pin.mcu, one.pin.name): one.level for one in devices(text).switches()}


def test_buttons_are_open_and_filament_is_there() -> None:
    assert levels(
        """
[display]
encoder_pins: ^PA1, ^!board:PA2
click_pin: ^!PA3
kill_pin: PA4
back_pin: PA10
back_analog_range: 100, 200
[gcode_button stop]
pin: !PA5
[gcode_button analog]
pin: PA6
analog_range: 100, 200
[filament_switch_sensor left]
switch_pin: ^PA7
[filament_switch_sensor right]
switch_pin: ^!board:PA8
[gcode_button other]
pin: chip:PA9
"""
    ) == {
        ("mcu", "PA1"): 1,
        ("board", "PA2"): 1,
        ("mcu", "PA3"): 1,
        ("mcu", "PA4"): 0,
        ("mcu", "PA5"): 1,
        ("mcu", "PA7"): 1,
        ("board", "PA8"): 0,
    }


def test_filament_is_there_on_the_pin_of_a_button_too() -> None:
    sections = "[filament_switch_sensor a]\nswitch_pin: PA1\n", "[gcode_button b]\npin: PA1\n"
    for text in ("".join(sections), "".join(reversed(sections))):
        assert levels(text) == {("mcu", "PA1"): 1}


def test_fan_with_a_tachometer_is_as_the_machine_file_says() -> None:
    text = """
[fan]
pin: PA1
[heater_fan hotend]
pin: !board:PA2
tachometer_pin: ^PA3
tachometer_ppr: 3
[fan_generic elsewhere]
pin: other:PA5
tachometer_pin: ^PA4
"""
    found = devices(text, "[heater_fan hotend]\nmax_rpm: 1200\nspin_up_s: 2\n")
    (fan,) = found.fans()
    assert (fan.pin.mcu, fan.pin.name, fan.pin.invert) == ("board", "PA2", True)
    assert (fan.tachometer_pin.mcu, fan.tachometer_pin.name) == ("mcu", "PA3")
    assert (fan.edges_per_s, fan.spin_up_s) == (120.0, 2.0)
    assert found.sections == ["heater_fan hotend", "fan_generic elsewhere"]
    with pytest.raises(ConfigError, match=r"'max_rpm' in section \[heater_fan hotend\] must be"):
        devices(text, "[heater_fan hotend]\nmax_rpm: 0\n").fans()


def test_fan_with_a_tachometer_may_hang_on_another_chip() -> None:
    text = """
[sx1509 more]
i2c_address: 62
[multi_pin fans]
pins: !PA1, PA2
[fan_generic a]
pin: !sx1509_more:PIN_11
tachometer_pin: ^PA3
[fan_generic b]
pin: multi_pin:fans
tachometer_pin: ^PA4
"""
    pins = [fan.pin for fan in devices(text).fans()]
    assert [(pin.mcu, pin.name, pin.number, pin.invert) for pin in pins] == [
        ("sx1509_more", "PIN_11", 11, True),
        ("mcu", "PA1", 1, True),
    ]
    with pytest.raises(ConfigError, match="is not a pin of 'sx1509_more': 'PIN_16'"):
        devices(text.replace("PIN_11", "PIN_16")).fans()


def test_wheel_turns_with_its_extruder() -> None:
    text = """
[filament_motion_sensor a]
switch_pin: PA1
extruder: extruder
detection_length: 6
[filament_motion_sensor b]
switch_pin: PA2
extruder: extruder1
"""
    found = devices(text, "[filament_motion_sensor b]\nedge_mm: 3\n")
    assert found.switches() == ()
    wheels = found.filament_sensors(["extruder", "extruder1"])
    assert [(one.pin.name, one.stepper, one.edge_mm) for one in wheels] == [
        ("PA1", "extruder", 1.5),
        ("PA2", "extruder1", 3.0),
    ]
    assert found.filament_sensors(["stepper_x"]) == ()


@pytest.mark.parametrize(
    ("options", "places"),
    [
        ("lcd_type: hd44780\ne_pin: PA2", ("PA2", None, None, 20, 0)),
        ("lcd_type: hd44780\ne_pin: PA2\nline_length: 16", ("PA2", None, None, 16, 0)),
        ("lcd_type: hd44780_spi\nlatch_pin: PA2", ("PA2", None, None, 20, 0)),
        ("lcd_type: st7920\ncs_pin: PA2", ("PA2", None, None, 20, 0)),
        ("lcd_type: uc1701\ncs_pin: PA2\na0_pin: PA3", ("PA2", "PA3", None, 20, 0)),
        ("lcd_type: sh1106\ncs_pin: PA2\ndc_pin: PA3\nx_offset: 2", ("PA2", "PA3", None, 20, 2)),
        ("lcd_type: ssd1306\ni2c_mcu: board", (None, None, I2cPlace("board", 0, 60), 20, 0)),
        (
            "lcd_type: ssd1306\ni2c_mcu: board\ni2c_bus: i2c2",
            (None, None, I2cPlace("board", 2, 60), 20, 0),
        ),
        (
            "lcd_type: sh1106\ni2c_address: 61\ni2c_bus: i2c2",
            (None, None, I2cPlace("mcu", 2, 61), 20, 0),
        ),
    ],
)
def test_display_is_connected_as_its_type_is(options: str, places: Tuple[object, ...]) -> None:
    (display,) = devices(f"[display second]\n{options}\n").displays()
    pin, data_pin = (one and one.name for one in (display.pin, display.data_pin))
    assert (pin, data_pin, display.i2c, display.column_count, display.first_column) == places
    assert display.name == "display_second"


def test_display_of_another_type_is_left_out() -> None:
    assert devices("[display]\nlcd_type: other\n[display_data a b]\ntext: x\n").displays() == ()


def test_display_needs_its_pins() -> None:
    with pytest.raises(ConfigError, match=r"'a0_pin' in section \[display\] must be specified"):
        devices("[display]\nlcd_type: uc1701\ncs_pin: PA2\n").displays()
    with pytest.raises(ConfigError, match="names an MCU that is not there: 'other'"):
        devices("[display]\nlcd_type: ssd1306\ni2c_mcu: other\n").displays()


def test_screens_are_shown_as_text_and_pictures() -> None:
    assert screens.text(["41df7e00"]) == ["A\u00b0\u2192\u25aa"]
    assert screens.picture(["81", "0f"]) == "P1\n8 2\n1 0 0 0 0 0 0 1\n0 0 0 0 1 1 1 1\n"
