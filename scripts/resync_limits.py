#!/usr/bin/env python3
# Tells which step rates, overshoot and following-error limits an axis comes to
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
#
# Usage: scripts/resync_limits.py printer.cfg [OPTIONS] (numbers in place of a file: see --help)
import argparse
import os.path
import sys
from pathlib import Path
from typing import List, NamedTuple, NoReturn, Optional, Tuple

# It runs as it is on a printer, where nobody has set a path
sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../klippy/extras"))

import limit_axes
import limit_figures
from limit_axes import Axis
from resync.following_error import Limits

from virtual_printer.configfile import ConfigFile, MachineError

_LABEL_WIDTH = 42
# What a magnitude outside of this stands for cannot be a machine; within, no result overflows
_SMALLEST, _LARGEST = 1e-9, 1e9
_NUMBERS = ("step_distance", "homing_speed", "max_speed", "accel")


class Timing(NamedTuple):
    """What the figures depend on besides the axis: delays (s), base period (s), clock (Hz)."""

    timeout_s: float
    latency_s: float
    base_period_s: float
    clock_hz: float


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, "resync_limits: %s\n" % (message,))


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError("'%s' is not a number" % (text,)) from None
    if not _SMALLEST <= value <= _LARGEST:
        raise argparse.ArgumentTypeError(
            "'%s' is not between %g and %g" % (text, _SMALLEST, _LARGEST)
        )
    return value


def parse_arguments(arguments: Optional[List[str]] = None) -> argparse.Namespace:
    """The options; ends with one line and exit code 2 if they are bad."""
    parser = _Parser(
        prog="resync_limits.py",
        description="Step rates, overshoot and following-error limits, of each axis of a"
        " printer.cfg that has steppers on several MCUs or of one axis given by numbers.",
        allow_abbrev=False,
    )
    parser.add_argument("config", nargs="?", type=Path, metavar="printer.cfg")
    for name, unit in zip(_NUMBERS, ("MM", "MM_S", "MM_S", "MM_S2")):
        parser.add_argument("--%s" % (name.replace("_", "-"),), type=_positive, metavar=unit)
    parser.add_argument(
        "--timeout",
        type=_positive,
        metavar="S",
        help="after this an MCU that hears nothing stops (default: printer.cfg's, or 0.025)",
    )
    parser.add_argument(
        "--latency",
        type=_positive,
        metavar="S",
        default=0.002,
        help="of the stop, from the endstop's MCU to the stepper's; about the srtt of"
        " klippy.log (default: 0.002)",
    )
    parser.add_argument(
        "--base-period",
        type=_positive,
        metavar="S",
        default=20e-6,
        help="of a software step generator to compare with (default: 20e-6)",
    )
    parser.add_argument(
        "--clock",
        type=_positive,
        metavar="HZ",
        default=12e6,
        help="clock frequency of the MCU (default: 12e6, an RP2040's)",
    )
    options = parser.parse_args(arguments)
    given = [name for name in _NUMBERS if getattr(options, name) is not None]
    if options.config is not None and given:
        parser.error("--%s is read from printer.cfg" % (given[0].replace("_", "-"),))
    if options.config is None and len(given) < len(_NUMBERS):
        names = ", ".join("--%s" % (name.replace("_", "-"),) for name in _NUMBERS)
        parser.error("give a printer.cfg, or all of %s" % (names,))
    if not given:
        return options
    if options.homing_speed > options.max_speed:
        parser.error("--homing-speed is more than --max-speed")
    return options


def _given(options: argparse.Namespace) -> Tuple[List[Axis], float]:
    """The axis that the options describe, and the trsync timeout (s)."""
    speeds_mm_s = {"homing": options.homing_speed, "maximum": options.max_speed}
    step_mm = options.step_distance
    axis = Axis("", {}, step_mm, step_mm, speeds_mm_s, options.accel)
    return [axis], limit_figures.TRSYNC_TIMEOUT_S


