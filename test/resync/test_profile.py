# The common time profile of corrections
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resync.profile import common_profile

lengths_mm = st.floats(0.0005, 5.0)
speeds = st.floats(0.1, 100.0)
accels = st.floats(1.0, 5000.0)


@given(lengths_mm, speeds, accels)
def test_profile_covers_the_distance(length_mm, speed, accel):
    profile = common_profile(length_mm, speed, accel)
    cruise_speed = profile.cruise_speed(length_mm)
    covered_mm = cruise_speed * (profile.accel_s + profile.cruise_s)
    assert covered_mm == pytest.approx(length_mm)


@given(lengths_mm, speeds, accels)
def test_profile_keeps_both_limits(length_mm, speed, accel):
    profile = common_profile(length_mm, speed, accel)
    cruise_speed = profile.cruise_speed(length_mm)
    assert cruise_speed <= speed * (1 + 1e-9)
    assert cruise_speed / profile.accel_s <= accel * (1 + 1e-9)


@given(lengths_mm, speeds, accels, st.floats(0.01, 1.0))
def test_shorter_way_takes_the_same_time_and_is_slower(length_mm, speed, accel, part):
    profile = common_profile(length_mm, speed, accel)
    assert profile.cruise_speed(part * length_mm) <= profile.cruise_speed(length_mm)


def test_short_way_does_not_cruise():
    profile = common_profile(0.02, 5.0, 200.0)
    assert profile.cruise_s == 0.0
    assert profile.duration_s == pytest.approx(0.02)


def test_long_way_reaches_the_speed():
    profile = common_profile(1.0, 5.0, 200.0)
    assert profile.cruise_speed(1.0) == pytest.approx(5.0)
