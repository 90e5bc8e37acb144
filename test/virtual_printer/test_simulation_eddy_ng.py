# A coil over the bed by the commands of the plugin eddy-ng
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import struct
from pathlib import Path
from typing import Callable, Dict, Iterator, List

import pytest

from helpers import wire

I2C, SENSOR, TRSYNC, STEPPER = range(4)
ADDRESS = 0x2A
STEP_MM = 0.0025
COIL_HZ, CLOCK_HZ = 3_000_000.0, 12_000_000
COIL_HEIGHT_MM = 2.75
RATE_HZ = 250.0
REASON, ERROR_REASON = 1, 10
TOO_EARLY = 2
HOME, SLOPE_TAP, FILTER_TAP = 1, 2, 3
# Second order sections of a band pass of 5 to 25 Hz at 250 values per second
BAND_PASS = (
    (0.0461318, 0.0922636, 0.0461318, 1.0, -1.3297767, 0.5693902),
    (1.0, -2.0, 1.0, 1.0, -1.8450006, 0.8637525),
)
CONFIG = [
    ("config_i2c", I2C),
    ("i2c_set_bus", I2C, 0, 400000, ADDRESS),
    ("config_trsync", TRSYNC),
    ("config_stepper", STEPPER, 5, 6, 0, 0),
    ("config_ldc1612_ng", SENSOR, I2C, 1),
]

Open = Callable[..., wire.Host]


@pytest.fixture
def open_host(tmp_path: Path) -> Iterator[Open]:
    """open_host(start_mm) describes a coil whose nozzle is that high, and measures with it."""
    opened: List[wire.Simulation] = []

    def open_one(start_mm: float = 5.0) -> wire.Host:
        machine = [
            "carriage x axis=x start=100",
            "carriage y axis=y start=100",
            f"carriage z axis=z start={start_mm} x=0 y=0",
            f"stepper z mcu=main step_pin=5 dir_pin=6 step_dist={STEP_MM} moves=z:1",
            f"coil mcu=main i2c_bus=0 i2c_address={ADDRESS} offset_x=0 offset_y=20"
            f" height={COIL_HEIGHT_MM} coil_hz={COIL_HZ} noise_hz=0 clock_hz={CLOCK_HZ}"
            " clock_factor=1",
        ]
        simulation = wire.Simulation(wire.describe(tmp_path, machine), tmp_path)
        opened.append(simulation)
        host = simulation.hosts["main"]
        host.configure(CONFIG)  # type: ignore[arg-type]
        for register, value in ((0x08, CLOCK_HZ / 16.0 / RATE_HZ), (0x14, 0x1001), (0x1A, 0x1601)):
            host.send("i2c_write", I2C, bytes([register, *int(value).to_bytes(2, "big")]))
        host.send("ldc1612_ng_start_stop", SENSOR, round(wire.FREQUENCY_HZ * 0.5 / RATE_HZ))
        host.simulation.run(0.1)
        return host

    yield open_one
    for simulation in opened:
        simulation.close()


def data_at(height_mm: float) -> int:
    """Return what the chip says at a height of the nozzle."""
    ratio = 1.0 + (height_mm + COIL_HEIGHT_MM) / 2.0
    return round(COIL_HZ * (1.0 + 0.06 / ratio**2) / CLOCK_HZ * 2**28)


def go_down(
    host: wire.Host,
    mode: int,
    threshold: float = 0.0,
    gates_mm: object = (3.0, 2.0),
    open_s: float = 0.0,
) -> None:
    """Descend at 5 mm/s for 6 mm, armed."""
    start_mm, home_mm = gates_mm  # type: ignore[misc]
    clock = host.clock() + wire.FREQUENCY_HZ // 20
    host.send("trsync_start", TRSYNC, clock, 0, 2)
    host.send("stepper_stop_on_trigger", STEPPER, TRSYNC)
    open_clock = clock + round(open_s * wire.FREQUENCY_HZ) if open_s else 0
    host.send(
        *("ldc1612_ng_setup_home", SENSOR, TRSYNC, REASON, ERROR_REASON),
        *(data_at(home_mm), data_at(start_mm), open_clock, mode, round(threshold * 65536.0), 0),
    )
    host.send("reset_step_clock", STEPPER, clock)
    host.send("set_next_step_dir", STEPPER, 0)
    interval = round(STEP_MM / 5.0 * wire.FREQUENCY_HZ)
    host.send("queue_step", STEPPER, interval, round(6.0 / STEP_MM), 0)
    host.simulation.run(1.7)


