# The chips that virtual MCUs can have, and which of them a printer.cfg gets
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Optional

import pytest

from printer_config.config_file import ConfigFile
from printer_config.section import ConfigError
from virtual_printer import hosts
from virtual_printer.boards import Boards
from virtual_printer.firmware import chips
from virtual_printer.firmware.chips.chip import PIN_COUNT
from virtual_printer.pins import parse_pin, parse_pins
from virtual_printer.session import Session
from virtual_printer.unusual_samples import SwitchPrinter

CHIPS = (chips.VIRTUAL, *chips.KNOWN)


def boards(printer: str, truth: str = "") -> Boards:
    return Boards(
        ConfigFile(Path("printer.cfg"), text=printer), ConfigFile(Path("m.cfg"), text=truth)
    )


def chip(serial: str, more: str = "", truth: str = "") -> str:
    return boards(f"[mcu]\nserial: {serial}\n{more}", truth).chips["mcu"].name


@pytest.mark.parametrize("one", CHIPS, ids=lambda one: str(one.name))
def test_pins_of_a_bus_are_pins_of_the_chip(one: chips.Chip) -> None:
    numbers = one.pin_numbers()
    pins = [pin for bus in one.buses for pin in bus.pins.split(",") if pin]
    assert [pin for pin in pins if pin not in numbers] == []


@pytest.mark.parametrize("one", CHIPS, ids=lambda one: str(one.name))
def test_pins_have_numbers_of_their_own_that_fit_the_wire(one: chips.Chip) -> None:
    fitted = one.fitted_to(["gpio3", "gpiochip0/gpio3", "gpiochip1/gpio287", "pwmchip1/pwm0"])
    numbers = fitted.pin_numbers()
    assert max(numbers.values()) < PIN_COUNT
    if one.name != "linux":
        assert len(set(numbers.values())) == len(numbers)


def test_linux_calls_a_pin_by_two_names() -> None:
    linux = chips.find("linux")
    assert linux is not None
    numbers = linux.fitted_to(["gpio3", "gpiochip0/gpio3", "gpiochip1/gpio3"]).pin_numbers()
    assert numbers["gpio3"] == numbers["gpiochip0/gpio3"] != numbers["gpiochip1/gpio3"]


@pytest.mark.parametrize(
    ("serial", "name"),
    [
        ("/dev/serial/by-id/usb-Klipper_stm32f446xx_1234-if00", "stm32f446xx"),
        ("/dev/serial/by-id/usb-Klipper_stm32f103xb_1234-if00", "stm32f103xe"),
        ("/dev/serial/by-id/usb-Klipper_rp2040_1234-if00", "rp2040"),
        ("/tmp/klipper_host_mcu", "linux"),
        ("/dev/rpmsg_pru30", "pru"),
    ],
)
def test_name_of_a_device_says_its_chip(serial: str, name: str) -> None:
    assert chip(serial) == name


@pytest.mark.parametrize(
    ("pin", "name"),
    [
        ("PL7", "atmega2560"),
        ("!PE15", "stm32f103xe"),
        ("PI11", "stm32f407xx"),
        ("^PD31", "sam3x8e"),
        ("~!P4.28", "lpc1768"),
        ("gpio29", "rp2040"),
        ("gpio47", "rp2350"),
        ("gpio3_31", "pru"),
        ("gpiochip1/gpio70", "linux"),
        ("EXP1_3", "lpc1768"),
        ("PZ1", "virtual"),
    ],
)
def test_device_without_a_name_has_the_first_chip_with_all_pins(pin: str, name: str) -> None:
    aliases = "[board_pins]\naliases: EXP1_1=<GND>, EXP1_3=P1.30\n"
    assert chip("/dev/ttyACM0", f"[output_pin a]\npin: {pin}\n{aliases}") == name


def test_bus_of_a_chip_tells_it_from_others() -> None:
    sensor = "[adxl345]\ncs_pin: PA4\nspi_bus: spi1a\n"
    assert chip("/dev/ttyACM0", sensor) == "stm32f103xe"


def test_bus_shares_no_pin_with_what_else_is_on_the_board() -> None:
    sensor = "[adxl345]\ncs_pin: PA17\nspi_bus: usart1\n[fan]\npin: PA16\n"
    assert chip("/dev/ttyACM0", sensor) == "sam4e8e"


def test_chip_whose_own_temperature_is_asked_for_has_a_sensor() -> None:
    sensor = "[temperature_sensor chip]\nsensor_type: temperature_mcu\n"
    assert chip("/dev/ttyACM0", sensor) == "stm32f103xe"


