# What of the homing moves is wrong
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Iterator, List

from .document import Finding
from .fault_verdicts import finding
from .log import Log
from .moves import StepperHistory
from .outliers import RULE, Outliers, Stops

FAR = "Some moves overshot far more than the others"
LATE = "A stepper stops late in every move"
# So many outliers, and this share of the moves, are no accident
MOST_OUTLIERS, MOST_SHARE = 2, 0.02
# A fifth of what a board waits for a message before it stops by itself
LATE_S = 0.005
LEAST_MOVES = 3


def _is_often(found: Outliers) -> bool:
    return found.number > MOST_OUTLIERS and found.number > MOST_SHARE * found.moves


def _figure(stepper: StepperHistory, endstop: str, stops: Stops, found: Outliers) -> str:
    places = ", ".join("%d steps in %s" % one for one in found.furthest)
    more = " and more" if found.number > len(found.furthest) else ""
    return (
        "%s on %s to %s at %g mm/s: %d of %d moves: %s%s; usual are %d, 9 of 10 moves have %d at"
        " most, the limit is %.3g steps (%.4f mm)"
        % (
            stepper.name,
            stepper.mcu,
            endstop,
            stops.speed_mm_s,
            found.number,
            found.moves,
            places,
            more,
            found.median_steps,
            found.high_steps,
            found.limit_steps,
            found.limit_steps * stops.step_mm,
        )
    )


def far(log: Log) -> Iterator[Finding]:
    """Moves in which a stepper overshot far more than in the others."""
    figures: List[str] = []
    is_often = False
    for stepper in log.moves.in_order():
        for (endstop, _), stops in stepper.stops.items():
            found = stops.outliers()
            if found.number:
                is_often = is_often or _is_often(found)
                figures.append(_figure(stepper, endstop, stops, found))
    if figures:
        threshold = "%s; wrong if more than %d moves and %g %% of them are" % (
            RULE,
            MOST_OUTLIERS,
            100 * MOST_SHARE,
        )
        yield finding(is_often, FAR, figures, threshold)


def late(log: Log) -> Iterator[Finding]:
    """Steppers that stop long after the first of their rail, move by move."""
    figures = [
        "%s on %s: %.1f ms after the first stepper of its rail, mean of %d moves"
        % (s.name, s.mcu, 1000 * s.behind_s.mean, s.behind_s.count)
        for s in log.moves.in_order()
        if s.behind_s.count >= LEAST_MOVES and s.behind_s.mean > LATE_S
    ]
    if figures:
        threshold = "over %g ms in the mean of %d moves or more" % (1000 * LATE_S, LEAST_MOVES)
        yield finding(True, LATE, figures, threshold)
