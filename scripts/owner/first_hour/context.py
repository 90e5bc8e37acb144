# What all steps share: the printer, the owner, the machine, and the state it has to be in
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Dict, List, Optional

from .console import Console
from .errors import CommandFailed, Paused
from .machine import Machine
from .printer import RESYNC, Printer

_MOST_TRIES = 3


class Context:
    """Handed to each step; figures is what goes into the bundle."""

    def __init__(self, printer: Printer, console: Console, probe_count: int) -> None:
        self.printer = printer
        self.console = console
        self.probe_count = probe_count
        self.figures: Dict[str, Any] = {}
        # Axes whose ways a ruler has confirmed in this step
        self.measured: List[str] = []
        self._machine: Optional[Machine] = None

    @property
    def machine(self) -> Machine:
        """What printer.cfg says; read once, and again after a restart."""
        if self._machine is None:
            self._machine = Machine(self.printer.config(), self.printer.resync())
        return self._machine

    def forget_machine(self) -> None:
        """Have printer.cfg read again."""
        self._machine = None

    def resync(self) -> Dict[str, Any]:
        """The status of the extra."""
        return self.printer.resync()

    def ensure_correct(self, correct: bool) -> None:
        """Have the owner set the option `correct`, if it is not in effect; raises Paused."""
        for _ in range(_MOST_TRIES):
            if bool(self.resync().get("correct")) == correct:
                return
            self._show_change(correct)
            self.console.go(
                "saved",
                "Save printer.cfg; the trial then restarts Klipper (nothing moves).",
                str(correct),
            )
            self.printer.restart()
            self.forget_machine()
        raise Paused("'correct: %s' is not in effect" % (correct,))

    def _show_change(self, correct: bool) -> None:
        lines = ["[%s]" % (RESYNC,), "correct: False"]
        if correct:
            what = "Remove the line 'correct: False' from this section of printer.cfg:"
        else:
            what = "Have this in printer.cfg, so that the extra only measures:"
        self.console.say("", what, *["    " + line for line in lines])

    def homed(self) -> str:
        """The axes that are homed, as letters."""
        return str(self.printer.status("toolhead")["toolhead"].get("homed_axes", ""))

    def ensure_homed(self) -> None:
        """G28 if an axis is not homed: motors go off after a long silence; raises CommandFailed."""
        if not set("xyz") - set(self.homed()):
            return
        text = "The printer is not homed (any more): G28 moves all axes to their ends."
        self.console.go("home", text)
        self.printer.run("G28")

    def check_counts(self) -> str:
        """RESYNC_CHECK; returns what is wrong, empty if nothing is."""
        try:
            self.printer.run("RESYNC_CHECK")
        except CommandFailed as e:
            return str(e)
        return out_of_step(self.resync())


def out_of_step(resync: Dict[str, Any]) -> str:
    """Which axes are not known to be in step, and which counts are off; empty if all is well."""
    found: List[str] = []
    for axis, is_so in resync.get("in_sync", {}).items():
        if is_so is not True:
            reason = resync.get("out_of_sync_reason", {}).get(axis) or "not known"
            found.append("axis %s is not in sync: %s" % (axis, reason))
    for name, error_mm in resync.get("following_error_mm", {}).items():
        if error_mm:
            found.append("%s is off by %.6f mm" % (name, error_mm))
    return "; ".join(found)
