# A Cartographer probe, spoken to as its plugin does
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import struct
from pathlib import Path
from typing import Callable, Iterator, List

import pytest

from helpers import wire
from virtual_printer.firmware import cartographer, dictionary

TRSYNC, STEPPER = range(2)
SCAN, TOUCH = range(2)
REASON = 1
THERMISTOR_PIN = 20
STEP_MM = 0.0025
COIL_HZ, CLOCK_HZ = 2_943_000.0, 24_000_000
COIL_HEIGHT_MM, GAIN, RANGE_MM = 2.6, 0.12, 4.0
RATE_HZ = CLOCK_HZ / (0x88C * 16 + 4)
BASE_COUNT, BASE_ADC = 32_917_500, 55_927
AMBIENT_C, WARM_C = 25.0, 60.0
FIRMWARE = dictionary.build(wire.CHIP, own=[cartographer.PERIPHERAL])
LINES = (
    "carriage x axis=x start=100",
    "carriage y axis=y start=100",
    "carriage z axis=z start=5 x=0 y=0",
    "stepper x mcu=main step_pin=1 dir_pin=2 step_dist=0.0125 moves=x:1",
    "stepper y mcu=main step_pin=3 dir_pin=4 step_dist=0.0125 moves=y:1",
    f"stepper z mcu=main step_pin=5 dir_pin=6 step_dist={STEP_MM} moves=z:1",
    "bed tilt_y=0.01 center_x=100 center_y=100",
)
CONFIG = [("config_trsync", TRSYNC), ("config_stepper", STEPPER, 5, 6, 0, 0)]

Open = Callable[..., wire.Host]


@pytest.fixture
def open_host(tmp_path: Path) -> Iterator[Open]:
    """open_host(keys, start_c) describes a probe at a temperature and configures it."""
    opened: List[wire.Simulation] = []

    def open_one(
        keys: str = "offset_x=0 offset_y=0 noise_hz=0", start_c: float = AMBIENT_C
    ) -> wire.Host:
        lines = [
            *LINES,
            # It keeps its temperature
            f"body coil capacity=1000 loss=0 ambient={AMBIENT_C} start={start_c}",
            f"temperature_sensor coil body=coil offset=0 kind=analog mcu=main pin={THERMISTOR_PIN}"
            " lowest=0 step=100 ratios=0.9,0.4",
            f"cartographer mcu=main thermistor_pin={THERMISTOR_PIN} body=coil"
            f" height={COIL_HEIGHT_MM} coil_hz={COIL_HZ} drift_per_k=-0.00005 gain={GAIN}"
            f" range_mm={RANGE_MM} clock_hz={CLOCK_HZ} clock_factor=1 base_count={BASE_COUNT}"
            f" base_adc={BASE_ADC} {keys}",
        ]
        text = wire.describe(tmp_path, lines, firmware=FIRMWARE)
        simulation = wire.Simulation(text, tmp_path, FIRMWARE)
        opened.append(simulation)
        host = simulation.hosts["main"]
        host.configure(CONFIG)  # type: ignore[arg-type]
        return host

    yield open_one
    for simulation in opened:
        simulation.close()


def counts(host: wire.Host) -> List[int]:
    return [message.values["data"] for message in host.all("cartographer_data")]


def expected(distance_mm: float, warmer_k: float = 0.0) -> float:
    """Return what the probe says when its coil is so far above the bed."""
    hz = COIL_HZ * (1.0 + GAIN / (1.0 + distance_mm / RANGE_MM) ** 2)
    return hz * (1.0 - 0.00005 * warmer_k) / CLOCK_HZ * 2**28


