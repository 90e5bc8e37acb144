# Load cells of the simulation, and triggers by what they measure
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import struct
from pathlib import Path
from typing import Callable, Iterator, List, Sequence, Tuple

import pytest

from helpers import wire

SPI, SENSOR, FILTER, TRIGGER, TRSYNC, STEPPER = range(6)
DOUT, SCLK, SELECT_PIN, READY_PIN = 20, 21, 22, 23
STEP_MM = 0.0025
HEIGHT_MM = 0.1
STIFFNESS_G_PER_MM = 1000.0
COUNTS_PER_G = 500.0
ZERO_COUNTS = -4000.0
REASON, ERROR_REASON = 1, 10
# Q15 grams from counts
FRACTION_BITS = 29 - 15
GRAMS_PER_COUNT = round((1 << 29) / COUNTS_PER_G)
MOTION = (
    "carriage x axis=x start=100",
    "carriage y axis=y start=100",
    f"carriage z axis=z start={HEIGHT_MM} x=0 y=0",
    "stepper x mcu=main step_pin=1 dir_pin=2 step_dist=0.0125 moves=x:1",
    "stepper y mcu=main step_pin=3 dir_pin=4 step_dist=0.0125 moves=y:1",
    f"stepper z mcu=main step_pin=5 dir_pin=6 step_dist={STEP_MM} moves=z:1",
    f"nozzle stiffness_g_per_mm={STIFFNESS_G_PER_MM}",
)
HX717 = f"kind=hx71x mcu=main ready_pin={DOUT} clock_pin={SCLK} rate_hz=320"
ADS1220 = f"kind=ads1220 mcu=main select_pin={SELECT_PIN} ready_pin={READY_PIN}"
ADS131M02 = f"kind=ads131m02 mcu=main select_pin={SELECT_PIN} ready_pin={READY_PIN}"
CONFIG = [
    ("config_trsync", TRSYNC),
    ("config_stepper", STEPPER, 5, 6, 0, 0),
    ("config_sos_filter", FILTER, 2),
    ("config_trigger_analog", TRIGGER, FILTER),
]
CONFIG_HX717 = [*CONFIG, ("config_hx71x", SENSOR, 1, DOUT, SCLK)]
CONFIG_ADS1220 = [
    ("config_spi", SPI, SELECT_PIN, 0),
    ("spi_set_bus", SPI, 0, 1, 512000),
    *CONFIG,
    ("config_ads1220", SENSOR, SPI, READY_PIN),
]
CONFIG_ADS131M02 = [*CONFIG_ADS1220[:-1], ("config_ads131m0x", SENSOR, SPI, 1, 2, READY_PIN)]
FRAME_WORDS = 4

Open = Callable[..., wire.Host]


@pytest.fixture
def open_host(tmp_path: Path) -> Iterator[Open]:
    """open_host(cell, config) describes a load cell and configures its MCU."""
    opened: List[wire.Simulation] = []

    def open_one(
        cell: str = HX717, config: Sequence[Tuple[object, ...]] = CONFIG_HX717, noise_g: float = 0
    ) -> wire.Host:
        keys = f"counts_per_g={COUNTS_PER_G} zero_counts={ZERO_COUNTS} noise_g={noise_g}"
        lines = [*MOTION, f"load_cell {cell} {keys} rate_factor=1"]
        simulation = wire.Simulation(wire.describe(tmp_path, lines), tmp_path)
        opened.append(simulation)
        host = simulation.hosts["main"]
        host.configure(config)
        return host

    yield open_one
    for simulation in opened:
        simulation.close()


def rest_ticks(rate_hz: float) -> int:
    return round(wire.FREQUENCY_HZ / (10.0 * rate_hz))


def start_ads1220(host: wire.Host) -> None:
    host.send("spi_send", SPI, b"\x06")
    # Turbo mode with 660 samples per second, again and again
    host.send("spi_send", SPI, bytes([0x43, 0x0E, 4 << 5 | 2 << 3 | 1 << 2, 0, 0]))
    host.send("spi_send", SPI, b"\x08")
    host.send("query_ads1220", SENSOR, rest_ticks(660.0))


