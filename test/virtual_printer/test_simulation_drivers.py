# Stepper drivers on the UARTs and SPI buses of the virtual firmware, and their registers
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Iterator, List, Optional, Tuple

import pytest

from helpers import wire

UART, SELECT, SPI = 1, 2, 3
UART_PIN, SELECT_PIN, CS_PIN = 10, 11, 20
BIT_TICKS = 2500
CONFIG = [
    ("config_tmcuart", UART, UART_PIN, 0, UART_PIN, BIT_TICKS),
    ("config_digital_out", SELECT, SELECT_PIN, 0, 0, 0),
    ("config_spi", SPI, CS_PIN, 0),
]
GCONF, GSTAT, IFCNT, IOIN, IOIN_UART = 0x00, 0x01, 0x02, 0x04, 0x06
IHOLD_IRUN, CHOPCONF, DRV_STATUS = 0x10, 0x6C, 0x6F


def checksum(data: bytes) -> int:
    """Return the CRC of a datagram, bit by bit as the chip's manual has it."""
    value = 0
    for byte in data:
        for bit in range(8):
            value = value << 1 ^ (0x07 if value >> 7 ^ byte >> bit & 1 else 0)
            value &= 0xFF
    return value


def bits(data: bytes) -> bytes:
    """Return bytes with their start and stop bits, as eight bits each."""
    number = 0
    for i, byte in enumerate(data):
        number |= (byte << 1 | 0x200) << 10 * i
    return number.to_bytes(len(data) * 10 // 8, "little")


def request(address: int, register: int, value: Optional[int] = None) -> bytes:
    """Return a datagram that reads or writes a register."""
    data = bytes([0xF5, address, register])
    if value is not None:
        data = bytes([0xF5, address, register | 0x80]) + value.to_bytes(4, "big")
    return data + bytes([checksum(data)])


def answer(register: int, value: int) -> bytes:
    """Return what a chip answers when it is read, as bits."""
    data = bytes([0x05, 0xFF, register]) + value.to_bytes(4, "big")
    return bits(data + bytes([checksum(data)]))


class Drivers:
    """Speaks to the drivers of a simulation."""

    def __init__(self, host: wire.Host) -> None:
        self.host = host

    def exchange(self, data: bytes, size: int) -> bytes:
        """Send bits on the UART and return those that come back."""
        values = self.host.ask("tmcuart_response", "tmcuart_send", UART, data, size)
        return bytes(values["read"])

    def read(self, register: int, address: int = 0) -> int:
        """Return a register's value, read over the UART."""
        found = self.exchange(bits(request(address, register)), 10)
        assert len(found) == 10, found
        value = sum((int.from_bytes(found, "little") >> at & 0xFF) << shift for at, shift in
                    ((31, 24), (41, 16), (51, 8), (61, 0)))  # fmt: skip
        assert found == answer(register, value)
        return value

    def write(self, register: int, value: int, address: int = 0) -> None:
        """Write a register over the UART."""
        assert self.exchange(bits(request(address, register, value)), 0) == b""

    def transfer(self, data: bytes) -> bytes:
        """Return what comes back over SPI."""
        values = self.host.ask("spi_transfer_response", "spi_transfer", SPI, data)
        return bytes(values["response"])

    def read_spi(self, register: int) -> int:
        """Return a register's value, read over SPI."""
        self.transfer(bytes([register, 0, 0, 0, 0]))
        return int.from_bytes(self.transfer(bytes(5))[1:], "big")

    def write_spi(self, register: int, value: int) -> None:
        """Write a register over SPI."""
        self.transfer(bytes([register | 0x80]) + value.to_bytes(4, "big"))


STEPPER = (
    "carriage x axis=x start=10",
    "stepper x mcu=main step_pin=1 dir_pin=2 step_dist=0.0125 microsteps=16 moves=x:1",
)


def start(tmp_path: Path, *lines: str) -> Iterator[Drivers]:
    description = wire.describe(tmp_path, [*STEPPER, *lines])
    with wire.Simulation(description, tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure(CONFIG)
        yield Drivers(host)


@pytest.fixture
def uart(tmp_path: Path) -> Iterator[Drivers]:
    yield from start(
        tmp_path,
        f"driver x model=tmc2209 mcu=main uart_pin={UART_PIN} address=0",
        f"driver y model=tmc2208 mcu=main uart_pin={UART_PIN} address=1",
    )


@pytest.fixture
def muxed(tmp_path: Path) -> Iterator[Drivers]:
    keys = f"model=tmc2208 mcu=main uart_pin={UART_PIN}"
    yield from start(
        tmp_path,
        f"driver x {keys} select={SELECT_PIN}:0",
        f"driver y {keys} select={SELECT_PIN}:1",
    )


@pytest.fixture(params=["tmc2130", "tmc2240", "tmc5160"])
def spi(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Drivers]:
    yield from start(tmp_path, f"driver x model={request.param} mcu=main cs_pin={CS_PIN}")


# UART


def test_register_is_read_from_the_chip_with_the_address(uart: Drivers) -> None:
    assert uart.read(IOIN_UART, 0) >> 24 == 0x21
    assert uart.read(IOIN_UART, 1) >> 24 == 0x20


def test_nobody_answers_for_an_address_that_no_chip_has(uart: Drivers) -> None:
    assert uart.exchange(bits(request(2, IFCNT)), 10) == b""


def test_nobody_answers_a_request_with_a_wrong_checksum(uart: Drivers) -> None:
    spoilt = bytearray(request(0, IFCNT))
    spoilt[-1] ^= 1
    assert uart.exchange(bits(bytes(spoilt)), 10) == b""


def test_nobody_answers_a_request_without_its_stop_bits(uart: Drivers) -> None:
    assert uart.exchange(bytes(5), 10) == b""


def test_write_is_kept_and_counted(uart: Drivers) -> None:
    before = uart.read(IFCNT)
    uart.write(CHOPCONF, 0x14010053)
    assert uart.read(CHOPCONF) == 0x14010053
    assert uart.read(IFCNT) == before + 1
    assert uart.read(IFCNT, 1) == 0


def test_interface_counter_starts_over_after_255(uart: Drivers) -> None:
    for _ in range(256):
        uart.write(GCONF, 0)
    assert uart.read(IFCNT) == 0


def test_reset_flag_goes_when_it_is_written(uart: Drivers) -> None:
    assert [uart.read(GSTAT), uart.read(GSTAT)] == [1, 1]
    uart.write(GSTAT, 1)
    assert uart.read(GSTAT) == 0


def test_multiplexer_chooses_who_answers(muxed: Drivers) -> None:
    muxed.write(CHOPCONF, 0x14010053)
    muxed.host.send("update_digital_out", SELECT, 1)
    assert muxed.read(CHOPCONF) == 0x10000053
    muxed.host.send("update_digital_out", SELECT, 0)
    assert muxed.read(CHOPCONF) == 0x14010053


def test_two_chips_of_one_address_spoil_each_others_answers(tmp_path: Path) -> None:
    keys = f"mcu=main uart_pin={UART_PIN}"
    lines = f"driver x model=tmc2209 {keys}", f"driver y model=tmc2208 {keys}"
    for both in start(tmp_path, *lines):
        found = both.exchange(bits(request(0, IOIN_UART)), 10)
        assert len(found) == 10
        assert found not in (answer(IOIN_UART, 0x21000040), answer(IOIN_UART, 0x20000140))


def test_chip_without_power_is_silent_and_starts_over(uart: Drivers) -> None:
    uart.write(GSTAT, 1)
    uart.write(CHOPCONF, 0x14010053)
    uart.host.simulation.ask("driver x power=0")
    assert uart.exchange(bits(request(0, IFCNT)), 10) == b""
    uart.host.simulation.ask("driver x power=1")
    assert [uart.read(CHOPCONF), uart.read(GSTAT), uart.read(IFCNT)] == [0x10000053, 1, 0]


def test_answer_takes_the_time_of_its_bits(uart: Drivers) -> None:
    simulation = uart.host.simulation
    uart.host.send("tmcuart_send", UART, bits(request(0, IFCNT)), 10)
    sent_ns = simulation.now_ns
    simulation.run(0.02)
    (response,) = uart.host.all("tmcuart_response")
    # 40 bits there and 80 back at 40,000 bits per second
    assert 0.003 < (response.time_ns - sent_ns) / wire.SECOND_NS < 0.005


def test_request_that_is_too_long_shuts_down(uart: Drivers) -> None:
    uart.host.send("tmcuart_send", UART, bytes(11), 10)
    uart.host.simulation.run(0.02)
    assert uart.host.shutdown_reason() == "tmcuart data too large"


def test_request_is_dropped_while_another_is_under_way(uart: Drivers) -> None:
    for _ in range(2):
        uart.host.send("tmcuart_send", UART, bits(request(0, IFCNT)), 10)
    uart.host.simulation.run(0.05)
    assert len(uart.host.all("tmcuart_response")) == 1


# SPI


def test_version_is_that_of_the_chip(spi: Drivers) -> None:
    model = spi.host.simulation.ask("driver x")
    assert model[0] == "power=1"
    assert spi.read_spi(IOIN) >> 24 in (0x11, 0x30, 0x40)


def test_answer_comes_with_the_next_datagram(spi: Drivers) -> None:
    spi.write_spi(CHOPCONF, 0x12345678)
    assert spi.transfer(bytes([CHOPCONF, 0, 0, 0, 0]))[1:] == bytes.fromhex("12345678")
    spi.transfer(bytes([GCONF, 0, 0, 0, 0]))
    assert spi.read_spi(CHOPCONF) == 0x12345678


def test_state_says_that_the_chip_has_been_reset_and_stands_still(spi: Drivers) -> None:
    assert spi.transfer(bytes(5))[0] == 0b1001


def test_current_scale_is_that_of_rest(spi: Drivers) -> None:
    spi.write_spi(IHOLD_IRUN, 0x00061F0A)
    status = spi.read_spi(DRV_STATUS)
    assert (status >> 31, status >> 16 & 0x1F) == (1, 0x0A)


def test_chip_without_power_answers_zeros_over_spi(spi: Drivers) -> None:
    spi.host.simulation.ask("driver x power=0")
    assert spi.transfer(bytes([IOIN, 0, 0, 0, 0])) + spi.transfer(bytes(5)) == bytes(10)


def test_reset_flag_of_a_tmc2130_goes_when_it_is_read(tmp_path: Path) -> None:
    for spi in start(tmp_path, f"driver x model=tmc2130 mcu=main cs_pin={CS_PIN}"):
        assert [spi.read_spi(GSTAT), spi.read_spi(GSTAT)] == [1, 0]


def test_chips_of_a_chain_take_the_datagrams_of_their_places(tmp_path: Path) -> None:
    chain = f"model=tmc5160 mcu=main cs_pin={CS_PIN} chain_length=3"
    lines = [f"driver x {chain} chain_position=1", f"driver y {chain} chain_position=3"]
    for spi in start(tmp_path, *lines):
        # What is sent first goes to the far end
        far, near = bytes.fromhex("ec11111111"), bytes.fromhex("ec22222222")
        spi.transfer(far + bytes(5) + near)
        read = bytes([CHOPCONF, 0, 0, 0, 0])
        spi.transfer(read + bytes(5) + read)
        found = spi.transfer(bytes(15))
        assert found[1:5] == bytes.fromhex("11111111")
        assert found[5:10] == bytes(5)
        assert found[11:] == bytes.fromhex("22222222")


def test_tmc2660_answers_what_its_last_setting_chooses(tmp_path: Path) -> None:
    for spi in start(tmp_path, f"driver x model=tmc2660 mcu=main cs_pin={CS_PIN}"):
        spi.transfer((0xC0000 | 0x13).to_bytes(3, "big"))  # current scale
        spi.transfer((0xE0000 | 2 << 4).to_bytes(3, "big"))
        found = int.from_bytes(spi.transfer((0xE0000).to_bytes(3, "big")), "big") >> 4
        assert (found >> 10 & 0x1F, found >> 7 & 1) == (0x13, 1)
        # Place in the sine wave
        assert int.from_bytes(spi.transfer(bytes(3)), "big") >> 14 == 0


# The motor


def step(drivers: Drivers, direction: int, count: int, interval_ticks: int = 100_000) -> None:
    """Make a motor take steps."""
    host = drivers.host
    host.send("set_next_step_dir", 5, direction)
    host.send("reset_step_clock", 5, host.clock() + 5_000_000)
    host.send("queue_step", 5, interval_ticks, count, 0)


def with_stepper(tmp_path: Path, *lines: str) -> Iterator[Drivers]:
    description = wire.describe(tmp_path, [*STEPPER, *lines])
    with wire.Simulation(description, tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure([*CONFIG, ("config_stepper", 5, 1, 2, 0, 0), ("config_endstop", 6, 30, 1)])
        yield Drivers(host)


def driver_state(drivers: Drivers) -> List[Tuple[str, int]]:
    words = (word.split("=") for word in drivers.host.simulation.ask("driver x"))
    return [(name, int(value)) for name, value in words]


@pytest.mark.parametrize(("direction", "phase"), [(1, 1024 - 5 * 16), (0, 5 * 16)])
def test_place_in_the_sine_wave_follows_the_pulses(
    tmp_path: Path, direction: int, phase: int
) -> None:
    line = f"driver x model=tmc2209 mcu=main uart_pin={UART_PIN}"
    for uart in with_stepper(tmp_path, line):
        uart.write(CHOPCONF, 0x14010053)
        step(uart, direction, 5)
        uart.host.simulation.run(0.2)
        assert uart.read(0x6A) == phase


def test_step_time_is_in_clocks_of_the_chip(tmp_path: Path) -> None:
    line = f"driver x model=tmc2209 mcu=main uart_pin={UART_PIN}"
    for uart in with_stepper(tmp_path, line):
        assert uart.read(0x12) == 0xFFFFF
        step(uart, 1, 1000)
        uart.host.simulation.run(0.2)
        # 1000 pulses per second, each of 16 finest steps; 12 MHz
        assert uart.read(0x12) == 750
        assert uart.read(DRV_STATUS) >> 31 == 0


# The end of the way


TCOOLTHRS, SGTHRS, SG_RESULT = 0x14, 0x40, 0x41
COOLCONF, MINUS_TEN = 0x6D, 0x76
STOP = "stop carriage=x at=9 side=min"
# 1 mm, to the stop
TO_STOP = 80
FULL_STEP_MM = 0.2


def where(drivers: Drivers) -> float:
    return float(drivers.host.simulation.ask("carriages")[0].split(":")[1])


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Drivers]:
    line = f"driver x model=tmc2209 mcu=main uart_pin={UART_PIN} diag0_mcu=main diag0_pin=30"
    yield from with_stepper(tmp_path, STOP, line)


def test_carriage_stays_at_its_stop_whatever_the_motor_does(stopped: Drivers) -> None:
    step(stopped, 0, TO_STOP + 8)
    stopped.host.simulation.run(0.3)
    assert where(stopped) == pytest.approx(9.0)
    assert stopped.host.simulation.pulses()["x"] == -TO_STOP - 8
    assert stopped.host.simulation.positions()["x"] == pytest.approx(9.0)


def test_motor_that_was_held_back_a_little_loses_nothing(stopped: Drivers) -> None:
    step(stopped, 0, TO_STOP + 30)
    stopped.host.simulation.run(0.3)
    step(stopped, 1, 110)
    stopped.host.simulation.run(0.3)
    assert where(stopped) == pytest.approx(10.0)


@pytest.mark.parametrize(("beyond", "slips"), [(33, 1), (64, 1), (97, 2), (1000, 16)])
def test_motor_falls_behind_by_four_full_steps_at_a_time(
    stopped: Drivers, beyond: int, slips: int
) -> None:
    step(stopped, 0, TO_STOP + beyond)
    # Nobody looks before it is back
    stopped.host.send("set_next_step_dir", 5, 1)
    stopped.host.send("queue_step", 5, 100_000, TO_STOP + beyond, 0)
    stopped.host.simulation.run(3.0)
    assert where(stopped) == pytest.approx(10.0 + slips * 4 * FULL_STEP_MM)
    assert stopped.host.simulation.pulses()["x"] == 0


def run_to(drivers: Drivers, pulses: int) -> None:
    """Let time pass until a motor that goes down has come that far."""
    while drivers.host.simulation.pulses()["x"] > pulses:
        drivers.host.simulation.run(0.0002)


def diag(drivers: Drivers) -> int:
    return int(drivers.host.ask("endstop_state", "endstop_query_state", 6)["pin_value"])


def detects(drivers: Drivers, interval_ticks: int, threshold: int, slowest: int = 0xFFFFF) -> bool:
    """Whether a motor shows that it is held, once it is; not before."""
    drivers.write(TCOOLTHRS, slowest)
    drivers.write(SGTHRS, threshold)
    drivers.write(GCONF, 0x100)
    assert diag(drivers) == 0
    step(drivers, 0, TO_STOP + 400, interval_ticks)
    simulation = drivers.host.simulation
    simulation.run(0.05 + interval_ticks * (TO_STOP - 20) / wire.FREQUENCY_HZ)
    assert diag(drivers) == 0
    found = []
    while drivers.host.position(5) > -TO_STOP - 60:
        found.append(diag(drivers))
    return any(found)


@pytest.mark.parametrize(("threshold", "is_found"), [(80, True), (2, False)])
def test_diagnostic_pin_rises_when_the_carriage_is_held(
    stopped: Drivers, threshold: int, is_found: bool
) -> None:
    assert detects(stopped, 100_000, threshold) is is_found


def test_diagnostic_pin_rises_before_any_stop_if_it_is_too_sensitive(stopped: Drivers) -> None:
    stopped.write(TCOOLTHRS, 0xFFFFF)
    stopped.write(SGTHRS, 255)
    assert diag(stopped) == 0
    step(stopped, 1, 400)
    stopped.host.simulation.run(0.2)
    assert diag(stopped) == 1


@pytest.mark.parametrize(("slowest", "is_found"), [(750, True), (749, False)])
def test_nothing_is_found_below_the_speed_of_the_threshold(
    stopped: Drivers, slowest: int, is_found: bool
) -> None:
    assert detects(stopped, 100_000, 80, slowest) is is_found


def test_nothing_is_found_at_a_crawl(stopped: Drivers) -> None:
    assert not detects(stopped, 2_000_000, 40)


def test_nothing_is_found_in_spreadcycle(stopped: Drivers) -> None:
    assert detects(stopped, 100_000, 80)
    stopped.write(GCONF, 0x104)
    assert diag(stopped) == 0


def test_measured_load_falls_while_the_motor_is_held(stopped: Drivers) -> None:
    step(stopped, 0, TO_STOP + 60, 200_000)
    run_to(stopped, -TO_STOP // 2)
    free = stopped.read(SG_RESULT)
    run_to(stopped, -TO_STOP - 10)
    assert where(stopped) == pytest.approx(9.0)
    assert free > 2 * stopped.read(SG_RESULT)


@pytest.mark.parametrize("settings", [0x80, 0x1080])
def test_output_of_a_tmc5160_is_open_until_it_pulls_down_or_drives(
    tmp_path: Path, settings: int
) -> None:
    line = f"driver x model=tmc5160 mcu=main cs_pin={CS_PIN} diag0_mcu=main diag0_pin=30"
    for spi in with_stepper(tmp_path, STOP, line):
        spi.write_spi(GCONF, settings)
        spi.write_spi(TCOOLTHRS, 0xFFFFF)
        spi.write_spi(COOLCONF, MINUS_TEN << 16)
        is_driven = settings >> 12
        assert diag(spi) == (0 if is_driven else 1)
        step(spi, 0, TO_STOP + 100, 200_000)
        run_to(spi, -TO_STOP - 10)
        assert diag(spi) == (1 if is_driven else 0)
    for spi in with_stepper(tmp_path, STOP, line):
        spi.write_spi(TCOOLTHRS, 0xFFFFF)
        spi.write_spi(COOLCONF, MINUS_TEN << 16)
        step(spi, 0, TO_STOP + 100, 200_000)
        run_to(spi, -TO_STOP - 14)
        assert spi.transfer(bytes([DRV_STATUS, 0, 0, 0, 0]))[0] & 4
        assert int.from_bytes(spi.transfer(bytes(5))[1:], "big") & 0x010003FF == 0x01000000
        assert diag(spi) == 1
