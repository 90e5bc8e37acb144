# Description files: each mistake is one line that names the faulty line
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Tuple

import pytest

from helpers import wire

CARRIAGE = "carriage z axis=z start=0 x=0 y=0"
STEPPER = "stepper s mcu=main step_pin=1 dir_pin=2 step_dist=0.01"
SWITCH = "endstop mcu=main pin=7 kind=nozzle at=0 side=min"
DRIVER = "driver s model=tmc2209 mcu=main uart_pin=3"
ON_SPI = "driver s model=tmc5160 mcu=main cs_pin=3"
PROBE = "endstop mcu=main pin=7 kind=probe offset_x=0 offset_y=0 trigger_height=0"


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(wire.LoadError) as caught, wire.Simulation(text, folder):
        pass
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("gantry 4", "unknown directive 'gantry'"),
        ("seed", "missing number"),
        ("seed x", "seed is not a whole number: 'x'"),
        ("mcu main device=/d", "mcu 'main' is there twice"),
        ("mcu new device= frequency=1000 move_count=1 dictionary=/", "missing key 'device'"),
        ("mcu new device=/d frequency=fast", "frequency is not a whole number: 'fast'"),
        ("mcu new device=/d frequency=1", "frequency must be from 1000 to 1000000000: '1'"),
        (
            "mcu new device=/d frequency=100000 move_count=5 dictionary=/nowhere",
            "cannot read dictionary '/nowhere'",
        ),
        (
            "mcu new device=/d frequency=100000 move_count=5 dictionary=/",
            "cannot read dictionary '/'",
        ),
        ("link new to_mcu_us=1 to_host_us=1", "unknown mcu 'new'"),
        ("link main to_mcu_us=1", "missing key 'to_host_us'"),
        ("link main to_mcu_us=-1 to_host_us=1", "to_mcu_us must be from 0 to 1e+07: '-1'"),
        ("link main to_mcu_us=nan to_host_us=1", "to_mcu_us is not a number: 'nan'"),
        ("link main to_mcu_us=1 to_host_us=1 color=red", "unexpected 'color=red'"),
        ("message other command 9 get_clock", "unknown mcu 'other'"),
        ("message * command 9 fly", "unknown command 'fly'"),
        ("message * command 480 get_clock", "message id must be from -32 to 479: '480'"),
        ("message * command 9 get_clock now=%c", "command 'get_clock' has no argument 'now=%c'"),
        ("message * command 9 trsync_trigger oid=%c reason=%s", "unsupported argument 'reason=%s'"),
        ("message * response 9 applause", "unknown response 'applause'"),
        ("message * response 9 clock", "response 'clock' has 1 arguments"),
        ("message * song 9 la", "unknown kind of message 'song'"),
        ("carriage x", "missing key 'axis'"),
        ("carriage x axis=e", "unknown axis 'e'"),
        ("carriage x axis=x", "missing key 'start'"),
        (CARRIAGE.replace(" x=0", ""), "missing key 'x'"),
        (STEPPER.replace("main", "other"), "unknown mcu 'other'"),
        (f"{STEPPER} moves=e:1", "unknown carriage 'e'"),
        (f"{STEPPER} moves=e", "moves has no factor: 'e'"),
        (STEPPER.replace("step_dist=0.01", "step_dist=0"), "step_dist must be from"),
        (STEPPER.replace("dir_pin=2", "dir_pin=256"), "dir_pin must be from 0 to 255: '256'"),
        (SWITCH.replace("side=min", "side=left"), "unknown side 'left'"),
        (SWITCH.replace("nozzle", "optical"), "unknown kind 'optical'"),
        (SWITCH.replace("nozzle", "carriage"), "missing key 'carriage'"),
        (SWITCH.replace("nozzle", "carriage carriage=u"), "unknown carriage 'u'"),
        (PROBE.replace(" trigger_height=0", ""), "missing key 'trigger_height'"),
        ("bed tilt_x=0 radius=0", "radius must be from"),
        ("stop carriage=u at=0 side=min", "unknown carriage 'u'"),
        (DRIVER.replace("tmc2209", "a4988"), "unknown model 'a4988'"),
        (DRIVER.replace("uart_pin=3", "cs_pin=3"), "a tmc2209 has no SPI"),
        (DRIVER.replace("tmc2209", "tmc5160"), "a tmc5160 has no UART"),
        (f"{DRIVER} select=5", "select is not a few pins with levels"),
        (f"{DRIVER} diag0_mcu=main", "missing key 'diag0_pin'"),
        (f"{ON_SPI} chain_length=2 chain_position=3", "chain_position must be from 1 to 2: '3'"),
        ("bed " + "a " * 70, "too many words"),
    ],
)
def test_mistake_is_named_with_its_line(tmp_path: Path, line: str, reason: str) -> None:
    text = wire.describe(tmp_path)
    number = len(text.splitlines()) + 2
    message = refusal(tmp_path, f"{text}\n{line}\n")
    assert message.startswith(f"line {number}: {reason}")
    assert "\n" not in message


