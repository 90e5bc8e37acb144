# Coils over the bed, read as a host reads them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import struct
from pathlib import Path
from typing import Callable, Iterator, List

import pytest

from helpers import wire

I2C, SENSOR, TRSYNC, STEPPER, FILTER, TRIGGER = range(6)
ADDRESS = 0x2A
INTERRUPT_PIN = 20
STEP_MM = 0.0025
COIL_HZ, CLOCK_HZ = 3_000_000.0, 40_000_000
COIL_HEIGHT_MM = 2.0
RATE_HZ = 250.0
REASON, ERROR_REASON = 1, 10
MOTION = (
    "carriage x axis=x start=100",
    "carriage y axis=y start=100",
    "carriage z axis=z start=5 x=0 y=0",
    "stepper x mcu=main step_pin=1 dir_pin=2 step_dist=0.0125 moves=x:1",
    "stepper y mcu=main step_pin=3 dir_pin=4 step_dist=0.0125 moves=y:1",
    f"stepper z mcu=main step_pin=5 dir_pin=6 step_dist={STEP_MM} moves=z:1",
    "bed tilt_y=0.01 center_x=100 center_y=100",
)
CONFIG = [
    ("config_i2c", I2C),
    ("i2c_set_bus", I2C, 0, 400000, ADDRESS),
    ("config_trsync", TRSYNC),
    ("config_stepper", STEPPER, 5, 6, 0, 0),
    ("config_sos_filter", FILTER, 0),
    ("config_trigger_analog", TRIGGER, FILTER),
]
WITHOUT_PIN = ("config_ldc1612", SENSOR, I2C)
WITH_PIN = ("config_ldc1612_with_intb", SENSOR, I2C, INTERRUPT_PIN)

Open = Callable[..., wire.Host]


@pytest.fixture
def open_host(tmp_path: Path) -> Iterator[Open]:
    """open_host(config, keys) describes a coil and configures its MCU."""
    opened: List[wire.Simulation] = []

    def open_one(config: object = WITHOUT_PIN, keys: str = "offset_x=0 offset_y=0") -> wire.Host:
        coil = (
            f"coil mcu=main i2c_bus=0 i2c_address={ADDRESS} interrupt_pin={INTERRUPT_PIN}"
            f" height={COIL_HEIGHT_MM} coil_hz={COIL_HZ} noise_hz=0 clock_hz={CLOCK_HZ}"
            f" clock_factor=1 {keys}"
        )
        simulation = wire.Simulation(wire.describe(tmp_path, [*MOTION, coil]), tmp_path)
        opened.append(simulation)
        host = simulation.hosts["main"]
        host.configure([*CONFIG, config])  # type: ignore[list-item]
        return host

    yield open_one
    for simulation in opened:
        simulation.close()


def write(host: wire.Host, register: int, value: int) -> None:
    host.send("i2c_write", I2C, bytes([register, value >> 8, value & 0xFF]))


def read(host: wire.Host, register: int) -> int:
    answer = host.ask("i2c_read_response", "i2c_read", I2C, bytes([register]), 2)
    return int.from_bytes(answer["response"], "big")


def start(host: wire.Host, reference_divider: int = 1) -> None:
    write(host, 0x08, round(CLOCK_HZ / reference_divider / 16.0 / RATE_HZ))
    write(host, 0x14, 1 << 12 | reference_divider)
    write(host, 0x1A, 0x1601)
    host.send("query_ldc1612", SENSOR, round(wire.FREQUENCY_HZ * 0.5 / RATE_HZ))


def values(host: wire.Host) -> List[int]:
    data = b"".join(message.values["data"] for message in host.all("sensor_bulk_data"))
    return [value for (value,) in struct.iter_unpack(">I", data)]


def expected(height_mm: float) -> float:
    """Return what the chip says at a height of the nozzle."""
    ratio = 1.0 + (height_mm + COIL_HEIGHT_MM) / 2.0
    return COIL_HZ * (1.0 + 0.06 / ratio**2) / CLOCK_HZ * 2**28


