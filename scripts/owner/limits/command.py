# The command line of resync_limits.py
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import argparse
import sys
from pathlib import Path
from typing import List, NoReturn, Optional, Tuple

from printer_config import motion
from printer_config.config_file import ConfigFile
from printer_config.section import ConfigError

from . import figures, given
from .axes import Axis, shared_axes
from .given import Given
from .text import Timing, axis_report, section

# What a magnitude outside of this stands for cannot be a machine; within, no result overflows
_SMALLEST, _LARGEST = 1e-9, 1e9
_NUMBERS = ("step_distance", "homing_speed", "max_speed", "accel")
# Name, unit, default and help of what can be given besides
_OPTIONS = (
    ("timeout", "S", None, "after which a silent host stops an MCU (printer.cfg's, or 0.025)"),
    ("latency", "S", 0.002, "of a stop on its way to the stepper, about srtt (%(default)s)"),
    ("base_period", "S", 20e-6, "of a software step generator to compare with (%(default)s)"),
    ("clock", "HZ", 12e6, "frequency of the MCU (%(default)s, an RP2040's)"),
)


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


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


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
        parser.add_argument(_option(name), type=_positive, metavar=unit)
    for name, unit, default, text in _OPTIONS:
        parser.add_argument(_option(name), type=_positive, metavar=unit, default=default, help=text)
    options = parser.parse_args(arguments)
    numbers = [name for name in _NUMBERS if getattr(options, name) is not None]
    if options.config is not None and numbers:
        parser.error("%s is read from printer.cfg" % (_option(numbers[0]),))
    if options.config is None and len(numbers) < len(_NUMBERS):
        parser.error("give a printer.cfg, or all of %s" % (", ".join(map(_option, _NUMBERS)),))
    if numbers and options.homing_speed > options.max_speed:
        parser.error("--homing-speed is more than --max-speed")
    return options


def _described(options: argparse.Namespace) -> Tuple[List[Axis], float, None]:
    """The axis that the options describe, and the trsync timeout (s)."""
    speeds_mm_s = {"homing": options.homing_speed, "maximum": options.max_speed}
    step_mm = options.step_distance
    axis = Axis("", {}, step_mm, step_mm, speeds_mm_s, options.accel)
    return [axis], motion.TRSYNC_TIMEOUT_S, None


def _read(path: Path) -> Tuple[List[Axis], float, Given]:
    """Axes, trsync timeout (s) and limits of a printer.cfg; raises ConfigError."""
    printer = ConfigFile(path)
    axes = shared_axes(printer)
    for axis in axes:
        numbers = {"finest step distance": axis.finest_step_mm, "acceleration": axis.accel_mm_s2}
        numbers["coarsest step distance"] = axis.coarsest_step_mm
        numbers.update({"%s speed" % (name,): v for name, v in axis.speeds_mm_s.items()})
        for what, value in numbers.items():
            if not _SMALLEST <= value <= _LARGEST:
                raise ConfigError(
                    "%s: the %s of axis %s is %g, not between %g and %g"
                    % (path, what, axis.name, value, _SMALLEST, _LARGEST)
                )
    return axes, motion.trsync_timeout_s(printer), given.read(printer)


def main(arguments: Optional[List[str]] = None) -> int:
    """Print the report; return the exit code."""
    options = parse_arguments(arguments)
    try:
        read = _described(options) if options.config is None else _read(options.config)
    except ConfigError as e:
        print("resync_limits: %s" % (e,), file=sys.stderr)
        return 1
    axes, timeout_s, present = read
    timeout_s = options.timeout or timeout_s
    timing = Timing(timeout_s, options.latency, options.base_period, options.clock)
    recommended = [
        figures.recommend(axis.max_speed_mm_s, timeout_s, axis.coarsest_step_mm) for axis in axes
    ]
    for axis, limits in zip(axes, recommended):
        lines = axis_report(axis, timing, limits)
        if present is not None:
            lines += given.verdicts(present, axis, timeout_s, options.latency, limits)
        print("\n".join(lines) + "\n")
    print("\n".join(section(recommended)))
    return 0
