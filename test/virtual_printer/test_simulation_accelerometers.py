# Acceleration sensors of the simulation, read as a host reads them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, List, Sequence, Tuple

import pytest

from helpers import wire

BUS, SENSOR, STEPPER = 3, 4, 5
SELECT_PIN = 20
I2C_ADDRESS = 0x68
# 4 samples of a chip at 1.6 kHz
REST_TICKS = wire.FREQUENCY_HZ // 400
SPI = [("config_spi", BUS, SELECT_PIN, 0), ("spi_set_bus", BUS, 0, 3, 5000000)]
I2C = [("config_i2c", BUS), ("i2c_set_bus", BUS, 0, 400000, I2C_ADDRESS)]
ON_SPI = f"select_pin={SELECT_PIN}"
ON_I2C = f"i2c_bus=0 i2c_address={I2C_ADDRESS}"
UPRIGHT = "chip_x=x chip_y=y chip_z=z"
MOTION = (
    "carriage x axis=x start=100",
    "carriage y axis=y start=100",
    "carriage z axis=z start=10 x=0 y=0",
    "stepper x mcu=main step_pin=1 dir_pin=2 step_dist=0.0125 moves=x:1",
    "stepper y mcu=main step_pin=3 dir_pin=4 step_dist=0.0125 moves=y:1",
    "stepper z mcu=main step_pin=5 dir_pin=6 step_dist=0.0025 moves=z:1",
)

Registers = Sequence[Tuple[int, int]]


@dataclass(frozen=True)
class Chip:
    """How a host starts a chip, and how it reads one sample in units of g."""

    kind: str
    device_id: int
    id_register: int
    place: str
    config: Sequence[Tuple[object, ...]]
    registers: Registers
    units_per_g: float
    rate_hz: float
    layout: str = "<hhh"
    command: str = ""

    @property
    def name(self) -> str:
        return self.command or self.kind

    @property
    def is_on_spi(self) -> bool:
        return self.place == ON_SPI


def over_spi_or_i2c(name: str, model: Tuple[int, ...], on_spi: bool) -> List[Tuple[object, ...]]:
    return [*(SPI if on_spi else I2C), (name, SENSOR, BUS, int(not on_spi), *model)]


LIS2DW_REGISTERS = ((0x25, 0x34), (0x20, 0x94), (0x2E, 0xC0))
LIS3DH_REGISTERS = ((0x20, 0x97), (0x23, 0x28), (0x24, 0x40), (0x2E, 0x80))
MPU_REGISTERS = ((0x6B, 0), (0x6C, 7), (0x1C, 0x10), (0x1D, 8), (0x6A, 0x40), (0x23, 8))
ICM_REGISTERS = ((6, 1), (7, 7), (0x7F, 0x20), (0x14, 6), (0x7F, 0), (3, 0x40), (0x67, 0x10))
BMI_REGISTERS = ((0x7E, 0x11), (0x40, 0x2C), (0x41, 0x0C), (0x47, 0x40))

CHIPS = [
    Chip(
        *("lis2dw", 0x44, 0x0F, ON_SPI, over_spi_or_i2c("config_lis2dw", (0,), True)),
        *(LIS2DW_REGISTERS, 2048.0, 1600.0),
    ),
    Chip(
        *("lis2dw", 0x44, 0x0F, ON_I2C, over_spi_or_i2c("config_lis2dw", (0,), False)),
        *(LIS2DW_REGISTERS, 2048.0, 1600.0),
    ),
    Chip(
        *("lis3dh", 0x33, 0x0F, ON_SPI, over_spi_or_i2c("config_lis2dw", (1,), True)),
        *(LIS3DH_REGISTERS, 4000.0, 1344.0, "<hhh", "lis2dw"),
    ),
    Chip(
        *("lis3dh", 0x33, 0x0F, ON_I2C, over_spi_or_i2c("config_lis2dw", (1,), False)),
        *(LIS3DH_REGISTERS, 4000.0, 1344.0, "<hhh", "lis2dw"),
    ),
    Chip(
        *("mpu9250", 0x71, 0x75, ON_I2C, [*I2C, ("config_mpu9250", SENSOR, BUS)]),
        *(MPU_REGISTERS, 4096.0, 4000.0, ">hhh"),
    ),
    Chip(
        *("icm20948", 0xEA, 0x00, ON_I2C, [*I2C, ("config_icm20948", SENSOR, BUS)]),
        *(ICM_REGISTERS, 2048.0, 4500.0, ">hhh"),
    ),
    Chip(
        *("bmi160", 0xD1, 0x00, ON_SPI, over_spi_or_i2c("config_bmi160", (), True)),
        *(BMI_REGISTERS, 2048.0, 1600.0),
    ),
]
ADXL345 = Chip(
    *("adxl345", 0xE5, 0x00, ON_SPI, [*SPI, ("config_adxl345", SENSOR, BUS)]),
    *(((0x31, 0x0B), (0x2C, 0x0F), (0x38, 0x90), (0x2D, 0x08)), 256.0, 3200.0),
)

