# Length of CAN frames on the wire, against published figures and a reference that counts bits
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import can_wire, wire
from helpers.can_wire import EXTENDED, REMOTE, Bus

FD_SIZES = [*range(9), 12, 16, 20, 24, 32, 48, 64]
DATA_RATE = 5_000_000
EXAMPLES = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Few kinds of bytes make long runs of equal bits, and with them many stuff bits, more likely
DATA_BYTES = st.sampled_from([0x00, 0xFF, 0xF0, 0x0F, 0x1F, 0x83, 0xC1]) | st.integers(0, 255)


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    with wire.Simulation(can_wire.describe(tmp_path), tmp_path) as simulation:
        yield Bus(simulation)


@pytest.fixture
def fd_bus(tmp_path: Path) -> Iterator[Bus]:
    rates = f"bit_rate={can_wire.RATE} data_rate={DATA_RATE}"
    with wire.Simulation(can_wire.describe(tmp_path, bus=rates), tmp_path) as simulation:
        socket = Bus(simulation)
        socket.set(can_wire.FD, 1)
        yield socket


def sent_bits(bus: Bus, identifier: int, data: bytes = b"", **more: int) -> int:
    """Return how many bits the bus counts for one frame."""
    before = int(bus.counters()["bits"])
    assert bus.write(identifier, data, **more) == 0
    bus.simulation.run(0.01)
    return int(bus.counters()["bits"]) - before


def test_the_references_checksum_is_the_published_one() -> None:
    # The check value that catalogues of checksums give for CRC-15/CAN and "123456789"
    assert can_wire.crc_15("".join(f"{byte:08b}" for byte in b"123456789")) == 0x059E


def test_frame_of_zeros_has_the_length_counted_by_hand(bus: Bus) -> None:
    # 19 bits of head and 15 of checksum, all zero: a stuff bit behind each five; 10 bits of end
    # and three between frames
    assert sent_bits(bus, 0) == 34 + 6 + 10 + 3


def test_frames_that_need_no_stuffing_have_the_published_shortest_lengths(bus: Bus) -> None:
    assert sent_bits(bus, 0x555, b"\x55" * 7 + b"\x09") == 111
    assert sent_bits(bus, EXTENDED | 0x0AAA5A5A, b"\x55" * 7 + b"\x08") == 131
    # Without data the head's seven zeros in a row cost one bit more than the published 47
    assert sent_bits(bus, 0x555) == 48


def test_remote_frame_carries_no_data(bus: Bus) -> None:
    for size in range(9):
        assert sent_bits(bus, REMOTE | 0x2A5, size=size) == can_wire.classic_bits(
            0x2A5, b"", remote_size=size
        )


@EXAMPLES
@given(identifier=st.integers(0, 0x7FF), data=st.lists(DATA_BYTES, max_size=8))
def test_standard_frame_is_as_long_as_the_reference_says(
    bus: Bus, identifier: int, data: list
) -> None:
    bits = sent_bits(bus, identifier, bytes(data))
    assert bits == can_wire.classic_bits(identifier, bytes(data))
    unstuffed = 47 + 8 * len(data)
    # The published bounds: 111 to 135 bits for eight bytes
    assert unstuffed <= bits <= unstuffed + (34 + 8 * len(data) - 1) // 4


@EXAMPLES
@given(identifier=st.integers(0, 0x1FFFFFFF), data=st.lists(DATA_BYTES, max_size=8))
def test_extended_frame_is_as_long_as_the_reference_says(
    bus: Bus, identifier: int, data: list
) -> None:
    bits = sent_bits(bus, EXTENDED | identifier, bytes(data))
    assert bits == can_wire.classic_bits(EXTENDED | identifier, bytes(data))
    unstuffed = 67 + 8 * len(data)
    assert unstuffed <= bits <= unstuffed + (54 + 8 * len(data) - 1) // 4


@EXAMPLES
@given(
    identifier=st.integers(0, 0x7FF),
    data=st.sampled_from(FD_SIZES).flatmap(
        lambda size: st.lists(DATA_BYTES, min_size=size, max_size=size)
    ),
)
def test_fd_frame_is_as_long_as_the_reference_says(
    fd_bus: Bus, identifier: int, data: list
) -> None:
    before_ns = int(fd_bus.counters()["busy_ns"])
    slow, fast = can_wire.fd_bits(identifier, bytes(data))
    assert sent_bits(fd_bus, identifier, bytes(data), is_fd=True) == slow + fast
    busy_ns = int(fd_bus.counters()["busy_ns"]) - before_ns
    assert busy_ns == slow * 1000 + fast * 200


def test_long_fd_frame_without_stuffing_has_the_published_length(fd_bus: Bus) -> None:
    # Base format, 64 bytes: 17 bits up to the switch, 5 + 512 + 4 + 21 + 7 + 1 fast ones, 9 of
    # end, 3 between frames
    assert sent_bits(fd_bus, 0x555, b"\x55" * 64, is_fd=True) == 17 + 550 + 12


def test_fd_data_is_padded_to_the_next_size_that_there_is(fd_bus: Bus) -> None:
    other = Bus(fd_bus.simulation)
    other.set(can_wire.FD, 1)
    for size, padded in ((8, 8), (9, 12), (13, 16), (17, 20), (25, 32), (33, 48), (49, 64)):
        data = bytes(range(1, size + 1))
        assert fd_bus.write(0x123, data, is_fd=True) == 0
        fd_bus.simulation.run(0.01)
        (frame,) = other.read()
        assert frame.data == data + bytes(padded - size)


def test_classic_frame_of_an_fd_bus_goes_out_in_fd_format(fd_bus: Bus) -> None:
    slow, fast = can_wire.fd_bits(0x2A5, b"12345678")
    assert sent_bits(fd_bus, 0x2A5, b"12345678") == slow + fast
