# LinuxCNC's rule of the following error, on its own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resync.model.following_error import MIN_FERROR_STEPS, Limits, LimitsError, rail_limits

# Measured on LinuxCNC 2.9 with FERROR 2, MIN_FERROR 0.2 and a maximum speed of
# 100: speed, and the first error that trips when it grows by 0.0005
LAG_STEP = 0.0005
TRIPS = [
    (0, 0.2000),
    (2, 0.2000),
    (5, 0.2000),
    (10, 0.2005),
    (11, 0.2200),
    (20, 0.4005),
    (40, 0.8005),
    (80, 1.6005),
    (100, 2.0005),
]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("speed, trip", TRIPS)
def test_limit_is_where_linuxcnc_trips(speed, trip, sign):
    limits = Limits(2.0, 0.2, 100.0)
    # LinuxCNC's lag is a sum of floats, so it is a hair off the round figure
    assert trip - LAG_STEP <= limits.limit_mm(sign * speed) < trip + LAG_STEP / 4


@given(st.floats(0.01, 5.0), st.floats(0.0, 1.0), st.floats(1.0, 500.0), st.floats(-1.0, 1.0))
def test_limit_is_the_same_in_both_directions(ferror, part, top, speed):
    limits = Limits(ferror, ferror * part, top)
    assert limits.limit_mm(speed * top) == limits.limit_mm(-speed * top)


def test_default_is_the_worst_overshoot_and_two_steps():
    limits = rail_limits(None, None, 30.0, 0.025, 0.0025)
    assert limits.limit_mm(10.0) == pytest.approx(10.0 * 0.025)
    assert limits.limit_mm(0.0) == pytest.approx(2 * 0.0025)


def test_default_is_no_less_than_the_min_ferror_given():
    assert rail_limits(None, 1.0, 30.0, 0.025, 0.0025) == Limits(1.0, 1.0, 30.0)
    assert rail_limits(None, 0.5, 30.0, 0.025, 0.0025) == Limits(0.75, 0.5, 30.0)


def test_min_ferror_equals_ferror_when_not_given():
    assert rail_limits(0.5, None, 30.0, 0.025, 0.0025) == Limits(0.5, 0.5, 30.0)


def test_min_ferror_below_two_steps_is_refused_with_the_figure():
    with pytest.raises(LimitsError, match="'min_ferror' must be at least 0.005000"):
        rail_limits(None, 0.004, 30.0, 0.025, 0.0025)


@given(st.floats(1e-5, 0.05), st.floats(0.1, 0.99), st.booleans())
def test_figure_that_a_refusal_names_is_accepted(step_mm, part, is_ferror):
    too_small = MIN_FERROR_STEPS * step_mm * part
    with pytest.raises(LimitsError) as refusal:
        rail_limits(
            too_small if is_ferror else None,
            None if is_ferror else too_small,
            30.0,
            0.025,
            step_mm,
        )
    figure = float(re.search(r"at least (\d+\.\d+)", str(refusal.value)).group(1))
    # To six digits there is none below it
    assert figure < MIN_FERROR_STEPS * step_mm + 1.000001e-6
    if is_ferror:
        assert rail_limits(figure, None, 30.0, 0.025, step_mm).ferror_mm == figure
    else:
        assert rail_limits(None, figure, 30.0, 0.025, step_mm).min_ferror_mm == figure


@pytest.mark.parametrize("ferror, min_ferror", [(0.1, 0.2), (0.004, None)])
def test_ferror_below_min_ferror_is_refused_with_the_figure(ferror, min_ferror):
    with pytest.raises(LimitsError, match="'ferror' must be at least 0."):
        rail_limits(ferror, min_ferror, 30.0, 0.025, 0.0025)