def test_two_things_of_one_name_are_refused(tmp_path: Path) -> None:
    text = wire.describe(tmp_path)
    for line, reason in [
        (CARRIAGE, "carriage 'z' is there twice"),
        (STEPPER, "stepper 's' is there twice"),
        (SWITCH, "there are two endstops on pin 7"),
    ]:
        assert refusal(tmp_path, f"{text}{line}\n{line}\n").endswith(reason)


def test_mcu_needs_a_link_and_all_messages(tmp_path: Path) -> None:
    lines = wire.describe(tmp_path).splitlines()
    for part, reason in [
        ("link main", "mcu 'main' has no link"),
        (" clock clock=%u", "mcu 'main' has no message of response clock"),
        ("Timer too close", "mcu 'main' has no message of static_string Timer too close"),
    ]:
        text = "\n".join("" if part in line else line for line in lines)
        assert refusal(tmp_path, text) == f"line 2: {reason}"


def test_missing_file_is_one_line(tmp_path: Path) -> None:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        error = wire.FFI.new("char[]", 200)
        path = str(tmp_path / "nothing").encode()
        assert simulation.library.simulation_load(path, error, len(error)) == wire.FFI.NULL
        assert wire.FFI.string(error) == b"cannot read '" + path + b"'"


def test_comments_blank_lines_and_order_do_not_matter(tmp_path: Path) -> None:
    stepper = f"{STEPPER} moves=z:1  # the only one"
    lines = wire.describe(tmp_path, [CARRIAGE, stepper, "", "# end"]).splitlines()
    with wire.Simulation("\n".join(reversed(lines)), tmp_path) as simulation:
        assert simulation.positions() == {"s": 0.0}
        assert simulation.hosts["main"].clock() > 0


def lifts(places: list) -> list:
    """Return a carriage and its stepper for each place."""
    return [
        line.replace(" z ", f" z{i} ").replace(" s ", f" s{i} ").replace("x=0 y=0", f"x={x} y={y}")
        for i, (x, y) in enumerate(places)
        for line in (CARRIAGE, f"{STEPPER} moves=z{i}:1")
    ]


@pytest.mark.parametrize("places", [[(0, 0)] * 2, [(0, 0), (1, 1), (2, 2)], [(0, 0)] * 5])
def test_gantry_that_cannot_stand_is_refused(tmp_path: Path, places: list) -> None:
    message = refusal(tmp_path, wire.describe(tmp_path, lifts(places)))
    assert "z steppers" in message or "more than four" in message
    assert message.startswith("line ")


def test_skewed_rectangle_is_refused(tmp_path: Path) -> None:
    places = [(0, 0), (0, 100), (100, 110), (100, 0)]
    assert "rectangle" in refusal(tmp_path, wire.describe(tmp_path, lifts(places)))


def test_carriages_that_cannot_move_alone_are_refused(tmp_path: Path) -> None:
    lines = [f"carriage {axis} axis={axis} start=0" for axis in "xy"]
    text = wire.describe(tmp_path, [*lines, f"{STEPPER} moves=x:1,y:1"])
    message = refusal(tmp_path, text)
    assert message.endswith("the steppers do not move this carriage on its own")
    assert message.startswith("line ")


def test_there_is_room_for_sixteen_carriages(tmp_path: Path) -> None:
    lines = [f"carriage x{i} axis=x start=0" for i in range(17)]
    with wire.Simulation(wire.describe(tmp_path, lines[:16]), tmp_path) as simulation:
        assert len(simulation.ask("carriages")) == 16
    assert refusal(tmp_path, wire.describe(tmp_path, lines)).endswith("more than 16 carriages")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((DRIVER, DRIVER), "driver 's' is there twice"),
        ((ON_SPI, ON_SPI.replace(" s ", " t ")), "its place in the chain is not free"),
        (
            tuple(f"{DRIVER} diag0_mcu=main diag0_pin=9".replace(" s ", f" {i} ") for i in "st"),
            "pin 9 is driven by something else",
        ),
    ],
)
def test_second_driver_in_one_place_is_named(
    tmp_path: Path, lines: Tuple[str, ...], reason: str
) -> None:
    text = wire.describe(tmp_path, lines)
    assert refusal(tmp_path, text) == f"line {len(text.splitlines())}: {reason}"
