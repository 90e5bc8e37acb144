# What Klipper's traffic takes of a CAN bus, classic and FD
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""How the figures come about.

Classic CAN (ISO 11898-1, CAN 2.0A, 11-bit identifier), a frame of n = 0..8 data bytes:
SOF 1, identifier 11, RTR 1, IDE 1, r0 1, DLC 4, data 8n, CRC 15, its delimiter 1, ACK 2, EOF 7
and 3 bits between frames: 47 + 8n bits. After five equal bits a stuff bit is sent, within the
34 + 8n bits from SOF to CRC: at worst floor((34 + 8n - 1) / 4), on random data about one in 30.

CAN FD (the same norm, with bit rate switch), n up to 64 bytes, rounded up to 8, 12, 16, 20, 24,
32, 48 or 64: at the nominal rate SOF 1, identifier 11, RRS, IDE, FDF, res, BRS and after the data
CRC delimiter 1, ACK 2, EOF 7 and 3 between frames, 30 bits; at the data rate ESI 1, DLC 4, data
8n, stuff count 4, CRC 17 (21 above 16 bytes) and 6 (7) fixed stuff bits. Ordinary stuffing ends
with the data.

Klipper (docs/CANBUS_protocol.md, docs/Protocol.md) sends a byte stream in classic frames of up
to 8 bytes. The stream is made of blocks of 5 to 64 bytes, 5 of them frame. bytes_write and
bytes_read count its bytes, send_seq the host's blocks. The MCU acknowledges each of those with a
block of 5 bytes. How long its other blocks are is not logged: reckoned are RESPONSE_BYTES, which
the replies sent most often have (clock 11, stepper_position 12, analog_in_state 12, trsync_state
14). Klipper does not speak CAN FD today; there a block would fit into a frame.
"""

from functools import lru_cache
from typing import List, NamedTuple, Sequence, Tuple

CLASSIC_RATES = (250000, 500000, 1000000)
# What common transceivers and cables of a printer's size manage
FD_NOMINAL_RATE = 1000000
FD_DATA_RATE = 5000000

FRAME_BYTES = 8
FRAME_BITS = 47
STUFFED_BITS = 34
ACK_BYTES = 5
RESPONSE_BYTES = 12
# A block of 9 bytes needs two frames: no length needs more frames per byte, but for the ACK's
MOST_FRAMES_PER_BYTE = 2.0 / 9.0

_FD_SIZES = (*range(9), 12, 16, 20, 24, 32, 48, 64)
_FD_NOMINAL_BITS = 30
_FD_BITS_BEFORE_DATA = 22
_FD_NOMINAL_BEFORE_DATA = 17


class Traffic(NamedTuple):
    """Bytes and the host's blocks within some seconds, both ways."""

    seconds: float
    written_bytes: float
    read_bytes: float
    blocks: float


class Load(NamedTuple):
    """Share (0..1, above 1 it does not fit) of a bus that some traffic takes."""

    expected: float
    worst: float


@lru_cache(maxsize=1024)
def expected_stuff_bits(length: int) -> float:
    """Stuff bits to expect in so many random bits that begin with a SOF after an idle bus."""
    # chance of each number (1..5) of equal bits at the end; a stuff bit starts a new run
    runs = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    stuffed = 0.0
    for _ in range(length - 1):
        runs = [0.0, 0.5 * sum(runs)] + [0.5 * chance for chance in runs[1:5]]
        stuffed += runs[5]
        runs[1] += runs[5]
        runs[5] = 0.0
    return stuffed


def worst_stuff_bits(length: int) -> int:
    """The most stuff bits that so many bits can need."""
    return (length - 1) // 4


def classic_frame_bits(data_bytes: int) -> Tuple[float, int]:
    """Bits of a frame with so many data bytes: (expected, worst)."""
    bits = FRAME_BITS + 8 * data_bytes
    stuffed = STUFFED_BITS + 8 * data_bytes
    return bits + expected_stuff_bits(stuffed), bits + worst_stuff_bits(stuffed)


def _line(index: int) -> Tuple[float, float]:
    """A frame's bits as (of the frame itself, per data byte); nearly exact in between."""
    full = classic_frame_bits(FRAME_BYTES)[index]
    empty = classic_frame_bits(0)[index]
    return empty, (full - empty) / FRAME_BYTES


_EXPECTED_LINE = _line(0)
_WORST_LINE = _line(1)
# A block ends with a frame that is full to any degree: half of one more, less what ceil() rounds
_EXPECTED_SPLIT = 7.0 / 16.0
_WORST_SPLIT = 7.0 / 8.0


def classic_weights() -> Tuple[Tuple[float, float, float], Tuple[float, float, float]]:
    """Bits per written byte, read byte and block: (expected, worst)."""
    weights: List[Tuple[float, float, float]] = []
    for (frame, byte), split, per_response_byte in (
        (_EXPECTED_LINE, _EXPECTED_SPLIT, 1 / FRAME_BYTES + _EXPECTED_SPLIT / RESPONSE_BYTES),
        (_WORST_LINE, _WORST_SPLIT, MOST_FRAMES_PER_BYTE),
    ):
        per_block = split + 1.0 - ACK_BYTES * per_response_byte
        weights.append(
            (frame / FRAME_BYTES + byte, frame * per_response_byte + byte, frame * per_block)
        )
    return weights[0], weights[1]


def _bits(traffic: Traffic, weights: Tuple[float, float, float]) -> float:
    return (
        traffic.written_bytes * weights[0]
        + traffic.read_bytes * weights[1]
        + traffic.blocks * weights[2]
    )


def classic_load(traffic: Sequence[Traffic], rate: int) -> Load:
    """The share of a bus of that bit rate which the traffic of some MCUs takes."""
    expected, worst = classic_weights()
    return Load(
        sum(_bits(t, expected) / (t.seconds * rate) for t in traffic),
        sum(_bits(t, worst) / (t.seconds * rate) for t in traffic),
    )


def fd_frame_seconds(data_bytes: int) -> Load:
    """How long a CAN FD frame of so many data bytes (up to 64) takes: (expected, worst)."""
    size = next(size for size in _FD_SIZES if size >= data_bytes)
    fixed_bits = (17 + 6 if size <= 16 else 21 + 7) + 4
    data_bits = 5 + 8 * size + fixed_bits
    times = []
    for stuff in (expected_stuff_bits, worst_stuff_bits):
        before = stuff(_FD_NOMINAL_BEFORE_DATA)
        after = stuff(_FD_BITS_BEFORE_DATA + 8 * size) - before
        times.append(
            (_FD_NOMINAL_BITS + before) / FD_NOMINAL_RATE + (data_bits + after) / FD_DATA_RATE
        )
    return Load(times[0], times[1])


def fd_load(traffic: Sequence[Traffic]) -> Load:
    """The share of a CAN FD bus which the same traffic would take, a block a frame."""
    expected = worst = 0.0
    for t in traffic:
        mean_bytes = t.written_bytes / t.blocks if t.blocks else 0.0
        responses = max(0.0, t.read_bytes - ACK_BYTES * t.blocks) / RESPONSE_BYTES
        for frames, size in (
            (t.blocks, min(64, round(mean_bytes))),
            (t.blocks, ACK_BYTES),
            (responses, RESPONSE_BYTES),
        ):
            frame = fd_frame_seconds(size)
            expected += frames * frame.expected / t.seconds
            worst += frames * frame.worst / t.seconds
    return Load(expected, worst)
