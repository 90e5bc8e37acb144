# The trial: all steps in order of risk
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Callable, Iterator, List, NamedTuple, Tuple

from .console import Console
from .context import Context
from .errors import CommandFailed, TrialError
from .printer import Printer
from .progress import Progress, fingerprint
from .rows import PASSED, STOP, Row
from .steps import (
    configuration,
    distance,
    late_link,
    latencies,
    link_check,
    log_check,
    mid_air,
    mode,
    motors,
    probing,
    trigger,
)


def _first_homing(trial: Context) -> Iterator[Row]:
    # What the second one measures needs the first one's coordinates, so they are one step
    trial.ensure_correct(False)
    trial.measured.clear()
    for axis in sorted(trial.machine.axes):
        for part in (mid_air.run, distance.run):
            for row in part(trial, axis):
                yield row
                if row.verdict == STOP:
                    return


class Step(NamedTuple):
    """names are those in its rows; moves says what it is going to do."""

    names: Tuple[str, ...]
    moves: str
    run: Callable[[Context], Iterator[Row]]


STEPS = (
    Step((configuration.NAME,), "Nothing moves.", configuration.run),
    Step((link_check.NAME,), "Nothing moves.", link_check.run),
    Step(
        (mode.MEASURE_ONLY,),
        "Nothing moves. If need be, you change one line of printer.cfg, and Klipper restarts.",
        mode.measure_only,
    ),
    Step((motors.NAME,), "Each motor turns alone, 1 mm to and fro.", motors.run),
    Step((trigger.NAME,), "Nothing moves. You touch endstops and probe.", trigger.run),
    Step(
        (mid_air.NAME, distance.NAME),
        "The head homes; the shared axes move until you trigger by hand. You"
        " measure one move of each, %g mm or so." % (distance.STROKE_MM,),
        _first_homing,
    ),
    Step(
        (latencies.NAME,),
        "All axes home by themselves, then the endstop or probe is touched %d times."
        % (latencies.SAMPLES,),
        latencies.run,
    ),
    Step(
        (mode.CORRECT,),
        "You change one line of printer.cfg, Klipper restarts, and all axes home.",
        mode.correct,
    ),
    Step((probing.ACCURACY,), "The probe touches the bed at one place.", probing.accuracy),
    Step((probing.LEVELLING,), "The axis is levelled.", probing.levelling),
    Step((probing.PROBES,), "The probe touches the bed all over.", probing.probes),
    Step((log_check.NAME,), "Nothing moves.", log_check.run),
    Step(
        (late_link.NAME,), "Only if you agree: one probe or homing move, then G28.", late_link.run
    ),
)


_INTRODUCTION = (
    "This goes through the first steps with you. Nothing moves before it was said and you agreed.",
    "'stop' at any question ends it, and the same command takes it up again. While something moves,"
    " Ctrl-C is an emergency stop.",
)


def run(printer: Printer, console: Console, progress: Progress, probe_count: int) -> List[Row]:
    """Run what is not done yet, and return all rows; raises TrialError.

    What was found is saved after each step, so that the trial can be taken up again.
    """
    printer.require_ready()
    trial = Context(printer, console, probe_count)
    console.say(*_INTRODUCTION)
    _take_up(trial, progress)
    for number, step in enumerate(STEPS, 1):
        name = step.names[0]
        # Looking costs nothing, and much may have happened since
        if name in progress.done and name != configuration.NAME:
            continue
        console.say("", "Step %d of %d: %s. %s" % (number, len(STEPS), name, step.moves))
        if not _run_step(trial, progress, step):
            break
    return progress.rows


def _take_up(trial: Context, progress: Progress) -> None:
    machine = fingerprint(trial.printer.config())
    if progress.done and progress.machine != machine:
        trial.console.say("printer.cfg has changed: the trial begins with its first step.")
        progress.begin_anew(machine)
    progress.machine = machine
    trial.figures = progress.figures


def _run_step(trial: Context, progress: Progress, step: Step) -> bool:
    """Returns whether the trial may go on."""
    progress.begin_step(list(step.names))
    is_good = True
    try:
        for row in step.run(trial):
            progress.rows.append(row)
            progress.rows.sort(key=_place)
            trial.console.say(*_lines(row))
            is_good = is_good and row.verdict != STOP
    except CommandFailed as e:
        raise TrialError("Klipper refused a command: %s" % (e,)) from None
    if is_good and step.names[0] not in progress.done:
        progress.done.append(step.names[0])
    progress.save()
    return is_good


def _place(row: Row) -> int:
    """The number of a row's step; what is looked at again keeps its place on the page."""
    return next((i for i, step in enumerate(STEPS) if row.step in step.names), len(STEPS))


def _lines(row: Row) -> List[str]:
    lines = ["  %s: %s: %s" % (row.verdict.upper(), row.step, row.what)]
    if row.verdict != PASSED and row.advice:
        lines.append("    What to do: %s" % (row.advice,))
    return lines
