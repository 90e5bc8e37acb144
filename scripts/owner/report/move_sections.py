# What the report says about overshoot, corrections and faults
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, Optional, Sequence

from .document import Section, Table, number
from .faults import CASES_KEPT
from .log import Log
from .moves import StepperHistory
from .predict import predictions

_ROWS_OVER_TIME = 10
_BAR = 40


def _in_steps(way_mm: Optional[float], step_mm: Optional[float]) -> Optional[float]:
    return way_mm / step_mm if way_mm is not None and step_mm else None


def overshoot(log: Log) -> Section:
    """Expected and measured overshoot."""
    section = Section("Overshoot: predicted and measured")
    table = Table(
        ["stepper", "MCU", "endstop on", "mm/s", "latency ms", "predicted mm", "steps"]
        + ["measured mm", "stddev", "max", "steps", "latency ms"]
    )
    for p in predictions(log):
        m = p.measured if p.measured and p.measured.overshoot_mm.count else None
        step_mm, predicted_mm = p.step_distance_mm, p.overshoot_mm
        if m and m.overshoot_steps.mean and not step_mm:
            step_mm = abs(m.overshoot_mm.mean / m.overshoot_steps.mean)
        table.add(
            p.name or "any",
            p.mcu,
            p.endstop_mcu or "?",
            "%.1f" % (p.speed_mm_s,),
            number(p.latency_s if p.latency_s is None else 1000 * p.latency_s, "%.2f"),
            "-" if predicted_mm is None else "%.4f+-%.4f" % (predicted_mm, p.rounding_mm),
            number(_in_steps(predicted_mm, step_mm), "%.1f"),
            number(m.overshoot_mm.mean if m else None, "%.4f"),
            number(m.overshoot_mm.stddev if m else None, "%.4f"),
            number(m.overshoot_mm.high if m else None, "%.4f"),
            number(m.overshoot_steps.mean if m else None, "%.1f"),
            number(1000 * m.latency_s.mean if m else None, "%.2f"),
        )
    section.tables.append(table)
    section.plots.append("prediction")
    section.notes.append(
        "Predicted is speed times half the round trips of endstop and stepper (0 on the same MCU);"
        " srtt is rounded to 1 ms, hence the range. What the host takes in between is extra."
    )
    return section


def _bars(stepper: StepperHistory) -> List[str]:
    bars = stepper.histogram.bars()
    most = max(count for _, count in bars)
    lines = []
    for low, count in bars:
        high = low + stepper.histogram.width - 1
        steps = "%+d" % (low,) if low == high else "%+d..%+d" % (low, high)
        lines.append("%12s %6d %s" % (steps, count, "#" * round(_BAR * count / most)))
    return lines


def homing_moves(log: Log) -> Section:
    """Moves, corrections, and overshoot over time and as a histogram."""
    section = Section("Homing moves")
    if not log.moves.count:
        section.lines.append("The log has no line of multi_mcu_resync on a homing move.")
        return section
    rails = Table(["rail", "endstop", "moves", "triggered", "corrected", "mm/s", "skew mm", "max"])
    for rail in log.moves.rails.values():
        speeds = ["%g" % (speed,) for speed in (rail.speed_mm_s.low, rail.speed_mm_s.high)]
        rails.add(
            rail.rail,
            rail.endstop,
            "%d" % (rail.moves,),
            "%d" % (rail.triggered,),
            "%d" % (rail.corrected,),
            "..".join(dict.fromkeys(speeds)) if rail.triggered else "-",
            "%.6f" % (rail.skew_mm.mean,),
            "%.6f" % (rail.skew_mm.high,),
        )
    steppers = Table(["stepper", "correction steps", "least", "most", "residual rms mm", "max mm"])
    for s in log.moves.in_order():
        steppers.add(
            s.name,
            "%.2f" % (s.correction_steps.mean,),
            "%+d" % (s.correction_steps.low,),
            "%+d" % (s.correction_steps.high,),
            "%.6f" % (s.residual_mm.rms,),
            "%.6f" % (s.residual_mm.furthest,),
        )
    section.tables += [rails, steppers]
    triggered = [s for s in log.moves.in_order() if s.overshoot_mm.count]
    if triggered:
        section.tables.append(_over_time(triggered))
        section.plots += ["overshoot", "histogram"]
    section.notes.append(
        "Skew is the difference between the steppers' overshoots before the correction. Moves that"
        " ended with an error: %d." % (log.moves.failed,)
    )
    for s in triggered:
        section.drawing += ["", "overshoot of %s: steps, moves" % (s.name,), *_bars(s)]
    return section


def _over_time(steppers: Sequence[StepperHistory]) -> Table:
    table = Table(["overshoot mm, moves", *[s.name for s in steppers]])
    columns = [s.overshoot_course.rows(_ROWS_OVER_TIME) for s in steppers]
    for i in range(max(map(len, columns))):
        points = [column[i] if i < len(column) else None for column in columns]
        table.add(
            "about %d" % (next(p for p in points if p).x,),
            *["-" if p is None else "%.4f" % (p.mean,) for p in points],
        )
    return table


def faults(log: Log) -> Section:
    """What went wrong."""
    section = Section("Faults")
    if not log.faults.kinds:
        section.lines.append("none")
    for kind, fault in log.faults.kinds.items():
        section.lines.append("%s: %d" % (kind, fault.count))
        for case in fault.cases:
            section.lines.append("    %s" % (case.describe(),))
        if fault.count > CASES_KEPT:
            section.lines.append("    and %d more" % (fault.count - CASES_KEPT,))
    return section
