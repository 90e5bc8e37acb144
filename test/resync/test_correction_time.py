# The common time profile of corrections
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resync.model.correction_time import Pace, common_duration_s

lengths_mm = st.floats(0.0005, 5.0)
speeds = st.floats(0.1, 100.0)
accels = st.floats(1.0, 5000.0)
POINTS = 1000


def smooth_part(t):
    return t * t * t * (10.0 + t * (6.0 * t - 15.0))


def peaks(length_mm, duration_s):
    """Peak speed and acceleration, from differences of the sampled profile."""
    way = [length_mm * smooth_part(i / POINTS) for i in range(POINTS + 1)]
    pause_s = duration_s / POINTS
    speed = [(b - a) / pause_s for a, b in zip(way, way[1:])]
    accel = [(b - a) / pause_s for a, b in zip(speed, speed[1:])]
    return max(speed), max(map(abs, accel))


@given(lengths_mm, speeds, accels)
def test_longest_way_keeps_both_limits_and_reaches_one(length_mm, speed, accel):
    top_speed, top_accel = peaks(length_mm, common_duration_s(length_mm, Pace(speed, accel)))
    assert top_speed <= speed * 1.0001
    assert top_accel <= accel * 1.0001
    assert top_speed >= speed * 0.999 or top_accel >= accel * 0.99


@given(lengths_mm, speeds, accels, st.floats(1.0, 10.0))
def test_longer_way_never_takes_less_time(length_mm, speed, accel, factor):
    short_s = common_duration_s(length_mm, Pace(speed, accel))
    assert common_duration_s(length_mm * factor, Pace(speed, accel)) >= short_s


def test_usual_correction_fits_into_the_idle_gap():
    assert common_duration_s(0.02, Pace(5.0, 200.0)) == pytest.approx(0.024, abs=0.001)


optional = st.none() | speeds


@given(speeds, accels, optional, optional)
def test_pace_is_bounded_where_it_is_given(speed, accel, given_speed, given_accel):
    bounded = Pace(speed, accel).bounded(given_speed, given_accel)
    assert bounded.speed_mm_s == (speed if given_speed is None else min(speed, given_speed))
    assert bounded.accel_mm_s2 == (accel if given_accel is None else min(accel, given_accel))