def frame(*words: int) -> bytes:
    """Return words of 16 bits as an ADS131M02 takes them."""
    padded = (*words, *(0,) * (FRAME_WORDS - len(words)))
    return b"".join(word.to_bytes(2, "big") + b"\x00" for word in padded)


def ads131m02_register(host: wire.Host, address: int) -> int:
    host.send("spi_send", SPI, frame(0xA000 | address << 7))
    answer = host.ask("spi_transfer_response", "spi_transfer", SPI, frame())["response"]
    return int.from_bytes(answer[:2], "big")


def start_ads131m02(host: wire.Host) -> None:
    host.send("spi_send", SPI, frame(0x6100, 0x0100))
    # The second channel alone, with 500 samples per second
    host.send("spi_send", SPI, frame(0x6180, 0x0200 | 6 << 2 | 2))
    host.send("spi_send", SPI, frame())
    host.send("query_ads131m0x", SENSOR, rest_ticks(500.0))


def start(open_host: Open, kind: str) -> wire.Host:
    """Open a host whose converter measures."""
    if kind == "hx71x":
        host = open_host()
        host.send("query_hx71x", SENSOR, rest_ticks(320.0))
    elif kind == "ads1220":
        host = open_host(ADS1220, CONFIG_ADS1220)
        start_ads1220(host)
    else:
        host = open_host(ADS131M02, CONFIG_ADS131M02)
        start_ads131m02(host)
    return host


