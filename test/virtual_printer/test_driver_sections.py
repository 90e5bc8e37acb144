# Stepper drivers and stops as printer.cfg and the machine file have them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Dict, List

import pytest

from printer_config.section import ConfigError
from virtual_printer import description, machine
from virtual_printer.model import Machine, Stop

Sections = Dict[str, Dict[str, object]]

RAIL = {"position_min": -5, "position_endstop": 0, "position_max": 200}
MOTOR = {"microsteps": 16, "rotation_distance": 40}
UART: Dict[str, object] = {"uart_pin": "PB0"}
SPI: Dict[str, object] = {"cs_pin": "PB0"}
CHAIN: Dict[str, object] = {**SPI, "chain_length": 3}
VIRTUAL = "tmc2209_stepper_x:virtual_endstop"


def load(folder: Path, more: Sections, truth: str = "") -> Machine:
    """Return a Cartesian printer with further sections, or more options of its own."""
    sections: Sections = {"printer": {"kinematics": "cartesian"}, "mcu": {"serial": "/dev/main"}}
    for i, axis in enumerate("xyz"):
        pins = (f"PA{4 * i + n}" for n in range(3))
        of_pins = dict(zip(("step_pin", "dir_pin", "endstop_pin"), pins))
        sections[f"stepper_{axis}"] = {**of_pins, **MOTOR, **RAIL}
    for name, options in more.items():
        sections.setdefault(name, {}).update(options)
    lines: List[str] = []
    for name, options in sections.items():
        lines += [f"[{name}]", *(f"{option}: {value}" for option, value in options.items())]
    (folder / "printer.cfg").write_text("\n".join(lines))
    (folder / "machine.cfg").write_text(truth)
    return machine.load(folder / "printer.cfg", folder / "machine.cfg")


def described(folder: Path, more: Sections, truth: str = "") -> List[str]:
    """Return the lines that the simulation reads about drivers and stops."""
    text = description.write(load(folder, more, truth), folder).read_text()
    return [line for line in text.splitlines() if line.startswith(("driver ", "stop "))]


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        (
            "tmc2208 stepper_x",
            {"uart_pin": "^PB1", "tx_pin": "PB0"},
            "driver stepper_x model=tmc2208 mcu=mcu uart_pin=16 address=0 power=1",
        ),
        (
            "tmc2209 extruder",
            {**UART, "uart_address": 3, "select_pins": "PB1, !PB2", "diag_pin": "^PB3"},
            "driver extruder model=tmc2209 mcu=mcu uart_pin=16 address=3 select=17:1,18:0"
            " diag0_mcu=mcu diag0_pin=19 power=1",
        ),
        (
            "tmc5160 manual_stepper lift",
            {**CHAIN, "chain_position": 2, "diag1_pin": "^!PB3"},
            "driver manual_stepper_lift model=tmc5160 mcu=mcu cs_pin=16 chain_length=3"
            " chain_position=2 diag1_mcu=mcu diag1_pin=19 power=1",
        ),
    ],
)
def test_driver_is_where_its_section_puts_it(
    tmp_path: Path, name: str, options: Dict[str, object], expected: str
) -> None:
    assert described(tmp_path, {name: options}) == [expected]


def test_driver_can_be_without_power(tmp_path: Path) -> None:
    truth = "[tmc2209 stepper_x]\npowered: False\n"
    (line,) = described(tmp_path, {"tmc2209 stepper_x": UART}, truth)
    assert line.endswith(" power=0")


def test_second_driver_in_one_place_is_left_to_klippy(tmp_path: Path) -> None:
    chain = {**CHAIN, "chain_position": 1}
    more = {"tmc5160 stepper_x": chain, "tmc5160 stepper_y": chain}
    assert [driver.name for driver in load(tmp_path, more).drivers] == ["stepper_x"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "option 'cs_pin' in section [tmc2240 stepper_x] must be specified"),
        (CHAIN, "option 'chain_position' in section [tmc2240 stepper_x] must be specified"),
        (
            {**CHAIN, "chain_position": 4},
            "option 'chain_position' in section [tmc2240 stepper_x] must be at most 3",
        ),
        (
            {"uart_pin": "other:PB0"},
            "option 'uart_pin' in section [tmc2240 stepper_x] names an MCU that is not there:"
            " 'other'",
        ),
    ],
)
def test_mistake_names_section_and_option(
    tmp_path: Path, options: Dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {"tmc2240 stepper_x": options})
    assert str(caught.value).endswith(message)


def test_carriage_that_is_homed_without_a_switch_has_a_stop(tmp_path: Path) -> None:
    more: Sections = {"tmc2209 stepper_x": UART, "stepper_x": {"endstop_pin": VIRTUAL}}
    got = load(tmp_path, more)
    assert got.stops == (Stop("x", 0.0, "min"),)
    assert len(got.endstops) == 2
    more["stepper_x"]["position_endstop"] = 200
    assert load(tmp_path, more).stops == (Stop("x", 200.0, "max"),)
    truth = "[gantry]\nstop_x: 203.5\n"
    assert load(tmp_path, more, truth).stops == (Stop("x", 203.5, "max"),)


def test_place_of_a_stop_that_is_not_there_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="option 'stop_x' in section .gantry. is not known"):
        load(tmp_path, {}, "[gantry]\nstop_x: 203.5\n")


def test_carriage_with_a_switch_has_no_stop(tmp_path: Path) -> None:
    assert load(tmp_path, {"tmc2209 stepper_x": {**UART, "diag_pin": "PB3"}}).stops == ()