Open = Callable[..., wire.Host]


@pytest.fixture
def open_host(tmp_path: Path) -> Iterator[Open]:
    """open_host(chip, keys, lines) describes a chip and configures its MCU."""
    opened: List[wire.Simulation] = []

    def open_one(chip: Chip, keys: str = UPRIGHT, lines: Sequence[str] = ()) -> wire.Host:
        sensor = f"accelerometer kind={chip.kind} mcu=main {chip.place} rate_factor=1 {keys}"
        described = wire.describe(tmp_path, [*MOTION, sensor, *lines])
        simulation = wire.Simulation(described, tmp_path)
        opened.append(simulation)
        host = simulation.hosts["main"]
        host.configure([*chip.config, ("config_stepper", STEPPER, 1, 2, 0, 0)])
        return host

    yield open_one
    for simulation in opened:
        simulation.close()


def read_register(host: wire.Host, chip: Chip, register: int) -> int:
    if chip.is_on_spi:
        sent = bytes([register | 0x80, 0])
        return host.ask("spi_transfer_response", "spi_transfer", BUS, sent)["response"][1]
    return host.ask("i2c_read_response", "i2c_read", BUS, bytes([register]), 1)["response"][0]


def start(host: wire.Host, chip: Chip) -> None:
    for register, value in chip.registers:
        name = "spi_send" if chip.is_on_spi else "i2c_write"
        host.send(name, BUS, bytes([register, value]))
    host.send(f"query_{chip.name}", SENSOR, REST_TICKS)


def samples(host: wire.Host, chip: Chip) -> List[Tuple[float, ...]]:
    """Return all samples that have arrived (g)."""
    data = b"".join(message.values["data"] for message in host.all("sensor_bulk_data"))
    if chip is ADXL345:
        return [adxl345_sample(data[i : i + 5]) for i in range(0, len(data), 5)]
    raw = struct.iter_unpack(chip.layout, data)
    return [tuple(value / chip.units_per_g for value in sample) for sample in raw]


def adxl345_sample(data: bytes) -> Tuple[float, ...]:
    x_low, y_low, z_low, x_high, y_high = data
    values = (
        x_low | (x_high & 0x1F) << 8,
        y_low | (y_high & 0x1F) << 8,
        z_low | (x_high & 0xE0) << 3 | (y_high & 0x60) << 6,
    )
    return tuple(
        ((value ^ 0x1000) - 0x1000) / scale for value, scale in zip(values, (265.0, 265.0, 256.0))
    )


def mean(found: Sequence[Tuple[float, ...]]) -> List[float]:
    return [sum(values) / len(found) for values in zip(*found)]


@pytest.mark.parametrize("chip", [*CHIPS, ADXL345], ids=lambda chip: f"{chip.kind} {chip.place}")
def test_chip_at_rest_feels_gravity_and_keeps_its_rate(open_host: Open, chip: Chip) -> None:
    host = open_host(chip)
    assert read_register(host, chip, chip.id_register) == chip.device_id
    start(host, chip)
    before = host.ask("sensor_bulk_status", f"query_{chip.name}_status", SENSOR)
    assert before["possible_overflows"] == 0
    host.simulation.run(1.0)
    found = samples(host, chip)
    assert len(found) == pytest.approx(chip.rate_hz, rel=0.04)
    assert mean(found[20:]) == pytest.approx([0.0, 0.0, 1.0], abs=0.002)
    after = host.ask("sensor_bulk_status", f"query_{chip.name}_status", SENSOR)
    assert after["possible_overflows"] == 0
    host.send(f"query_{chip.name}", SENSOR, 0)
    host.simulation.run(0.02)
    before_count = len(host.received)
    host.simulation.run(0.5)
    assert host.received[before_count:] == []


