# Step 6: the first homing of each shared axis, ended by hand in mid-air
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Iterator, List

from ..context import Context
from ..errors import CommandFailed
from ..rows import LOOK, PASSED, STOP, Row
from . import distance

NAME = "first homing"
_MOST_TRIES = 3
LEVEL_BY_HAND = (
    "The motors are off. Put the shared axes straight by hand, Z at half of its height, both ends"
    " of each axis alike."
)


def run(trial: Context, axis: str) -> Iterator[Row]:
    """Home an axis, and have the owner trigger before anything is reached.

    Z comes after all others, which home by themselves before it: they have to be where the host
    takes them to be when the head goes to where Z homes.
    """
    console = trial.console
    trial.printer.run("M84")
    console.go("level", LEVEL_BY_HAND)
    if axis == "z":
        yield from distance.hop(trial)
    error = ""
    for _ in range(_MOST_TRIES):
        before = trial.resync()["homing_moves"]
        error = _home(trial, axis)
        if not error and trial.resync()["homing_moves"] != before:
            text = "Did all steppers of axis %s stop together?" % (axis,)
            yield from _verdict(trial, axis, console.is_so("together", text, axis))
            return
        console.say("It did not end with a trigger by hand: %s" % (error or "nothing moved",))
        if not console.is_so("again", "Was it only that you were late? Then try again.", axis):
            break
    yield _failed(axis, error or "nothing was recorded")


def _home(trial: Context, axis: str) -> str:
    """Home an axis with a hand at its switch; returns Klipper's error, empty if there is none."""
    others = {"x", "y"} if axis == "z" else set()
    try:
        while True:
            if others - set(trial.homed()):
                text = "G28 X Y: the head goes to its ends. Be ready to stop."
                trial.console.go("home", text)
                trial.printer.run("G28 X Y")
            trial.console.go("mid_air", _what_moves(trial, axis), axis)
            # Motors go off while nobody answers
            if not others - set(trial.homed()):
                break
        trial.printer.run("G28 %s" % (axis.upper(),), "M400")
    except CommandFailed as e:
        return str(e)
    return ""


def _what_moves(trial: Context, axis: str) -> str:
    machine = trial.machine
    second = (
        " Let go at once: a second, slow touch follows, trigger again."
        if (machine.is_second_touch(axis))
        else ""
    )
    sensor = "the probe" if axis == "z" and machine.probe is not None else "the endstop"
    return (
        "G28 %s: all its steppers move towards the endstop at %g mm/s, until you trigger %s by hand"
        " in mid-air, as soon as you see them move.%s One hand stays on the emergency stop"
        " (Ctrl-C here)." % (axis.upper(), machine.homing_speed_mm_s(axis), sensor, second)
    )


def _failed(axis: str, error: str) -> Row:
    return Row(
        NAME,
        STOP,
        "axis %s did not stop by hand: %s" % (axis, error),
        "find out why before it homes by itself: pins, wires, links",
        "no_stop",
    )


def _verdict(trial: Context, axis: str, together: bool) -> Iterator[Row]:
    status = trial.resync()
    names: List[str] = [n for n in trial.machine.names_of(axis) if n in status["latency_ms"]]
    times = ", ".join("%s %.1f ms" % (name, status["latency_ms"][name]) for name in names)
    if not together:
        advice = "do not home again: look at the link and the driver of the one that went on"
        yield Row(NAME, STOP, "axis %s: they did not stop together" % axis, advice, "no_stop")
    elif not status["triggered"]:
        yield Row(NAME, LOOK, "axis %s: no trigger was recorded" % axis, "home again", "no_trigger")
    else:
        yield Row(NAME, PASSED, "axis %s: stopped by hand; after the trigger %s" % (axis, times))
