# Step 4: each motor alone
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, Iterator, List, NamedTuple

from ..context import Context
from ..machine import Motor
from ..rows import PASSED, STOP, Row

NAME = "motors"
NONE, SEVERAL, AGAIN = "0", "m", "r"
FORWARDS, BACKWARDS = "a", "b"


class _Seen(NamedTuple):
    """What moved when a stepper was buzzed; moved is a stepper's name, or one of the answers."""

    motor: Motor
    moved: str
    is_forwards: bool


def run(trial: Context) -> Iterator[Row]:
    """Have each motor turn, and ask which one did."""
    trial.ensure_correct(False)
    trial.printer.run("M84")
    trial.console.go(
        "place_head",
        "The motors are off. Put the head by hand into the middle, at least 20 mm away from the bed"
        " and from all ends. Each motor is going to turn alone: 1 mm to and fro, ten times.",
    )
    motors = trial.machine.motors
    seen = [_buzz(trial, motor, motors) for motor in motors]
    rows = list(_verdict(trial, seen))
    yield from rows
    if not rows:
        yield Row(NAME, PASSED, "all %d motors: the right one, the right way" % (len(motors),))


def _label(motor: Motor) -> str:
    return "%s (%s)" % (motor.name, motor.place) if motor.place else motor.name


def _buzz(trial: Context, motor: Motor, motors: List[Motor]) -> _Seen:
    console = trial.console
    numbers = {str(i + 1): one for i, one in enumerate(motors)}
    choices = {number: _label(one) for number, one in numbers.items()}
    choices.update({NONE: "none", SEVERAL: "more than one", AGAIN: "turn it again"})
    answer = AGAIN
    while answer == AGAIN:
        console.go("buzz", "Now %s, 10 s. Watch which motor turns." % (_label(motor),), motor.name)
        trial.printer.run("STEPPER_BUZZ STEPPER=%s" % (_quoted(motor.name),), "M400")
        answer = console.choose("moved", "Which motor turned?", choices, motor.name)
    if answer not in numbers:
        return _Seen(motor, answer, True)
    way = {FORWARDS: motor.direction, BACKWARDS: motor.opposite}
    direction = console.choose("direction", "Which way did it go first?", way, motor.name)
    return _Seen(motor, numbers[answer].name, direction == FORWARDS)


def _quoted(name: str) -> str:
    return '"%s"' % (name,) if " " in name else name


def _verdict(trial: Context, seen: List[_Seen]) -> Iterator[Row]:
    others: Dict[str, _Seen] = {}
    for one in seen:
        if one.moved in (NONE, SEVERAL):
            what = "no motor turned" if one.moved == NONE else "more than one motor turned"
            yield Row(
                NAME,
                STOP,
                "%s on %s: %s" % (one.motor.name, one.motor.board, what),
                "check the pins of [%s], the plug of the motor, its driver, and that [mcu %s] has"
                " the serial or canbus_uuid of the right board" % (one.motor.name, one.motor.board),
                "no_motor" if one.moved == NONE else "several_motors",
            )
        elif one.moved != one.motor.name:
            others[one.motor.name] = one
        elif not one.is_forwards:
            yield Row(
                NAME,
                STOP,
                "%s goes the wrong way" % (one.motor.name,),
                "add or remove the ! in front of dir_pin in [%s], and RESTART" % (one.motor.name,),
                "reversed",
            )
    if others:
        yield _exchanged(trial, others)


def _exchanged(trial: Context, others: Dict[str, _Seen]) -> Row:
    """Ask how it came that other motors turned."""
    pairs = ["%s turns the motor of %s" % (name, one.moved) for name, one in others.items()]
    what = "; ".join(pairs)
    first = next(iter(others.values()))
    boards = {motor.name: motor.board for motor in trial.machine.motors}
    own, moved = first.motor.board, boards[first.moved]
    if own == moved:
        return _swapped(what)
    answer = trial.console.choose(
        "cable",
        "Follow the cable of the motor of %s. To which board does it go?" % (first.moved,),
        {"1": "the one that you call %s" % (own,), "2": "the one that you call %s" % (moved,)},
        first.moved,
    )
    if answer == "1":
        return _swapped(what)
    return Row(
        NAME,
        STOP,
        "%s: the boards %s and %s are exchanged in printer.cfg" % (what, own, moved),
        "exchange the serial or canbus_uuid of [mcu %s] and [mcu %s], and RESTART" % (own, moved),
        "boards_exchanged",
    )


def _swapped(what: str) -> Row:
    return Row(
        NAME,
        STOP,
        "%s: motors are swapped" % (what,),
        "exchange the plugs of these motors with the power off, or their step_pin, dir_pin and"
        " enable_pin in printer.cfg",
        "swapped",
    )
