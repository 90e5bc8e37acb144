# Angle sensors of the simulation, read as a host reads them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Callable, Iterator, List, Tuple

import pytest

from helpers import wire

SPI, SENSOR, STEPPER = range(3)
SELECT_PIN = 20
STEP_MM, TURN_MM = 0.0125, 40.0
OFFSET = 0.25
TYPES = {"a1333": 0, "as5047d": 1, "tle5012b": 2, "mt6816": 3, "mt6826s": 4}
TIME_ERROR, ERROR_REPEATED = 0xFF, 4
REST_TICKS = wire.FREQUENCY_HZ // 2500
MOTION = (
    "carriage x axis=x start=0",
    f"stepper x mcu=main step_pin=1 dir_pin=2 step_dist={STEP_MM} moves=x:1",
)

Open = Callable[..., wire.Host]


@pytest.fixture
def open_host(tmp_path: Path) -> Iterator[Open]:
    """open_host(kind) describes a sensor at the shaft of a motor and configures its MCU."""
    opened: List[wire.Simulation] = []

    def open_one(kind: str, is_there: bool = True, keys: str = "") -> wire.Host:
        lines = list(MOTION)
        if is_there:
            lines.append(
                f"angle_sensor kind={kind} mcu=main select_pin={SELECT_PIN} offset={OFFSET}"
                f" stepper=x turn_mm={TURN_MM} {keys}"
            )
        simulation = wire.Simulation(wire.describe(tmp_path, lines), tmp_path)
        opened.append(simulation)
        host = simulation.hosts["main"]
        host.configure(
            [
                ("config_spi", SPI, SELECT_PIN, 0),
                ("spi_set_bus", SPI, 0, 3, 1000000),
                ("config_stepper", STEPPER, 1, 2, 0, 0),
                ("config_spi_angle", SENSOR, SPI, TYPES[kind]),
            ]
        )
        host.send("query_spi_angle", SENSOR, host.clock() + 10 * REST_TICKS * 25, REST_TICKS, 8)
        return host

    yield open_one
    for simulation in opened:
        simulation.close()


def samples(host: wire.Host) -> List[Tuple[int, int]]:
    data = b"".join(message.values["data"] for message in host.all("sensor_bulk_data"))
    return [(data[i], data[i + 1] | data[i + 2] << 8) for i in range(0, len(data), 3)]


def crc8_j1850(data: bytes) -> int:
    """Return the checksum of SAE J1850: x^8 + x^4 + x^3 + x^2 + 1, from ones on, inverted."""
    value = 0xFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1) ^ (0x11D if value & 0x80 else 0)
    return ~value & 0xFF


@pytest.mark.parametrize("kind", list(TYPES))
def test_sensor_follows_the_shaft_of_its_motor(open_host: Open, kind: str) -> None:
    host = open_host(kind)
    host.simulation.run(0.3)
    # The first answer of some chips is to what nobody has asked
    found = samples(host)[1:]
    assert TIME_ERROR not in {time for time, _ in found}
    if kind != "tle5012b":
        assert {time for time, _ in found} == {0}
    assert {angle for _, angle in found} == {OFFSET * 65536}
    host.send("reset_step_clock", STEPPER, host.clock() + wire.FREQUENCY_HZ // 20)
    host.send("set_next_step_dir", STEPPER, 1)
    # A turn and a half
    host.send("queue_step", STEPPER, wire.FREQUENCY_HZ // 10000, 4800, 0)
    host.simulation.run(1.0)
    assert samples(host)[-1][1] == pytest.approx((OFFSET + 0.5) * 65536, abs=4)


def test_sensor_is_read_at_its_period_until_it_ends(open_host: Open) -> None:
    host = open_host("a1333")
    host.simulation.run(1.1)
    assert len(samples(host)) == pytest.approx(2550, abs=40)
    host.send("query_spi_angle", SENSOR, 0, 0, 0)
    host.simulation.run(0.02)
    before = len(host.received)
    host.simulation.run(0.5)
    assert len(host.received) == before


def test_chip_that_is_not_there_reports_errors(open_host: Open) -> None:
    host = open_host("tle5012b", is_there=False)
    host.simulation.run(0.3)
    assert {time for time, _ in samples(host)} == {TIME_ERROR}


@pytest.mark.parametrize("clock_factor", [1.0, 0.98])
def test_chip_with_a_clock_of_its_own_counts_its_frames(
    open_host: Open, clock_factor: float
) -> None:
    host = open_host("tle5012b", keys=f"clock_factor={clock_factor}")
    host.simulation.run(1.1)
    times = [time for time, _ in samples(host)]
    steps = [(after - before) % 64 for before, after in zip(times, times[1:])]
    # 32 counts of 750 kHz are a frame
    frames = 750_000 / 32 * clock_factor * REST_TICKS / wire.FREQUENCY_HZ
    assert set(steps) == {int(frames), int(frames) + 1}
    assert sum(steps) / len(steps) == pytest.approx(frames, rel=1e-3)


def test_angle_that_was_read_before_is_an_error(open_host: Open) -> None:
    host = open_host("tle5012b")
    # So often that some frames are read twice
    host.send("query_spi_angle", SENSOR, host.clock() + REST_TICKS * 250, REST_TICKS // 16, 8)
    host.simulation.run(0.3)
    errors = {value for time, value in samples(host) if time == TIME_ERROR}
    assert errors == {ERROR_REPEATED}


def test_registers_of_a_chip_are_written_and_read_with_a_checksum(open_host: Open) -> None:
    host = open_host("tle5012b")

    def transfer(data: bytes) -> bytes:
        answer = host.ask("spi_transfer_response", "spi_transfer", SPI, data)["response"]
        assert isinstance(answer, bytes)
        assert answer[-1] == crc8_j1850(data[:2] + answer[2:-2])
        return answer[2:-2]

    assert transfer(b"\xd0\x61\x00\x00\x00\x00") == b"\x80\x01"
    transfer(b"\x50\x61\x40\x02\x00\x00")
    assert transfer(b"\xd0\x61\x00\x00\x00\x00") == b"\x40\x02"


def test_transfer_has_the_time_of_its_answer(open_host: Open) -> None:
    host = open_host("mt6816")
    answer = host.ask("spi_angle_transfer_response", "spi_angle_transfer", SENSOR, b"\x83\x00\x00")
    assert answer["response"][1] == round(OFFSET * 256)
    assert answer["clock"] == pytest.approx(host.clock(), abs=wire.FREQUENCY_HZ // 10)


def test_unknown_chip_shuts_down(tmp_path: Path) -> None:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        host = simulation.hosts["main"]
        with pytest.raises(AssertionError, match="Invalid spi_angle chip type"):
            host.configure([("config_spi", SPI, 9, 0), ("config_spi_angle", SENSOR, SPI, 5)])
