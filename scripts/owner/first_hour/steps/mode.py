# Steps 3 and 9: the extra only measures, then it corrects
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Iterator

from ..context import Context, out_of_step
from ..errors import CommandFailed
from ..rows import PASSED, STOP, Row

MEASURE_ONLY, CORRECT = "measure only", "correct"


def measure_only(trial: Context) -> Iterator[Row]:
    """Have `correct: False` in effect."""
    trial.ensure_correct(False)
    yield Row(MEASURE_ONLY, PASSED, "'correct: False' is in effect: the extra only measures")


def correct(trial: Context) -> Iterator[Row]:
    """Have the extra correct, home, and compare all counts."""
    trial.ensure_correct(True)
    trial.console.go("home", "G28 homes all axes, and the extra puts the steppers back in step.")
    try:
        trial.printer.run("G28", "M400")
    except CommandFailed as e:
        yield Row(CORRECT, STOP, "G28: %s" % (e,), "see Troubleshooting in docs/Guide.md", "homing")
        return
    status = trial.resync()
    wrong = out_of_step({**status, "following_error_mm": {}})
    if wrong or not status["corrected"]:
        what = wrong or "the steppers were not put back in step"
        yield Row(CORRECT, STOP, what, "see Troubleshooting in docs/Guide.md", "not_corrected")
        return
    trial.figures["correction_steps"] = status["correction_steps"]
    steps = ", ".join("%s %+d" % one for one in status["correction_steps"].items())
    yield Row(CORRECT, PASSED, "corrected and in sync; steps: %s" % (steps,))
    wrong = trial.check_counts()
    if wrong:
        yield Row(CORRECT, STOP, wrong, "see RESYNC_CHECK in docs/Guide.md", "counts")
    else:
        yield Row(CORRECT, PASSED, "RESYNC_CHECK: every board has counted what was sent")
