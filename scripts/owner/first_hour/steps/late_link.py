# Step 14, if the owner agrees: what happens when a stop comes too late
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Iterator

from ..context import Context, out_of_step
from ..errors import CommandFailed
from ..rows import LOOK, PASSED, STOP, Row

NAME = "late link"
# The least that the extra takes: any step is too late then
TINY_MM = 0.001
_GUIDE = "run RESYNC, or G28, and see Troubleshooting in docs/Guide.md"


def run(trial: Context) -> Iterator[Row]:
    """Have an ordinary stop count as too late; the axis must be refused and then put right."""
    trial.ensure_correct(True)
    agreed = trial.console.is_so(
        "late_link",
        "A last test, if you like: the limit of a correction is lowered for a moment, so that an"
        " ordinary stop counts as that of a late link. The axis is probed or homed twice, a few"
        " hundredths of a mm crooked in between, and has to be reported. Do it?",
    )
    if not agreed:
        yield Row(NAME, PASSED, "left out, as you wished")
        return
    try:
        trial.ensure_homed()
        limit_mm = float(trial.resync()["max_correction_mm"])
        trial.printer.run("SET_RESYNC_LIMITS MAX_CORRECTION=%g" % (TINY_MM,))
    except CommandFailed as e:
        yield Row(NAME, STOP, str(e), _GUIDE, "late_link")
        return
    try:
        yield from _provoke(trial)
    finally:
        # Whatever comes, the owner's limit is back
        trial.printer.run("SET_RESYNC_LIMITS MAX_CORRECTION=%.6f" % (limit_mm,))
    yield from _repair(trial)


def _provoke(trial: Context) -> Iterator[Row]:
    axis = trial.machine.axes[-1]
    is_probing = axis == "z" and trial.machine.probe is not None
    try:
        if is_probing:
            # G28 would switch the motors off when it fails
            trial.printer.run("G91", "G1 Z3 F300", "G90", "PROBE")
        else:
            trial.printer.run("G28 %s" % (axis.upper(),))
    except CommandFailed as e:
        if not out_of_step(trial.resync()):
            yield Row(NAME, STOP, "in sync after: %s" % (e,), _GUIDE, "late_link")
            return
        yield Row(NAME, PASSED, "it is reported: %s" % (e,))
        return
    advice = "all steppers stop within a step: there is nothing to provoke"
    yield Row(NAME, LOOK, "no stop was late enough", advice, "not_provoked")


def _repair(trial: Context) -> Iterator[Row]:
    try:
        if set("xyz") <= set(trial.homed()):
            # The motors are on: it can be put back where it stands
            trial.printer.run("RESYNC")
        trial.printer.run("G28", "M400")
    except CommandFailed as e:
        yield Row(NAME, STOP, str(e), _GUIDE, "late_link")
        return
    wrong = trial.check_counts()
    if wrong:
        yield Row(NAME, STOP, wrong, _GUIDE, "late_link")
    else:
        yield Row(NAME, PASSED, "it is back in step")
