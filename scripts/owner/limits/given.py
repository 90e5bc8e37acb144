# What becomes of the limits that a printer.cfg has already
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, NamedTuple, Optional

from resync.model.following_error import Limits, LimitsError, rail_limits

from printer_config.config import Config

from . import figures
from .axes import Axis

SECTION = "multi_mcu_resync"


class Given(NamedTuple):
    """The options of a printer.cfg (mm), None where it leaves them out."""

    has_section: bool
    ferror_mm: Optional[float]
    min_ferror_mm: Optional[float]


def read(printer: Config) -> Given:
    """What a printer.cfg has; raises ConfigError for what is no number."""
    section = printer.sections.get(SECTION)
    if section is None:
        return Given(False, None, None)
    values_mm = [
        section.get_float(name, above=0.0) if section.has(name) else None
        for name in ("ferror", "min_ferror")
    ]
    return Given(True, *values_mm)


def verdicts(
    given: Given, axis: Axis, timeout_s: float, latency_s: float, recommended: Limits
) -> List[str]:
    """Whether an axis keeps to what is given, misses something or does not need it."""
    if not given.has_section:
        return ["printer.cfg: section [%s] is missing" % (SECTION,)]
    if given.ferror_mm is None and given.min_ferror_mm is None:
        return ["printer.cfg: ferror and min_ferror are missing, so these are used"]
    try:
        limits = rail_limits(
            given.ferror_mm,
            given.min_ferror_mm,
            axis.max_speed_mm_s,
            timeout_s,
            axis.coarsest_step_mm,
        )
    except LimitsError as e:
        return ["printer.cfg: refused at start, %s" % (e,)]
    found = [*_needless(given, limits, recommended), *_too_tight(axis, limits, latency_s)]
    found += _too_wide(given, figures.overshoot_mm(axis.max_speed_mm_s, timeout_s), recommended)
    return found or ["printer.cfg: %s kept" % (_words(given),)]


def _words(given: Given) -> str:
    values = (("ferror", given.ferror_mm), ("min_ferror", given.min_ferror_mm))
    words = ["%s %.6f" % (name, mm) for name, mm in values if mm is not None]
    return " and ".join(words) + (" is" if len(words) == 1 else " are")


def _needless(given: Given, limits: Limits, recommended: Limits) -> List[str]:
    # Written down, they are rounded up
    if all(abs(mm - default) <= 1e-6 for mm, default in zip(limits[:2], recommended[:2])):
        return ["printer.cfg: %s needless, the defaults are the same" % (_words(given),)]
    return []


def _too_tight(axis: Axis, limits: Limits, latency_s: float) -> List[str]:
    lines = []
    for name, speed_mm_s in axis.speeds_mm_s.items():
        expected_mm = figures.overshoot_mm(speed_mm_s, latency_s)
        limit_mm = limits.limit_mm(speed_mm_s)
        # No homing move is as fast as the axis may be
        if name != "maximum" and expected_mm > limit_mm:
            lines.append(
                "printer.cfg: not kept while %s at %.6g mm/s, %.6g mm are expected and %.6g"
                " allowed: raise ferror or min_ferror, or the speed is too high"
                % (name, speed_mm_s, expected_mm, limit_mm)
            )
    return lines


def _too_wide(given: Given, worst_mm: float, recommended: Limits) -> List[str]:
    # That is the worst overshoot, where it is more than two steps
    if given.ferror_mm is None or given.ferror_mm <= recommended.ferror_mm:
        return []
    return [
        "printer.cfg: ferror %.6f never trips in a homing move, no overshoot is more than"
        " %.6f mm: lower or remove it" % (given.ferror_mm, worst_mm)
    ]