def test_machine_file_names_a_chip() -> None:
    assert chip("/dev/ttyACM0", truth="[mcu]\nchip: stm32h723\n") == "stm32h723xx"
    with pytest.raises(ConfigError, match=r"option 'chip' in section \[mcu\] is not known: 'z80'"):
        chip("/dev/ttyACM0", truth="[mcu]\nchip: z80\n")


def test_pin_has_the_name_that_its_board_gives_it() -> None:
    found = boards(
        "[mcu]\nserial: /dev/a\n[mcu b]\nserial: /dev/b\n"
        "[board_pins one]\nmcu: mcu, b\naliases:\n  X_STEP=Y_STEP,\n  Y_STEP=PB3\n"
        "[stepper_x]\nstep_pin: !b:X_STEP\n"
    )
    pin = parse_pin(found.printer.section("stepper_x"), "step_pin", found)
    assert (pin.mcu, pin.name, pin.invert) == ("b", "PB3", True)


def test_multi_pin_is_all_of_its_pins() -> None:
    found = boards(
        "[mcu]\nserial: /dev/a\n[multi_pin both]\npins: PA1, !PA2\n"
        "[fan]\npin: !multi_pin:both\n[heater_fan a]\npin: PA3\n"
    )
    section = found.printer.section
    pins = parse_pins(section("fan"), "pin", found)
    assert [(pin.name, pin.invert) for pin in pins] == [("PA1", True), ("PA2", False)]
    assert [pin.name for pin in parse_pins(section("heater_fan a"), "pin", found)] == ["PA3"]


def test_place_on_a_bus_is_that_of_a_section() -> None:
    found = boards(
        "[mcu]\nserial: /dev/serial/by-id/usb-Klipper_stm32f103xe_1-if00\n"
        "[adxl345 a]\ncs_pin: PA4\n[sensor b]\ni2c_bus: i2c2\n[sensor c]\ni2c_address: 64\n"
        "[sensor d]\ni2c_software_scl_pin: PC1\ni2c_address: 64\n"
    )
    places = ("mcu:spi:4", "mcu:i2c:2:118", "mcu:i2c:0:64", "mcu:i2c:33:64", "mcu:spi:5")
    names = [found.section_at(place) for place in places]
    assert names == ["adxl345 a", "sensor b", "sensor c", "sensor d", None]


def test_bus_that_the_chip_lacks_is_one_line() -> None:
    found = boards("[mcu]\nserial: /tmp/klipper_host_mcu\n[sensor a]\ni2c_bus: twi\n")
    with pytest.raises(ConfigError, match=r"'i2c_bus' in section .* is no bus of linux MCUs"):
        found.i2c_bus(found.printer.section("sensor a"), "mcu")


# Placeholders


def told_apart(host: hosts.Host, folder: Path, method: Optional[str]) -> Session:
    """Return a printer whose MCUs have one serial, each with pins that the other lacks."""
    sample = SwitchPrinter("cartesian", {"y": ("y",)})
    text = sample.printer_cfg().replace("virtual_printer/mcu", "virtual_printer/y")
    assert text.count("serial: /tmp/virtual_printer/y\n") == 2
    if method:
        text = text.replace("serial:", f"restart_method: {method}\nserial:")
    chip_of = "[mcu]\nchip: stm32f446\nfrequency: 180000000\n[mcu y]\nchip: stm32f103\n"
    return Session(host, text, chip_of, work_dir=folder)


@pytest.mark.parametrize("method", [None, "command", "arduino"])
@pytest.mark.parametrize("host", hosts.available(), ids=lambda one: str(one.name))
def test_mcus_of_one_placeholder_are_told_apart_by_their_sections(
    host: hosts.Host, tmp_path: Path, method: Optional[str]
) -> None:
    def chips_found() -> str:
        constants = (
            printer.status(name, "mcu_constants")["mcu_constants"] for name in ("mcu", "mcu y")
        )
        return " ".join(str(found["MCU"]) for found in constants)

    with told_apart(host, tmp_path, method) as printer:
        assert chips_found() == "stm32f446xx stm32f103xe"
        printer.restart()
        assert chips_found() == "stm32f446xx stm32f103xe"
        printer.emergency_stop()
        printer.restart("FIRMWARE_RESTART")
        assert chips_found() == "stm32f446xx stm32f103xe"
        printer.gcode("G28")
        assert printer.status("toolhead", "homed_axes")["homed_axes"] == "xyz"


@pytest.mark.parametrize("one", CHIPS, ids=lambda one: str(one.name))
def test_every_chip_has_a_speed(one: chips.Chip) -> None:
    assert 0.05e-6 < one.speed.timer_s(one.frequency_hz) < 15e-6
    assert 0.05e-6 < one.speed.lone_timer_s(one.frequency_hz) < 15e-6
    assert one.memory is None or one.memory.total_bytes > 300
