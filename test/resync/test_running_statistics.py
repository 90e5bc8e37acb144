# Statistics of figures as they come, against the standard library's
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resync.model.running_statistics import Statistics, StopStatistics, latency_ms

# No smaller than what has a square: Python before 3.10 finds a negative variance of others
FIGURES = st.lists(
    st.floats(-1e3, 1e3).map(lambda figure: round(figure, 9)), min_size=1, max_size=50
)


def of(figures, portion=3):
    """Statistics of figures that come in portions."""
    result = Statistics()
    for i in range(0, len(figures), portion):
        result = result.with_figures(figures[i : i + portion])
    return result


@given(FIGURES, st.integers(1, 50))
def test_statistics_are_those_of_the_standard_library(figures, portion):
    result = of(figures, portion)
    assert result.number == len(figures)
    assert result.mean == pytest.approx(statistics.fmean(figures), abs=1e-9)
    assert result.maximum == max(figures)
    deviation = statistics.pstdev(figures)
    assert result.standard_deviation() == pytest.approx(deviation, rel=1e-6, abs=1e-9)


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=50))
def test_small_deviation_beside_a_large_mean_is_kept(steps):
    figures = [1e6 + 0.0025 * s for s in steps]
    deviation = statistics.pstdev(figures)
    assert of(figures).standard_deviation() == pytest.approx(deviation, rel=1e-4, abs=1e-9)


def test_everything_is_zero_without_a_figure():
    assert Statistics() == (0, 0.0, 0.0, 0.0)
    assert Statistics().standard_deviation() == 0.0


@given(st.floats(-1e3, 1e3), st.integers(1, 20))
def test_like_figures_do_not_deviate(figure, count):
    assert of([figure] * count).standard_deviation() == pytest.approx(0.0, abs=1e-9)


@given(FIGURES)
def test_statistics_handed_out_stay_as_they_are(figures):
    first = of(figures)
    before = tuple(first)
    first.with_figures([5.0])
    assert tuple(first) == before


def test_latency_is_the_time_that_the_overshoot_takes():
    assert latency_ms(0.0125, 5.0) == pytest.approx(2.5)
    assert latency_ms(-0.0125, 5.0) == pytest.approx(-2.5)


def test_stops_at_unlike_speeds_have_the_latency_of_each():
    stops = StopStatistics().with_stops([(0.01, 5.0), (0.03, 10.0)])
    assert stops.overshoot_mm.mean == pytest.approx(0.02)
    assert stops.latency_ms.mean == pytest.approx(2.5)
    assert stops.latency_ms.maximum == pytest.approx(3.0)
    assert stops.latency_ms.number == 2
