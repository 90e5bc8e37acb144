# The report's CAN arithmetic and its statistics in constant memory
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.owner.report import canbus
from scripts.owner.report.series import MOST_BARS, MOST_POINTS, Histogram, Moments, Series


def stuffed(bits):
    """How many stuff bits a sender puts into these bits."""
    count, run, last = 0, 0, None
    for bit in bits:
        run = run + 1 if bit == last else 1
        last = bit
        if run == 5:
            count += 1
            last, run = 1 - bit, 1
    return count


@pytest.mark.parametrize(
    "data_bytes, shortest, longest", [(0, 47, 55), (5, 87, 105), (8, 111, 135)]
)
def test_classic_frame_has_the_length_that_the_norm_gives(data_bytes, shortest, longest):
    expected, worst = canbus.classic_frame_bits(data_bytes)
    assert worst == longest
    assert shortest < expected < worst


def test_worst_stuffing_is_reached_and_never_exceeded():
    # 11111 0000 1111 ...: each stuff bit begins the next run of five
    bits = [1] * 5
    while len(bits) < 98:
        bits += [1 - bits[-1]] * 4
    assert stuffed(bits[:98]) == canbus.worst_stuff_bits(98) == 24
    rng = random.Random(1)
    for _ in range(200):
        length = rng.randrange(5, 120)
        few = [rng.random() < 0.1 for _ in range(length)]
        assert stuffed([int(bit) for bit in few]) <= canbus.worst_stuff_bits(length)


def test_expected_stuffing_is_the_mean_over_random_frames():
    rng = random.Random(1)
    counts = [stuffed([0] + [rng.getrandbits(1) for _ in range(97)]) for _ in range(4000)]
    error = 4 * statistics.stdev(counts) / len(counts) ** 0.5
    assert canbus.expected_stuff_bits(98) == pytest.approx(statistics.mean(counts), abs=error)


def frames_of(lengths, packet=8):
    """Frames of blocks that are each sent on their own."""
    return [min(packet, length - i) for length in lengths for i in range(0, length, packet)]


@given(
    st.lists(st.integers(5, 64), min_size=1, max_size=30),
    st.lists(st.integers(6, 64), max_size=30),
)
def test_no_traffic_takes_more_of_the_bus_than_the_worst(host_blocks, responses):
    read = [canbus.ACK_BYTES] * len(host_blocks) + responses
    bits = sum(canbus.classic_frame_bits(n)[1] for n in frames_of(host_blocks + read))
    traffic = canbus.Traffic(1.0, sum(host_blocks), sum(read), len(host_blocks))
    load = canbus.classic_load([traffic], 1000000)
    assert bits / 1e6 <= load.worst * (1 + 1e-9)
    assert load.expected < load.worst


def test_expected_load_is_that_of_blocks_of_mixed_lengths():
    rng = random.Random(1)
    host_blocks = [rng.randrange(6, 30) for _ in range(5000)]
    responses = [rng.randrange(8, 17) for _ in range(5000)]
    read = [canbus.ACK_BYTES] * len(host_blocks) + responses
    bits = sum(canbus.classic_frame_bits(n)[0] for n in frames_of(host_blocks + read))
    traffic = canbus.Traffic(10.0, sum(host_blocks), sum(read), len(host_blocks))
    expected = canbus.classic_load([traffic], 1000000).expected
    assert expected == pytest.approx(bits / 1e7, rel=0.05)


def test_load_is_inverse_to_the_bit_rate_and_adds_up():
    a, b = canbus.Traffic(1.0, 931, 1014, 60), canbus.Traffic(2.0, 544, 940, 44)
    both = canbus.classic_load([a, b], 250000)
    single = [canbus.classic_load([t], 1000000) for t in (a, b)]
    assert both.expected == pytest.approx(4 * sum(load.expected for load in single))
    assert both.worst == pytest.approx(4 * sum(load.worst for load in single))


def test_seeds_stepper_boards_load_of_a_bus():
    # Z within a second: 931 bytes out in 60 blocks, 1014 in. 102 + 105 full frames, 60 acks ...
    traffic = canbus.Traffic(1.0, 931, 1014, 60)
    at_1m = canbus.classic_load([traffic], 1000000)
    full, ack = canbus.classic_frame_bits(8), canbus.classic_frame_bits(5)
    least = (931 + 714) / 8 * full[0] + 60 * ack[0]
    assert least < at_1m.expected * 1e6 < 1.3 * least
    assert (at_1m.expected, at_1m.worst) == pytest.approx((0.0313, 0.0408), abs=0.0001)


def test_fd_frame_of_8_bytes_has_the_length_that_the_norm_gives():
    # 30 bits at 1 Mbit/s; 5 + 64 + 4 + 17 + 6 at 5 Mbit/s; stuffing at worst (17 - 1) / 4 and
    # (22 + 64 - 1) / 4 in all
    frame = canbus.fd_frame_seconds(8)
    assert frame.worst == pytest.approx((30 + 4) / 1e6 + (96 + 21 - 4) / 5e6)
    assert (30 / 1e6 + 96 / 5e6) < frame.expected < frame.worst


def test_fd_frames_grow_in_the_steps_of_the_norm():
    times = [canbus.fd_frame_seconds(n).worst for n in range(65)]
    assert times == sorted(times)
    assert times[9] == times[12] < times[13] == times[16] < times[17]
    assert times[33] == times[48] < times[49] == times[64]


def test_fd_takes_less_of_the_bus_than_classic_can():
    traffic = [canbus.Traffic(1.0, 931, 1014, 60)]
    assert canbus.fd_load(traffic).worst < 0.5 * canbus.classic_load(traffic, 1000000).expected


@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=20), max_size=20))
def test_moments_are_the_same_whatever_the_batches(batches):
    moments = Moments()
    for batch in batches:
        moments.extend(batch)
    values = [value for batch in batches for value in batch]
    assert moments.count == len(values)
    if values:
        assert moments.mean == pytest.approx(statistics.fmean(values), abs=1e-6)
        assert moments.stddev == pytest.approx(statistics.pstdev(values), abs=1e-4, rel=1e-6)
        assert (moments.low, moments.high) == (min(values), max(values))


def test_moments_keep_their_digits_on_large_numbers_that_differ_little():
    moments = Moments()
    for i in range(1000):
        moments.extend([72000000.0 + i % 2, 72000000.0])
    assert moments.stddev == pytest.approx(statistics.pstdev([0.0, 0.0, 1.0, 0.0]), rel=1e-6)


@given(st.integers(1, 3000), st.integers(1, 700))
def test_series_has_few_points_and_loses_no_value(count, batch):
    series = Series()
    values = [float(i * i % 1009) for i in range(count)]
    for start in range(0, count, batch):
        chunk = values[start : start + batch]
        series.extend([float(x) for x in range(start, start + len(chunk))], chunk)
    points = series.points()
    assert len(points) <= MOST_POINTS
    assert sum(point.number for point in points) == count
    assert sum(point.number * point.mean for point in points) == pytest.approx(sum(values))
    assert max(point.high for point in points) == max(values)
    assert min(point.low for point in points) == min(values)
    assert [point.x for point in points] == sorted(point.x for point in points)
    assert len(series.rows(10)) <= 10


@given(st.lists(st.integers(-100000, 100000), min_size=1, max_size=200))
def test_histogram_has_few_bars_and_loses_no_value(values):
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    bars = histogram.bars()
    assert len(bars) <= MOST_BARS
    for low, count in bars:
        assert count == sum(low <= value < low + histogram.width for value in values)
    assert sum(count for _, count in bars) == len(values)
