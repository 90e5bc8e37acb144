# The chips that virtual MCUs can have, and which of them a printer.cfg gets
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Dict, Optional

import pytest

from printer_config.config_file import ConfigFile
from printer_config.section import ConfigError
from virtual_printer import hosts
from virtual_printer.boards import Boards
from virtual_printer.firmware import chips
from virtual_printer.firmware.chips.chip import PIN_COUNT
from virtual_printer.pins import parse_outputs, parse_pin
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
    pins = parse_outputs(section("fan"), "pin", found)
    assert [(pin.name, pin.invert) for pin in pins] == [("PA1", True), ("PA2", False)]
    pins = parse_outputs(section("heater_fan a"), "pin", found)
    assert [pin.name for pin in pins] == ["PA3"]


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


# What their firmware keeps for itself


def reserved(serial: str, *used: str, more: str = "", truth: str = "") -> Dict[str, str]:
    """Return what the firmware keeps for itself, by what for, if printer.cfg uses some pins."""
    outputs = "".join(f"[output_pin {i}]\npin: {pin}\n" for i, pin in enumerate(used))
    found = boards(f"[mcu]\n{serial}\n{outputs}{more}", truth).reserved_pins("mcu")
    prefix = "RESERVE_PINS_"
    assert all(name.startswith(prefix) for name in found)
    return {name[len(prefix) :]: pins for name, pins in found.items()}


USB = "serial: /dev/serial/by-id/usb-Klipper_{}_12345-if00"
UART = "serial: /dev/ttyAMA0"
CAN = "canbus_uuid: 112233445566"


@pytest.mark.parametrize(
    ("connection", "name", "pins"),
    [
        (USB, "stm32f446xx", {"USB": "PA11,PA12", "crystal": "PH0,PH1"}),
        (USB, "stm32f103xe", {"USB": "PA11,PA12"}),
        (USB, "lpc1768", {"USB": "P0.30,P0.29,P2.9"}),
        (USB, "samd51p20a", {"USB": "PA24,PA25", "crystal": "PA0,PA1"}),
        (USB, "rp2040", {}),
        (USB, "at90usb1286", {}),
        (UART, "atmega2560", {"serial": "PE0,PE1"}),
        (UART, "atmega1284p", {"serial": "PD0,PD1"}),
        (UART, "stm32f446", {"serial": "PA10,PA9", "crystal": "PH0,PH1"}),
        (UART, "hc32f460", {"serial": "PA15,PA9"}),
        # Its USB is a bridge to the first UART
        ("serial: /dev/ttyACM0", "atmega2560", {"serial": "PE0,PE1"}),
        ("serial: /dev/ttyACM0", "stm32f446", {"USB": "PA11,PA12", "crystal": "PH0,PH1"}),
        (CAN, "stm32g0b1", {"CAN": "PB8,PB9", "crystal": "PF0,PF1"}),
        (CAN, "rp2040", {"CAN": "gpio4,gpio5"}),
        (CAN, "samc21g18a", {"CAN": "PA23,PA22", "crystal": "PA14,PA15", "adc": "PA3"}),
        ("serial: /tmp/klipper_host_mcu", "linux", {}),
        ("serial: /tmp/virtual_printer/mcu", "virtual", {}),
    ],
)
def test_firmware_keeps_the_pins_of_its_link_and_crystal(
    connection: str, name: str, pins: Dict[str, str]
) -> None:
    assert reserved(connection.format(name), truth=f"[mcu]\nchip: {name}\n") == pins


def test_firmware_is_built_so_that_it_leaves_printer_cfg_its_pins() -> None:
    truth = "[mcu]\nchip: stm32f446\n"
    assert reserved(UART, "PA9", "PB7", truth=truth)["serial"] == "PA3,PA2"
    assert reserved(CAN, "PA12", truth=truth)["CAN"] == "PB8,PB9"
    assert "crystal" not in reserved(UART, "!PH1", truth=truth)
    # A bus takes pins too
    bus = "[adxl345]\ni2c_mcu: mcu\ni2c_bus: i2c1a\n"
    assert reserved(CAN, "PA12", more=bus, truth=truth)["CAN"] == "PI9,PH13"
    # Some other serial device is a bridge to a UART then
    other = "serial: /dev/ttyACM0"
    assert reserved(other, "PA11", truth=truth)["serial"] == "PA10,PA9"
    assert reserved(USB.format("stm32h743xx"), "PA11")["USB1"] == "PB14,PB15"


def test_board_whose_uart_is_in_use_has_usb() -> None:
    assert reserved(UART, "PA8", truth="[mcu]\nchip: sam3x8e\n") == {}
    truth = "[mcu]\nchip: sam4s8c\n"
    assert reserved(UART, "PB2", truth=truth) == {"USB": "PB10,PB11"}
    # There is nothing else that it could be
    assert reserved(UART, "PB2", "PB11", truth=truth) == {"serial": "PB2,PB3"}


def test_pins_of_usb_are_kept_whatever_printer_cfg_says() -> None:
    assert reserved(USB.format("stm32f446xx"), "PA11")["USB"] == "PA11,PA12"


def test_chip_without_a_name_is_one_that_does_not_keep_a_pin_which_is_used() -> None:
    assert chip("/dev/ttyUSB0", "[fan]\npin: PD0\n[output_pin a]\npin: PD4\n") == "atmega2560"
    assert chip("/dev/ttyUSB0", "[fan]\npin: PE0\n[output_pin a]\npin: PE1\n") != "atmega2560"


@pytest.mark.parametrize("one", CHIPS, ids=lambda one: str(one.name))
def test_every_chip_has_a_speed_and_keeps_pins_that_it_has(one: chips.Chip) -> None:
    numbers = one.pin_numbers()
    assert 0.05e-6 < one.speed.timer_s(one.frequency_hz) < 15e-6
    assert 0.05e-6 < one.speed.lone_timer_s(one.frequency_hz) < 15e-6
    assert one.memory is None or one.memory.total_bytes > 300
    for serial in ("/dev/ttyACM0", "/dev/ttyAMA0", None):
        for pins in chips.reserved_pins(one, serial, [], []).values():
            assert [pin for pin in pins.split(",") if pin not in numbers] == []