def finish(host: wire.Host) -> Dict[str, object]:
    return dict(host.ask("ldc1612_ng_finish_home_reply", "ldc1612_ng_finish_home", SENSOR))


def height_mm(host: wire.Host) -> float:
    return float(host.simulation.positions()["z"])


def trigger_reason(host: wire.Host) -> int:
    states = host.all("trsync_state")
    return int(states[-1].values["trigger_reason"]) if states else 0


def test_values_and_status_are_reported(open_host: Open) -> None:
    host = open_host()
    host.simulation.run(0.2)
    data = b"".join(bytes(m.values["data"]) for m in host.all("sensor_bulk_data"))
    assert struct.unpack(">I", data[-4:])[0] == pytest.approx(data_at(5.0), abs=1)
    latched = host.ask("ldc1612_ng_latched_status", "query_ldc1612_ng_latched_status_v2", SENSOR)
    assert latched["lastval"] == pytest.approx(data_at(5.0), abs=1)
    host.send("ldc1612_ng_start_stop", SENSOR, 0)
    latched = host.ask("ldc1612_ng_latched_status", "query_ldc1612_ng_latched_status_v2", SENSOR)
    assert latched["lastval"] == pytest.approx(data_at(5.0), abs=1)


def test_homing_stops_where_the_second_threshold_is_reached(open_host: Open) -> None:
    host = open_host()
    go_down(host, HOME)
    assert trigger_reason(host) == REASON
    assert 2.0 - 5.0 * 3.0 / RATE_HZ <= height_mm(host) <= 2.0
    assert finish(host)["error"] == 0


def test_homing_from_below_the_first_threshold_is_too_early(open_host: Open) -> None:
    host = open_host(2.5)
    go_down(host, HOME, open_s=0.1)
    assert trigger_reason(host) == ERROR_REASON + TOO_EARLY


def test_sensor_that_was_not_started_fails_at_once(open_host: Open) -> None:
    host = open_host()
    # A first homing names the trsync
    go_down(host, HOME)
    host.send("ldc1612_ng_start_stop", SENSOR, 0)
    go_down(host, HOME)
    assert trigger_reason(host) == ERROR_REASON


@pytest.mark.parametrize(
    "mode, threshold", [(SLOPE_TAP, 800.0), (FILTER_TAP, 250.0)], ids=["slope", "filter"]
)
def test_tap_is_felt_where_the_nozzle_stands_on_the_bed(
    open_host: Open, mode: int, threshold: float
) -> None:
    host = open_host()
    for number, section in enumerate(BAND_PASS):
        host.send("ldc1612_ng_set_sos_section", SENSOR, number, struct.pack("<6f", *section))
    go_down(host, mode, threshold, gates_mm=(2.0, 1.5))
    assert trigger_reason(host) == REASON
    assert -0.5 < height_mm(host) < -0.01
    reply = finish(host)
    # What it takes for the touch, by the clock
    lag_s = (int(reply["trigger_clock"]) - int(reply["tap_start_clock"])) / wire.FREQUENCY_HZ  # type: ignore[call-overload]
    assert 0.0 < lag_s < 0.1
    touch_mm = height_mm(host) + 5.0 * lag_s
    assert abs(touch_mm) < 0.1


@pytest.mark.parametrize(
    "command, reason",
    [
        (("ldc1612_ng_set_sos_section", SENSOR, 0, b"12"), "ldc1612_ng: wrong sos section length"),
        (
            ("ldc1612_ng_setup_home", SENSOR, TRSYNC, REASON, ERROR_REASON, 9, 9, 0, 7, 0, 0),
            "bad homing mode",
        ),
    ],
    ids=lambda value: str(value),
)
def test_what_makes_no_sense_shuts_down(open_host: Open, command: object, reason: str) -> None:
    host = open_host()
    host.send(*command)  # type: ignore[misc]
    host.simulation.run(0.01)
    assert host.shutdown_reason() == reason
