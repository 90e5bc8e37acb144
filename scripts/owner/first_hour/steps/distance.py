# Step 6, second part: whether each stepper goes as far as it is told
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Iterator, List

from ..context import Context
from ..errors import CommandFailed, Paused
from ..rows import PASSED, STOP, Row

NAME = "distance"
STROKE_MM = 10.0
# Two readings of a ruler; 16 teeth for 20, the smallest usual mistake, makes 2 mm
MOST_ERROR_MM = 1.2
# A hop of Z that is shorter says too little; one that nobody saw was none
LEAST_HOP_MM, UNSEEN_MM = 8.0, 1.0


def hop(trial: Context) -> Iterator[Row]:
    """Home X and Y, before which Z hops; measure that, as nothing else has moved so far."""
    hop_mm = trial.machine.hop_mm
    if hop_mm < LEAST_HOP_MM:
        return
    text = (
        "Measure with a ruler where each end of axis z is. G28 X Y then lifts Z by %g mm and sends"
        " the head to its ends. Be ready to stop."
    )
    trial.console.go("measure", text % (hop_mm,), "z")
    try:
        trial.printer.run("G28 X Y", "M400")
    except CommandFailed as e:
        yield Row(NAME, STOP, "G28 X Y: %s" % (e,), "correct what it names", "homing")
        return
    names = trial.machine.names_of("z")
    found = trial.console.numbers("distance", "How far did each end of axis z go, in mm?", names)
    if max(map(abs, found)) > UNSEEN_MM:
        trial.measured.append("z")
        yield _verdict("z", hop_mm, names, [abs(one) for one in found])


def run(trial: Context, axis: str) -> Iterator[Row]:
    """Move an axis that is homed a little, and ask how far its ends went."""
    if axis in trial.measured:
        return
    try:
        yield _stroke(trial, axis)
    except CommandFailed as e:
        yield Row(NAME, STOP, "axis %s: %s" % (axis, e), "take the trial up again", "move")


def _stroke(trial: Context, axis: str) -> Row:
    console = trial.console
    names = trial.machine.names_of(axis)
    letter = axis.upper()
    limits = trial.printer.status("toolhead")["toolhead"]
    index = "xyz".index(axis)
    is_up = limits["position"][index] + STROKE_MM <= limits["axis_maximum"][index]
    way = STROKE_MM if is_up else -STROKE_MM
    console.go(
        "measure",
        "Measure with a ruler where each end of axis %s is. It then moves by %g mm." % (axis, way),
        axis,
    )
    if axis not in trial.homed():
        # Where it is nobody knows now; the step begins anew
        raise Paused("axis %s is not homed any more: motors go off after a long silence" % (axis,))
    trial.printer.run("G91", "G1 %s%g F300" % (letter, way), "G90", "M400")
    found = console.numbers("distance", "How far did each end go, in mm?", names)
    trial.printer.run("M84")
    return _verdict(axis, STROKE_MM, names, [abs(one) for one in found])


def _verdict(axis: str, told_mm: float, names: List[str], found_mm: List[float]) -> Row:
    figures = ", ".join("%s %g mm" % one for one in zip(names, found_mm))
    wrong = [n for n, mm in zip(names, found_mm) if abs(mm - told_mm) > MOST_ERROR_MM]
    if not wrong:
        return Row(NAME, PASSED, "axis %s, told to go %g mm: %s" % (axis, told_mm, figures))
    return Row(
        NAME,
        STOP,
        "axis %s was told to go %g mm: %s" % (axis, told_mm, figures),
        "correct rotation_distance, gear_ratio, microsteps or full_steps_per_rotation in %s"
        % (", ".join("[%s]" % (name,) for name in wrong),),
        "gears",
    )