def move_z(host: wire.Host, distance_mm: float, speed_mm_s: float = 10.0) -> None:
    """Move the nozzle, which takes less than 0.1 s to begin."""
    steps = round(distance_mm / STEP_MM)
    host.send("reset_step_clock", STEPPER, host.clock() + wire.FREQUENCY_HZ // 20)
    host.send("set_next_step_dir", STEPPER, int(steps > 0))
    interval = round(STEP_MM / speed_mm_s * wire.FREQUENCY_HZ)
    host.send("queue_step", STEPPER, interval, abs(steps), 0)


def counts(host: wire.Host) -> List[int]:
    data = b"".join(message.values["data"] for message in host.all("sensor_bulk_data"))
    return [value for (value,) in struct.iter_unpack("<i", data)]


# What the cell feels


@pytest.mark.parametrize("kind", ["hx71x", "ads1220", "ads131m0x"])
def test_cell_feels_the_nozzle_in_the_bed_alone(open_host: Open, kind: str) -> None:
    host = start(open_host, kind)
    host.simulation.run(0.5)
    assert set(counts(host)) == {ZERO_COUNTS}
    move_z(host, -HEIGHT_MM - 0.05)
    host.simulation.run(0.5)
    force_g = 0.05 * STIFFNESS_G_PER_MM
    assert counts(host)[-1] == pytest.approx(ZERO_COUNTS + force_g * COUNTS_PER_G, abs=2)


@pytest.mark.parametrize("kind", ["hx71x", "ads1220", "ads131m0x"])
def test_cell_that_fails_is_silent_or_stuck_or_near_until_it_works_again(
    open_host: Open, kind: str
) -> None:
    host = start(open_host, kind)
    host.simulation.run(0.1)
    host.simulation.ask("sensor main state=stuck")
    move_z(host, -HEIGHT_MM - 0.05)
    host.simulation.run(0.5)
    assert set(counts(host)) == {ZERO_COUNTS}
    host.simulation.ask("sensor main state=silent")
    host.simulation.run(0.1)
    before = len(counts(host))
    host.simulation.run(0.5)
    assert len(counts(host)) == before
    host.simulation.ask("sensor main state=near")
    host.simulation.run(1.2)
    assert counts(host)[-1] == ZERO_COUNTS + 200.0 * COUNTS_PER_G
    host.simulation.ask("sensor main state=works")
    host.simulation.run(0.1)
    force_g = 0.05 * STIFFNESS_G_PER_MM
    assert counts(host)[-1] == pytest.approx(ZERO_COUNTS + force_g * COUNTS_PER_G, abs=2)


@pytest.mark.parametrize(
    ("kind", "rate_hz"), [("hx71x", 320.0), ("ads1220", 660.0), ("ads131m0x", 500.0)]
)
def test_converter_keeps_its_rate_and_rests_when_it_is_over(
    open_host: Open, kind: str, rate_hz: float
) -> None:
    host = start(open_host, kind)
    host.simulation.run(2.0)
    assert len(counts(host)) == pytest.approx(2.0 * rate_hz, abs=0.05 * rate_hz)
    status = host.ask("sensor_bulk_status", f"query_{kind}_status", SENSOR)
    assert status["possible_overflows"] == 0
    host.send(f"query_{kind}", SENSOR, 0)
    host.simulation.run(0.02)
    before = len(host.received)
    host.simulation.run(0.5)
    assert len(host.received) == before


def test_ads131m02_keeps_registers_until_it_is_reset(open_host: Open) -> None:
    host = open_host(ADS131M02, CONFIG_ADS131M02)
    assert ads131m02_register(host, 0) == 0x2200
    assert ads131m02_register(host, 2) == 0x0510
    # It shows that it was reset until the host takes note
    assert ads131m02_register(host, 1) == 0x0500
    start_ads131m02(host)
    assert ads131m02_register(host, 1) == 0x0100
    assert ads131m02_register(host, 3) == 0x021A
    host.send("spi_send", SPI, frame(0x0011))
    answer = host.ask("spi_transfer_response", "spi_transfer", SPI, frame())["response"]
    assert answer[:2] == b"\xff\x22"
    assert ads131m02_register(host, 3) == 0x030E


def test_reset_of_ads131m02_is_reported_until_it_is_started_again(open_host: Open) -> None:
    host = start(open_host, "ads131m0x")
    host.simulation.run(0.2)
    host.send("spi_send", SPI, frame(0x0011))
    host.send("spi_send", SPI, frame())
    host.simulation.run(0.2)
    assert counts(host)[-1] == 2 << 24
    before = len(counts(host))
    start_ads131m02(host)
    host.simulation.run(0.2)
    assert set(counts(host)[before + 20 :]) == {ZERO_COUNTS}


@pytest.mark.parametrize("channels", [(2, 2), (0, 5), (0, 0)])
def test_channel_that_is_not_there_shuts_down(open_host: Open, channels: Tuple[int, int]) -> None:
    config = [*CONFIG_ADS131M02[:-1], ("config_ads131m0x", SENSOR, SPI, *channels, READY_PIN)]
    with pytest.raises(AssertionError, match="Invalid ads131m0x channels configuration"):
        open_host(ADS131M02, config)


def test_cell_saturates_at_24_bits(open_host: Open) -> None:
    host = open_host()
    host.send("query_hx71x", SENSOR, rest_ticks(320.0))
    move_z(host, -HEIGHT_MM - 20.0, 100.0)
    host.simulation.run(0.5)
    assert counts(host)[-1] == 0x7FFFFF


def test_ads1220_keeps_registers_until_it_is_reset(open_host: Open) -> None:
    host = open_host(ADS1220, CONFIG_ADS1220)

    def registers() -> bytes:
        sent = b"\x23\x00\x00\x00\x00"
        answer: bytes = host.ask("spi_transfer_response", "spi_transfer", SPI, sent)["response"]
        return answer[1:]

    assert registers() == b"\x00\x00\x00\x00"
    host.send("spi_send", SPI, b"\x43\x0e\x94\x00\x00")
    host.send("spi_send", SPI, b"\x48\x40")
    assert registers() == b"\x0e\x94\x40\x00"
    host.send("spi_send", SPI, b"\x06")
    assert registers() == b"\x00\x00\x00\x00"


def test_converter_that_is_not_there_reports_nothing(open_host: Open) -> None:
    host = open_host(config=[*CONFIG, ("config_hx71x", SENSOR, 1, DOUT + 10, SCLK)])
    host.send("query_hx71x", SENSOR, rest_ticks(320.0))
    host.simulation.run(0.2)
    # A pin that nobody drives stays high
    assert counts(host) == []


def test_gain_out_of_range_shuts_down(open_host: Open) -> None:
    with pytest.raises(AssertionError, match="HX71x gain/channel out of range 1-4"):
        open_host(config=[("config_hx71x", SENSOR, 5, DOUT, SCLK)])


# Triggers


def arm(host: wire.Host, reason: int = REASON, in_s: float = 0.05) -> None:
    clock = host.clock() + round(in_s * wire.FREQUENCY_HZ)
    host.send("trsync_start", TRSYNC, clock, 0, 2)
    host.send("stepper_stop_on_trigger", STEPPER, TRSYNC)
    ticks = wire.FREQUENCY_HZ // 320
    host.send("trigger_analog_home", TRIGGER, TRSYNC, reason, ERROR_REASON, clock, ticks, 5)


def begin(host: wire.Host) -> None:
    host.send("hx71x_attach_trigger_analog", SENSOR, TRIGGER)
    host.send("sos_filter_set_offset_scale", FILTER, 4000, GRAMS_PER_COUNT, FRACTION_BITS, 0)
    host.send("sos_filter_set_active", FILTER, 0, 29)
    host.send("trigger_analog_set_raw_range", TRIGGER, -(1 << 22), 1 << 22)
    host.send("trigger_analog_set_trigger", TRIGGER, 0, 75 << 15)
    host.send("query_hx71x", SENSOR, rest_ticks(320.0))
    host.simulation.run(0.1)


def reason(host: wire.Host) -> int:
    states = host.all("trsync_state")
    return int(states[-1].values["trigger_reason"]) if states else 0


def probe_down(host: wire.Host, speed_mm_s: float = 2.0) -> float:
    """Return how far below the bed's surface (mm) the nozzle stops."""
    move_z(host, -2.0, speed_mm_s)
    host.simulation.run(1.2)
    return -host.simulation.positions()["z"]


def test_trigger_stops_the_stepper_at_its_force(open_host: Open) -> None:
    host = open_host()
    begin(host)
    arm(host)
    depth_mm = probe_down(host)
    assert 0.075 <= depth_mm <= 0.075 + 2.0 * 1.2 / 320.0 + STEP_MM
    assert reason(host) == REASON
    state = host.ask("trigger_analog_state", "trigger_analog_query_state", TRIGGER)
    assert state["homing"] == 0


def test_load_cell_probe_of_kalico_triggers_at_its_force(open_host: Open) -> None:
    host = open_host(
        config=[
            *CONFIG[:3],
            ("config_load_cell_probe", TRIGGER, FILTER),
            ("config_hx71x", SENSOR, 1, DOUT, SCLK),
        ]
    )
    host.send("hx71x_attach_load_cell_probe", SENSOR, TRIGGER)
    host.send("sos_filter_set_active", FILTER, 0, 29)
    safe = (-(1 << 22), 1 << 22)
    host.send("load_cell_probe_set_range", TRIGGER, *safe, -4000, 75, GRAMS_PER_COUNT)
    host.send("query_hx71x", SENSOR, rest_ticks(320.0))
    host.simulation.run(0.1)
    clock = host.clock() + wire.FREQUENCY_HZ // 20
    host.send("trsync_start", TRSYNC, clock, 0, 2)
    host.send("stepper_stop_on_trigger", STEPPER, TRSYNC)
    ticks = wire.FREQUENCY_HZ // 320
    host.send("load_cell_probe_home", TRIGGER, TRSYNC, REASON, ERROR_REASON, clock, ticks, 3)
    assert 0.075 <= probe_down(host) <= 0.085
    state = host.ask("load_cell_probe_state", "load_cell_probe_query_state", TRIGGER)
    assert state["is_homing_trigger"] == 1
    assert reason(host) == REASON


def test_range_that_is_reversed_shuts_down(open_host: Open) -> None:
    host = open_host()
    host.send("load_cell_probe_set_range", TRIGGER, 5, -5, 0, 75, GRAMS_PER_COUNT)
    host.simulation.run(0.02)
    assert host.shutdown_reason() == "Safety range reversed"


def test_value_out_of_range_ends_homing_with_an_error(open_host: Open) -> None:
    host = open_host()
    begin(host)
    host.send("trigger_analog_set_raw_range", TRIGGER, -5000, 10000)
    arm(host)
    probe_down(host)
    assert reason(host) == ERROR_REASON


def test_value_too_large_for_the_filter_ends_homing_with_an_error(open_host: Open) -> None:
    host = open_host()
    begin(host)
    host.send("sos_filter_set_offset_scale", FILTER, 4000, 1 << 30, 1, 0)
    arm(host)
    probe_down(host)
    assert reason(host) == ERROR_REASON + 1


def test_sensor_that_is_silent_ends_homing_with_an_error(open_host: Open) -> None:
    host = open_host()
    begin(host)
    host.send("query_hx71x", SENSOR, 0)
    arm(host)
    probe_down(host)
    assert reason(host) == ERROR_REASON + 2


def test_trigger_waits_for_the_start_of_homing(open_host: Open) -> None:
    host = open_host()
    begin(host)
    move_z(host, -HEIGHT_MM - 0.1)
    host.simulation.run(0.1)
    arm(host, in_s=0.5)
    host.simulation.run(0.4)
    assert reason(host) == 0
    host.simulation.run(0.4)
    assert reason(host) == REASON


@pytest.mark.parametrize(("kind", "depth_mm"), [(1, 0.02), (2, 0.0)])
def test_other_kinds_of_triggers(open_host: Open, kind: int, depth_mm: float) -> None:
    host = open_host()
    begin(host)
    host.send("trigger_analog_set_trigger", TRIGGER, kind, 20 << 15)
    if kind == 2:
        # It is the way back from the peak that counts
        move_z(host, -HEIGHT_MM - 0.05)
        host.simulation.run(0.2)
        arm(host)
        move_z(host, 0.5, 2.0)
        host.simulation.run(1.0)
        assert -host.simulation.positions()["z"] == pytest.approx(0.025, abs=0.008)
    else:
        arm(host)
        assert probe_down(host) == pytest.approx(depth_mm, abs=0.012)
    assert reason(host) == REASON


def test_filter_takes_the_drift_away(open_host: Open) -> None:
    host = open_host()
    begin(host)
    one = 1 << 29
    # y = x - x of the sample before
    host.send("sos_filter_set_section", FILTER, 0, one, -one, 0, 0, 0)
    host.send("sos_filter_set_state", FILTER, 0, 0, 0)
    host.send("sos_filter_set_active", FILTER, 1, 29)
    host.send("trigger_analog_set_trigger", TRIGGER, 0, 7 << 15)
    arm(host)
    # 1 mm/s makes some 3 g per sample, 4 mm/s makes 12 g
    move_z(host, -HEIGHT_MM - 0.2, 1.0)
    host.simulation.run(0.6)
    assert reason(host) == 0
    move_z(host, -0.5, 4.0)
    host.simulation.run(0.6)
    assert reason(host) == REASON


def test_first_value_can_be_the_zero(open_host: Open) -> None:
    host = open_host()
    begin(host)
    move_z(host, -HEIGHT_MM - 0.2)
    host.simulation.run(0.2)
    host.send("sos_filter_set_offset_scale", FILTER, 0, GRAMS_PER_COUNT, FRACTION_BITS, 1)
    arm(host)
    host.simulation.run(0.3)
    assert reason(host) == 0


@pytest.mark.parametrize(
    "command",
    [
        ("sos_filter_set_section", FILTER, 2, 0, 0, 0, 0, 0),
        ("sos_filter_set_state", FILTER, 2, 0, 0),
        ("sos_filter_set_active", FILTER, 3, 29),
    ],
)
def test_section_that_is_not_there_shuts_down(open_host: Open, command: Tuple[str, ...]) -> None:
    host = open_host()
    host.send(*command)
    host.simulation.run(0.02)
    assert host.shutdown_reason() == "Filter section index larger than max_sections"