def _read(path: Path) -> Tuple[List[Axis], float]:
    """The axes of a printer.cfg, and the trsync timeout (s); raises MachineError."""
    printer = ConfigFile(path)
    axes = limit_axes.shared_axes(printer)
    for axis in axes:
        numbers = {"finest step distance": axis.finest_step_mm, "acceleration": axis.accel_mm_s2}
        numbers["coarsest step distance"] = axis.coarsest_step_mm
        numbers.update({"%s speed" % (name,): v for name, v in axis.speeds_mm_s.items()})
        for what, value in numbers.items():
            if not _SMALLEST <= value <= _LARGEST:
                raise MachineError(
                    "%s: the %s of axis %s is %g, not between %g and %g"
                    % (path, what, axis.name, value, _SMALLEST, _LARGEST)
                )
    return axes, limit_axes.trsync_timeout_s(printer)


def _row(label: str, cells: List[str]) -> str:
    return label.ljust(_LABEL_WIDTH) + "".join(cell.rjust(12) for cell in cells)


def _granularity(rate: float, clock_hz: float) -> str:
    try:
        return "%.6g" % (limit_figures.regular_rates(rate, clock_hz).granularity,)
    except ValueError:
        return "too fast"


def axis_report(axis: Axis, timing: Timing, limits: Limits) -> List[str]:
    """The figures of an axis as lines of text, a column for each of its speeds."""
    speeds = list(axis.speeds_mm_s.values())
    rates = [limit_figures.step_rate(speed, axis.finest_step_mm) for speed in speeds]
    lines = []
    if axis.name:
        places = ", ".join("%s on %s" % place for place in axis.stepper_mcus.items())
        lines.append("Axis %s: %s" % (axis.name, places))
    steps = "%.6g mm" % (axis.finest_step_mm,)
    if axis.coarsest_step_mm != axis.finest_step_mm:
        steps += " to %.6g mm" % (axis.coarsest_step_mm,)
    lines.append("Step distance %s, acceleration %.6g mm/s^2" % (steps, axis.accel_mm_s2))
    lines.append(_row("", list(axis.speeds_mm_s)))
    lines.append(_row("speed, mm/s", ["%.6g" % speed for speed in speeds]))
    lines.append(_row("step rate, steps/s", ["%.6g" % rate for rate in rates]))
    for source, clock_hz in (
        ("base period %.6g us" % (timing.base_period_s * 1e6,), 1.0 / timing.base_period_s),
        ("clock %.6g MHz" % (timing.clock_hz / 1e6,), timing.clock_hz),
    ):
        cells = [_granularity(rate, clock_hz) for rate in rates]
        lines.append(_row("granularity, %s, steps/s" % (source,), cells))
    for kind, delay_s in (("worst", timing.timeout_s), ("expected", timing.latency_s)):
        far_mm = [limit_figures.overshoot_mm(speed, delay_s) for speed in speeds]
        label = "%s overshoot (%.6g ms), " % (kind, delay_s * 1e3)
        lines.append(_row(label + "mm", ["%.6g" % mm for mm in far_mm]))
        cells = ["%.4g" % (mm / axis.finest_step_mm,) for mm in far_mm]
        lines.append(_row(" " * (len(label) - 2) + "steps", cells))
    lines.append(_row("limit, mm", ["%.6g" % limits.limit_mm(speed) for speed in speeds]))
    error_mm = limit_figures.acceleration_error_mm(axis.accel_mm_s2, timing.latency_s)
    delay = "%.6g ms" % (timing.latency_s * 1e3,)
    lines.append("a*t^2/2 at the acceleration junction (%s): %.6g mm" % (delay, error_mm))
    lines.append("Recommended: ferror %.6f, min_ferror %.6f" % limits[:2])
    return lines


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


def main(arguments: Optional[List[str]] = None) -> int:
    """Print the report; return the exit code."""
    options = parse_arguments(arguments)
    try:
        axes, timeout_s = _given(options) if options.config is None else _read(options.config)
    except MachineError as e:
        print("resync_limits: %s" % (e,), file=sys.stderr)
        return 1
    timeout_s = options.timeout or timeout_s
    timing = Timing(timeout_s, options.latency, options.base_period, options.clock)
    recommended = [
        limit_figures.recommend(axis.max_speed_mm_s, timeout_s, axis.coarsest_step_mm)
        for axis in axes
    ]
    for axis, limits in zip(axes, recommended):
        print("\n".join(axis_report(axis, timing, limits)) + "\n")
    print("\n".join(section(recommended)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