def test_chip_counts_what_it_has_measured_by_a_clock(open_host: Open) -> None:
    host = open_host(ADXL345)
    start(host, ADXL345)
    first, second = (
        host.ask("sensor_bulk_status", "query_adxl345_status", SENSOR, wait_s=0.5) for _ in range(2)
    )
    counts = [one["next_sequence"] * 10 + one["buffered"] // 5 for one in (first, second)]
    elapsed_s = (second["clock"] - first["clock"]) / wire.FREQUENCY_HZ
    assert counts[1] - counts[0] == pytest.approx(3200.0 * elapsed_s, abs=2)


def test_mounting_turns_what_a_chip_feels(open_host: Open) -> None:
    host = open_host(ADXL345, "chip_x=-z chip_y=none chip_z=x")
    start(host, ADXL345)
    host.simulation.run(0.5)
    assert mean(samples(host, ADXL345)[20:]) == pytest.approx([-1.0, 0.0, 0.0], abs=0.002)


def test_fifo_that_nobody_reads_overflows(open_host: Open) -> None:
    chip = CHIPS[0]
    host = open_host(chip)
    start(host, chip)
    host.send(f"query_{chip.name}", SENSOR, 0)
    host.simulation.run(0.1)
    status = host.ask("sensor_bulk_status", f"query_{chip.name}_status", SENSOR)
    assert status["possible_overflows"] == 1


def test_chip_that_is_left_alone_measures_again_when_asked(open_host: Open) -> None:
    chip = CHIPS[0]
    host = open_host(chip)
    start(host, chip)
    host.send(f"query_{chip.name}", SENSOR, 0)
    host.simulation.run(10.0)
    host.send(f"query_{chip.name}", SENSOR, REST_TICKS)
    host.simulation.run(0.5)
    assert len(samples(host, chip)) > 700


def test_adxl345_that_nobody_has_set_up_reports_faulty_samples(open_host: Open) -> None:
    host = open_host(ADXL345)
    host.send("query_adxl345", SENSOR, REST_TICKS)
    host.simulation.run(0.1)
    data = host.all("sensor_bulk_data")[0].values["data"]
    # The FIFO is not in the mode that the firmware expects
    assert data == b"\xff" * 50


def swing(host: wire.Host, chip: Chip) -> List[float]:
    """Return what a chip feels along X (g) after a jerk of 0.1 mm."""
    start(host, chip)
    host.simulation.run(0.1)
    clock = host.clock() + wire.FREQUENCY_HZ // 10
    host.send("reset_step_clock", STEPPER, clock)
    host.send("set_next_step_dir", STEPPER, 0)
    host.send("queue_step", STEPPER, 1000, 8, 0)
    host.simulation.run(0.1)
    before = len(samples(host, chip))
    host.simulation.run(0.5)
    return [sample[0] for sample in samples(host, chip)[before:]]


@pytest.mark.parametrize(("frequency_hz", "damping"), [(25.0, 0.02), (48.0, 0.05), (120.0, 0.02)])
def test_toolhead_swings_at_its_resonance_and_calms_down(
    open_host: Open, frequency_hz: float, damping: float
) -> None:
    chip = CHIPS[4]
    host = open_host(
        chip,
        UPRIGHT + " noise_mg=0",
        [f"resonance axis=x frequency_hz={frequency_hz} damping={damping}"],
    )
    felt = swing(host, chip)
    crossings = [i for i in range(1, len(felt)) if felt[i - 1] < 0.0 <= felt[i]][2:8]
    period_s = (crossings[-1] - crossings[0]) / (len(crossings) - 1) / chip.rate_hz
    damped_hz = frequency_hz * (1.0 - damping**2) ** 0.5
    assert 1.0 / period_s == pytest.approx(damped_hz, rel=0.01)
    peaks = [max(felt[a:b]) for a, b in zip(crossings, crossings[1:])]
    decay = 2.0 * 3.14159265 * damping / (1.0 - damping**2) ** 0.5
    assert peaks[1] / peaks[0] == pytest.approx(2.718281828**-decay, rel=0.02)


def test_other_axes_feel_nothing_of_a_move(open_host: Open) -> None:
    chip = CHIPS[4]
    host = open_host(chip, "chip_x=y chip_y=x chip_z=z noise_mg=0")
    felt = swing(host, chip)
    assert set(felt) == {0.0}


def test_chip_without_a_select_pin_is_alone_on_its_bus(open_host: Open) -> None:
    config = [("config_spi_without_cs", BUS), ("spi_set_bus", BUS, 2, 3, 5000000)]
    chip = Chip(
        *("adxl345", 0xE5, 0x00, "spi_bus=2", [*config, ("config_adxl345", SENSOR, BUS)]),
        *(ADXL345.registers, 256.0, 3200.0),
    )
    host = open_host(chip)
    answer = host.ask("spi_transfer_response", "spi_transfer", BUS, b"\x80\x00")
    assert answer["response"][1] == 0xE5
