# The report of the limits tool as text: an axis's figures, and the section to paste
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, NamedTuple

from resync.model.following_error import Limits

from . import figures
from .axes import Axis

_LABEL_WIDTH = 42
_CELL_WIDTH = 12


class Timing(NamedTuple):
    """What the figures depend on besides the axis: delays (s), base period (s), clock (Hz)."""

    timeout_s: float
    latency_s: float
    base_period_s: float
    clock_hz: float


def axis_report(axis: Axis, timing: Timing, limits: Limits) -> List[str]:
    """The figures of an axis as lines of text, a column for each of its speeds."""
    speeds = axis.speeds_mm_s.values()
    error_mm = figures.acceleration_error_mm(axis.accel_mm_s2, timing.latency_s)
    return [
        *_description(axis),
        _row("", list(axis.speeds_mm_s)),
        _row("speed, mm/s", ["%.6g" % speed for speed in speeds]),
        *_rate_rows(axis, timing),
        "a base period of %.6g us allows %.6g steps/s, or %.6g with a whole pulse in one interrupt"
        % (timing.base_period_s * 1e6, *figures.highest_rates(timing.base_period_s)),
        *_overshoot_rows(axis, "worst", timing.timeout_s),
        *_overshoot_rows(axis, "expected", timing.latency_s),
        _row("limit, mm", ["%.6g" % limits.limit_mm(speed) for speed in speeds]),
        "a*t^2/2 at the acceleration junction (%.6g ms): %.6g mm"
        % (timing.latency_s * 1e3, error_mm),
        "Recommended: ferror %.6f, min_ferror %.6f" % limits[:2],
    ]


def _description(axis: Axis) -> List[str]:
    lines = []
    if axis.stepper_mcus:
        places = ", ".join("%s on %s" % place for place in axis.stepper_mcus.items())
        lines.append("Axis %s: %s" % (axis.name, places))
    steps = "%.6g mm" % (axis.finest_step_mm,)
    if axis.coarsest_step_mm != axis.finest_step_mm:
        steps += " to %.6g mm" % (axis.coarsest_step_mm,)
    lines.append("Step distance %s, acceleration %.6g mm/s^2" % (steps, axis.accel_mm_s2))
    return lines


def _rate_rows(axis: Axis, timing: Timing) -> List[str]:
    rates = [figures.step_rate(speed, axis.finest_step_mm) for speed in axis.speeds_mm_s.values()]
    rows = [_row("step rate, steps/s", ["%.6g" % rate for rate in rates])]
    for source, clock_hz in (
        ("base period %.6g us" % (timing.base_period_s * 1e6,), 1.0 / timing.base_period_s),
        ("clock %.6g MHz" % (timing.clock_hz / 1e6,), timing.clock_hz),
    ):
        cells = [_granularity(rate, clock_hz) for rate in rates]
        rows.append(_row("granularity, %s, steps/s" % (source,), cells))
    return rows


def _granularity(rate: float, clock_hz: float) -> str:
    try:
        return "%.6g" % (figures.regular_rates(rate, clock_hz).granularity,)
    except ValueError:
        return "too fast"


def _overshoot_rows(axis: Axis, kind: str, delay_s: float) -> List[str]:
    far_mm = [figures.overshoot_mm(speed, delay_s) for speed in axis.speeds_mm_s.values()]
    label = "%s overshoot (%.6g ms), " % (kind, delay_s * 1e3)
    return [
        _row(label + "mm", ["%.6g" % (mm,) for mm in far_mm]),
        _row(label + "steps", ["%.4g" % (mm / axis.finest_step_mm,) for mm in far_mm]),
    ]


def _row(label: str, cells: List[str]) -> str:
    return label.ljust(_LABEL_WIDTH) + "".join(cell.rjust(_CELL_WIDTH) for cell in cells)


def section(recommended: List[Limits]) -> List[str]:
    """The section to paste, from the limits of each axis."""
    if len(set(recommended)) > 1:
        # What is wide enough for the fast axis would be too wide for the slow one
        return ["[multi_mcu_resync]", "# without ferror and min_ferror: each axis gets its own"]
    ferror_mm, min_ferror_mm, _ = recommended[0]
    return [
        "[multi_mcu_resync]",
        "ferror: %.6f" % (ferror_mm,),
        "min_ferror: %.6f" % (min_ferror_mm,),
    ]