def move_z(host: wire.Host, distance_mm: float, speed_mm_s: float = 5.0) -> None:
    steps = round(distance_mm / STEP_MM)
    host.send("reset_step_clock", STEPPER, host.clock() + wire.FREQUENCY_HZ // 20)
    host.send("set_next_step_dir", STEPPER, int(steps > 0))
    interval = round(STEP_MM / speed_mm_s * wire.FREQUENCY_HZ)
    host.send("queue_step", STEPPER, interval, abs(steps), 0)


def test_chip_says_who_it_is(open_host: Open) -> None:
    host = open_host()
    assert (read(host, 0x7E), read(host, 0x7F)) == (0x5449, 0x3055)


@pytest.mark.parametrize("config", [WITHOUT_PIN, WITH_PIN], ids=["polled", "with a pin"])
def test_frequency_rises_towards_the_bed(open_host: Open, config: object) -> None:
    host = open_host(config)
    start(host)
    host.simulation.run(1.0)
    found = values(host)
    assert len(found) == pytest.approx(RATE_HZ, abs=20)
    assert found[-1] == pytest.approx(expected(5.0), abs=1)
    move_z(host, -4.5)
    host.simulation.run(1.5)
    assert values(host)[-1] == pytest.approx(expected(0.5), abs=1)
    status = host.ask("sensor_bulk_status", "query_status_ldc1612", SENSOR)
    assert status["possible_overflows"] == 0
    host.send("query_ldc1612", SENSOR, 0)
    host.simulation.run(0.02)
    before = len(host.received)
    host.simulation.run(0.5)
    assert len(host.received) == before


def test_nozzle_in_the_bed_takes_it_along(open_host: Open) -> None:
    host = open_host()
    start(host)
    move_z(host, -5.0)
    host.simulation.run(1.5)
    assert values(host)[-1] == pytest.approx(expected(0.0), abs=1)
    move_z(host, -0.5)
    host.simulation.run(0.5)
    assert values(host)[-1] == pytest.approx(expected(-0.05), abs=1)


@pytest.mark.parametrize("config", [WITHOUT_PIN, WITH_PIN], ids=["polled", "with a pin"])
def test_coil_that_fails_is_silent_or_stuck_or_near_until_it_works_again(
    open_host: Open, config: object
) -> None:
    host = open_host(config)
    start(host)
    move_z(host, -4.5)
    host.simulation.run(0.2)
    host.simulation.ask("sensor main state=stuck")
    host.simulation.run(0.1)
    held = values(host)[-1]
    host.simulation.run(1.5)
    assert values(host)[-1] == held > expected(5.0)
    host.simulation.ask("sensor main state=silent")
    host.simulation.run(0.1)
    before = len(values(host))
    host.simulation.run(1.0)
    assert len(values(host)) == before
    host.simulation.ask("sensor main state=near")
    # A pin may be looked at once in a second then
    host.simulation.run(1.2)
    assert values(host)[-1] == pytest.approx(expected(0.0), abs=1)
    host.simulation.ask("sensor main state=works")
    host.simulation.run(0.1)
    assert values(host)[-1] == pytest.approx(expected(0.5), abs=1)


def test_coil_is_beside_the_nozzle(open_host: Open) -> None:
    host = open_host(keys="offset_x=0 offset_y=50")
    start(host)
    host.simulation.run(0.2)
    # The bed is 0.5 mm higher there
    assert values(host)[-1] == pytest.approx(expected(4.5), abs=1)


def test_reference_can_be_divided(open_host: Open) -> None:
    host = open_host()
    start(host, reference_divider=2)
    host.simulation.run(0.5)
    assert values(host)[-1] == pytest.approx(2.0 * expected(5.0), abs=2)
    assert len(values(host)) == pytest.approx(RATE_HZ / 2, abs=20)


def test_chip_sleeps_until_it_is_told_to_convert(open_host: Open) -> None:
    host = open_host()
    host.send("query_ldc1612", SENSOR, wire.FREQUENCY_HZ // 500)
    host.simulation.run(0.3)
    assert values(host) == []


def test_drive_current_that_suits_the_coil_can_be_read(open_host: Open) -> None:
    host = open_host()
    write(host, 0x1E, 15 << 11)
    assert read(host, 0x1E) == 15 << 11 | 16 << 6


# Homing


def arm(host: wire.Host, threshold: int) -> None:
    clock = host.clock() + wire.FREQUENCY_HZ // 20
    host.send("trsync_start", TRSYNC, clock, 0, 2)
    host.send("stepper_stop_on_trigger", STEPPER, TRSYNC)
    host.send("ldc1612_setup_home", SENSOR, clock, threshold, TRSYNC, REASON, ERROR_REASON)


def trigger_reason(host: wire.Host) -> int:
    states = host.all("trsync_state")
    return int(states[-1].values["trigger_reason"]) if states else 0


def test_homing_stops_where_the_frequency_is_reached(open_host: Open) -> None:
    host = open_host()
    start(host)
    arm(host, round(expected(1.0)))
    move_z(host, -5.0)
    host.simulation.run(1.5)
    height_mm = host.simulation.positions()["z"]
    assert 1.0 - 5.0 * 2.0 / RATE_HZ <= height_mm <= 1.0
    assert trigger_reason(host) == REASON
    state = host.ask("ldc1612_home_state", "query_ldc1612_home_state", SENSOR)
    assert state["homing"] == 0


def test_homing_is_called_off(open_host: Open) -> None:
    host = open_host()
    start(host)
    arm(host, round(expected(1.0)))
    host.send("ldc1612_setup_home", SENSOR, 0, 0, 0, 0, 0)
    move_z(host, -5.0)
    host.simulation.run(1.5)
    assert host.simulation.positions()["z"] == pytest.approx(0.0, abs=1e-6)


def test_trigger_analog_triggers_by_the_coil(open_host: Open) -> None:
    host = open_host()
    start(host)
    host.send("ldc1612_attach_trigger_analog", SENSOR, TRIGGER)
    zero = round(expected(1.0))
    host.send("sos_filter_set_offset_scale", FILTER, -zero, 1, 0, 0)
    host.send("trigger_analog_set_raw_range", TRIGGER, 0, 1 << 28)
    host.send("trigger_analog_set_trigger", TRIGGER, 1, 0)
    clock = host.clock() + wire.FREQUENCY_HZ // 20
    host.send("trsync_start", TRSYNC, clock, 0, 2)
    host.send("stepper_stop_on_trigger", STEPPER, TRSYNC)
    ticks = round(wire.FREQUENCY_HZ / RATE_HZ)
    host.send("trigger_analog_home", TRIGGER, TRSYNC, REASON, ERROR_REASON, clock, ticks, 5)
    move_z(host, -5.0)
    host.simulation.run(1.5)
    assert 1.0 - 5.0 * 2.0 / RATE_HZ <= host.simulation.positions()["z"] <= 1.0
    assert trigger_reason(host) == REASON