def move_z(host: wire.Host, distance_mm: float, speed_mm_s: float) -> None:
    steps = round(distance_mm / STEP_MM)
    host.send("reset_step_clock", STEPPER, host.clock() + wire.FREQUENCY_HZ // 20)
    host.send("set_next_step_dir", STEPPER, int(steps > 0))
    interval = round(STEP_MM / speed_mm_s * wire.FREQUENCY_HZ)
    host.send("queue_step", STEPPER, interval, abs(steps), 0)
    host.simulation.run(abs(distance_mm) / speed_mm_s + 0.2)


def arm(host: wire.Host, method: int, threshold: int = 0) -> None:
    clock = host.clock() + wire.FREQUENCY_HZ // 20
    host.send("trsync_start", TRSYNC, clock, 0, 2)
    host.send("stepper_stop_on_trigger", STEPPER, TRSYNC)
    host.send("cartographer_home", TRSYNC, REASON, 0, threshold, method)


def height_mm(host: wire.Host) -> float:
    return host.simulation.positions()["z"]


# Data


def test_every_conversion_is_streamed(open_host: Open) -> None:
    host = open_host()
    host.send("cartographer_stream", 1)
    host.simulation.run(0.1)
    before = len(counts(host))
    host.simulation.run(1.0)
    found = host.all("cartographer_data")[before:]
    assert len(found) == pytest.approx(RATE_HZ, rel=0.01)
    clocks = [message.values["clock"] for message in found]
    periods = {round((b - a) / wire.FREQUENCY_HZ * RATE_HZ, 3) for a, b in zip(clocks, clocks[1:])}
    assert periods == {1.0}


def test_without_a_stream_it_reports_now_and_then(open_host: Open) -> None:
    host = open_host()
    host.send("cartographer_stream", 1)
    host.simulation.run(0.1)
    host.send("cartographer_stream", 0)
    host.simulation.run(0.1)
    before = len(counts(host))
    host.simulation.run(1.0)
    assert 20 <= len(counts(host)) - before <= 25


def test_frequency_rises_towards_the_bed(open_host: Open) -> None:
    host = open_host()
    host.simulation.run(0.1)
    assert counts(host)[-1] == pytest.approx(expected(5.0 + COIL_HEIGHT_MM), abs=1)
    move_z(host, -4.5, 5.0)
    assert counts(host)[-1] == pytest.approx(expected(0.5 + COIL_HEIGHT_MM), abs=1)


def test_coil_is_beside_the_nozzle(open_host: Open) -> None:
    host = open_host("offset_x=0 offset_y=50 noise_hz=0")
    host.simulation.run(0.1)
    # The bed is 0.5 mm higher there
    assert counts(host)[-1] == pytest.approx(expected(4.5 + COIL_HEIGHT_MM), abs=1)


def test_nozzle_in_the_bed_holds_the_coil_up(open_host: Open) -> None:
    host = open_host()
    move_z(host, -5.5, 5.0)
    assert counts(host)[-1] == pytest.approx(expected(COIL_HEIGHT_MM - 0.05), abs=1)


def test_warm_coil_is_slower_and_its_thermistor_shows_it(open_host: Open) -> None:
    cold, warm = open_host(), open_host(start_c=WARM_C)
    for host in (cold, warm):
        host.simulation.run(0.3)
    distance_mm = 5.0 + COIL_HEIGHT_MM
    assert counts(warm)[-1] == pytest.approx(expected(distance_mm, WARM_C - AMBIENT_C), abs=1)
    for host, temperature_c in ((cold, AMBIENT_C), (warm, WARM_C)):
        ratio = 0.9 - 0.005 * temperature_c
        sums = [message.values["temp"] for message in host.all("cartographer_data")]
        assert sums[-1] == pytest.approx(16 * 4095 * ratio, abs=12)


def test_noise_is_that_of_each_conversion(open_host: Open) -> None:
    host = open_host("offset_x=0 offset_y=0 noise_hz=20")
    host.send("cartographer_stream", 1)
    host.simulation.run(2.0)
    mean = expected(5.0 + COIL_HEIGHT_MM)
    square = sum((count - mean) ** 2 for count in counts(host)) / len(counts(host))
    assert square**0.5 == pytest.approx(20.0 / CLOCK_HZ * 2**28, rel=0.1)


@pytest.mark.parametrize(("size", "offset"), [(6, 0), (4, 0), (2, 4), (9, 6), (1, 200)])
def test_what_its_maker_measured_is_read_in_parts(open_host: Open, size: int, offset: int) -> None:
    host = open_host()
    answer = host.ask("cartographer_base_data", "cartographer_base_read", size, offset)
    whole = struct.pack("<IHH", BASE_COUNT, BASE_ADC, 0)
    assert (answer["bytes"], answer["offset"]) == (whole[offset : offset + size], offset)


def test_probe_that_fails_is_silent_or_stuck_or_near_until_it_works_again(open_host: Open) -> None:
    host = open_host()
    host.send("cartographer_stream", 1)
    host.simulation.run(0.1)
    host.simulation.ask("sensor main state=stuck")
    move_z(host, -4.5, 5.0)
    assert counts(host)[-1] == counts(host)[1]
    host.simulation.ask("sensor main state=silent")
    host.simulation.run(0.1)
    before = len(counts(host))
    host.simulation.run(1.0)
    assert len(counts(host)) == before
    host.simulation.ask("sensor main state=near")
    host.simulation.run(0.1)
    assert counts(host)[-1] == pytest.approx(expected(COIL_HEIGHT_MM), abs=1)
    host.simulation.ask("sensor main state=works")
    host.simulation.run(0.1)
    assert counts(host)[-1] == pytest.approx(expected(0.5 + COIL_HEIGHT_MM), abs=1)


# Homing


def test_scan_stops_where_the_threshold_is_reached(open_host: Open) -> None:
    host = open_host()
    threshold = round(expected(2.0 + COIL_HEIGHT_MM))
    host.send("cartographer_set_threshold", threshold, round(threshold * 0.994))
    arm(host, SCAN)
    move_z(host, -5.0, 5.0)
    assert 2.0 - 5.0 * 2.0 / RATE_HZ <= height_mm(host) <= 2.0
    states = [message.values["trigger_reason"] for message in host.all("trsync_state")]
    assert states[-1] == REASON


@pytest.mark.parametrize("threshold", [500, 1500])
def test_touch_stops_soon_after_the_nozzle_has_met_the_bed(open_host: Open, threshold: int) -> None:
    host = open_host("offset_x=0 offset_y=0 noise_hz=20")
    move_z(host, -2.0, 5.0)
    arm(host, TOUCH, threshold)
    move_z(host, -5.0, 2.0)
    assert -0.05 < height_mm(host) < 0.0


def test_higher_threshold_lets_the_nozzle_go_deeper(open_host: Open) -> None:
    depths_mm = []
    for threshold in (300, 2000):
        host = open_host()
        move_z(host, -2.0, 5.0)
        arm(host, TOUCH, threshold)
        move_z(host, -5.0, 2.0)
        depths_mm.append(-height_mm(host))
    assert 0.0 < depths_mm[0] < depths_mm[1]


def test_touch_is_not_looked_for_below_the_lower_threshold(open_host: Open) -> None:
    host = open_host()
    threshold = round(expected(COIL_HEIGHT_MM - 1.0))
    host.send("cartographer_set_threshold", threshold, threshold)
    arm(host, TOUCH, 500)
    move_z(host, -5.5, 2.0)
    assert height_mm(host) == pytest.approx(-0.5, abs=1e-6)


@pytest.mark.parametrize("command", ["cartographer_stop_home", "emergency_stop"])
def test_homing_is_called_off(open_host: Open, command: str) -> None:
    host = open_host()
    arm(host, SCAN)
    host.send(command)
    host.simulation.run(0.1)
    before = len(host.all("trsync_state"))
    if command == "cartographer_stop_home":
        move_z(host, -5.0, 5.0)
        assert height_mm(host) == pytest.approx(0.0, abs=1e-6)
    assert len(host.all("trsync_state")) == before


# Life


def test_it_begins_anew_after_a_reset(open_host: Open) -> None:
    host = open_host()
    host.send("cartographer_stream", 1)
    host.send("cartographer_set_threshold", 1, 1)
    host.send("reset")
    host.simulation.run(0.5)
    host.sequence = 0
    before = len(counts(host))
    host.simulation.run(1.0)
    assert 20 <= len(counts(host)) - before <= 25
    host.configure(CONFIG)  # type: ignore[arg-type]
    arm(host, SCAN)
    move_z(host, -1.0, 5.0)
    assert height_mm(host) == pytest.approx(4.0, abs=1e-6)


def test_it_reports_after_a_shutdown_too(open_host: Open) -> None:
    host = open_host()
    host.send("emergency_stop")
    host.simulation.run(0.1)
    before = len(counts(host))
    host.simulation.run(0.5)
    assert len(counts(host)) > before


def test_command_to_an_mcu_that_is_none_is_invalid(tmp_path: Path) -> None:
    text = wire.describe(tmp_path, LINES, firmware=FIRMWARE)
    for command in (
        ("cartographer_stream", 1),
        ("cartographer_set_threshold", 1, 1),
        ("cartographer_home", 0, 1, 0, 0, 0),
        ("cartographer_stop_home",),
        ("cartographer_base_read", 6, 0),
    ):
        with wire.Simulation(text, tmp_path, FIRMWARE) as simulation:
            host = simulation.hosts["main"]
            host.send(*command)  # type: ignore[arg-type]
            simulation.run(0.1)
            assert host.shutdown_reason() == "Invalid command"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("cartographer mcu=nobody", "unknown mcu 'nobody'"),
        ("cartographer mcu=main body=none", "unknown body 'none'"),
    ],
)
def test_mistake_in_a_description_is_named(tmp_path: Path, line: str, problem: str) -> None:
    keys = (
        "offset_x=0 offset_y=0 height=2 coil_hz=3e6 noise_hz=0 clock_hz=24e6 clock_factor=1"
        " gain=0.1 range_mm=4 drift_per_k=0 thermistor_pin=1 base_count=1 base_adc=1"
    )
    body = "body coil capacity=1 loss=0 ambient=25 start=25"
    line = line if "body=" in line else f"{line} body=coil"
    text = wire.describe(tmp_path, [body, f"{line} {keys}"], firmware=FIRMWARE)
    with pytest.raises(wire.LoadError, match=problem):
        wire.Simulation(text, tmp_path, FIRMWARE)
