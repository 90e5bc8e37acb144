# Step 5: endstops and probe by hand
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Iterator

from ..context import Context
from ..errors import CommandFailed
from ..machine import Switch
from ..rows import LOOK, PASSED, STOP, Row

NAME = "trigger by hand"


def run(trial: Context) -> Iterator[Row]:
    """Read each with and without a hand on it."""
    trial.printer.run("M84")
    switches, left_out = trial.machine.switches()
    for text in left_out:
        yield Row(
            NAME, LOOK, "not tried by hand, %s" % (text,), "watch its first move", "not_tried"
        )
    for switch in switches:
        yield _try(trial, switch)


def _is_triggered(trial: Context, switch: Switch) -> bool:
    if switch.is_probe:
        return trial.printer.probe_is_triggered()
    return trial.printer.endstops().get(switch.axis, False)


def _try(trial: Context, switch: Switch) -> Row:
    console = trial.console
    try:
        if switch.section == "bltouch":
            trial.printer.run("BLTOUCH_DEBUG COMMAND=pin_down", "BLTOUCH_DEBUG COMMAND=touch_mode")
        text = "Nothing may touch the %s: move away from it by hand." % (switch.name,)
        console.go("release", text, switch.name)
        before = _is_triggered(trial, switch)
        console.go("press", "Trigger the %s by hand and hold it." % (switch.name,), switch.name)
        held = _is_triggered(trial, switch)
        console.go("release", "Let go of it.", switch.name)
        after = _is_triggered(trial, switch)
        if switch.section == "bltouch":
            trial.printer.run("BLTOUCH_DEBUG COMMAND=pin_up")
    except CommandFailed as e:
        advice = "see its section in printer.cfg"
        return Row(NAME, STOP, "%s: %s" % (switch.name, e), advice, "unreadable")
    return _verdict(switch, before, held, after)


def _verdict(switch: Switch, before: bool, held: bool, after: bool) -> Row:
    what = "%s (pin %s in [%s])" % (switch.name, switch.pin, switch.section)
    if (before, held, after) == (False, True, False):
        return Row(NAME, PASSED, "%s: triggers, and lets go" % (what,))
    if before and held:
        return Row(
            NAME,
            STOP,
            "%s reads triggered all the time" % (what,),
            "it is stuck or shorted, or without a wire if it is a switch that opens: repair it",
            "stuck_pin",
        )
    if before:
        advice = "add or remove the ! in front of that pin, and RESTART"
        return Row(NAME, STOP, "%s reads the wrong way round" % (what,), advice, "inverted_pin")
    if held:
        return Row(NAME, STOP, "%s does not let go" % (what,), "it sticks: repair it", "stuck_pin")
    return Row(
        NAME,
        STOP,
        "%s stays open while you trigger it" % (what,),
        "name the pin in printer.cfg that it is wired to, or repair its wire",
        "wrong_pin",
    )
