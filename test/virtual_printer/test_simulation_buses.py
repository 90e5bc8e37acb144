# SPI and I2C buses of the virtual firmware, and bytes as arguments
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Iterator

import pytest

from helpers import wire

SPI, SHUTDOWN, I2C = 3, 4, 5
SELECT_PIN = 20
CONFIG = [
    ("config_spi", SPI, SELECT_PIN, 0),
    ("spi_set_bus", SPI, 0, 3, 100000),
    ("config_spi_shutdown", SHUTDOWN, SPI, b"\x01\x02"),
    ("config_i2c", I2C),
    ("i2c_set_bus", I2C, 0, 400000, 0x48),
]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[wire.Host]:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure(CONFIG)
        yield host


def test_chip_that_is_not_there_answers_zeros_over_spi(host: wire.Host) -> None:
    answer = host.ask("spi_transfer_response", "spi_transfer", SPI, b"\x81\xff\x00")
    assert answer == {"oid": SPI, "response": b"\x00\x00\x00"}
    host.send("spi_send", SPI, b"")
    assert host.clock() > 0


def test_chip_that_is_not_there_answers_zeros_over_i2c(host: wire.Host) -> None:
    answer = host.ask("i2c_read_response", "i2c_read", I2C, b"\x07", 2)
    assert answer == {"oid": I2C, "response": b"\x00\x00"}
    answer = host.ask("i2c_response", "i2c_transfer", I2C, b"\x07\x08", 0)
    assert answer == {"oid": I2C, "i2c_bus_status": 0, "response": b""}
    host.send("i2c_modify_bits", I2C, b"\x01", b"\x0f\xf0")
    assert host.clock() > 0


def test_bytes_that_are_cut_off_shut_down(host: wire.Host) -> None:
    host.send_payload(host.encode("spi_send", SPI, b"\x01\x02\x03")[:-1])
    host.simulation.run(0.02)
    assert host.shutdown_reason() == "Command parser error"


def test_select_pin_is_idle_once_it_is_configured(host: wire.Host) -> None:
    assert host.simulation.ask(f"level main {SELECT_PIN}") == ["1"]


def test_object_of_another_type_shuts_down(host: wire.Host) -> None:
    host.send("spi_transfer", I2C, b"\x00")
    host.simulation.run(0.02)
    assert host.shutdown_reason() == "Invalid oid type"


def test_chips_that_are_not_there_are_named_once(host: wire.Host) -> None:
    assert host.simulation.ask("unanswered") == []
    for _ in range(2):
        host.send("spi_send", SPI, b"\x01")
        host.send("i2c_write", I2C, b"\x01")
    host.simulation.run(0.02)
    places = [f"main:spi:{SELECT_PIN}", f"main:i2c:0:{0x48}"]
    assert host.simulation.ask("unanswered") == places


def test_chip_that_no_pin_selects_is_named_by_its_bus(tmp_path: Path) -> None:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure([("config_spi_without_cs", SPI), ("spi_set_bus", SPI, 2, 3, 100000)])
        host.send("spi_send", SPI, b"\x01")
        simulation.run(0.02)
        assert simulation.ask("unanswered") == ["main:spi_bus:2"]
