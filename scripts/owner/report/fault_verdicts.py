# What of a log's faults is wrong
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, Iterator, List, Tuple

from . import faults
from .document import Finding
from .faults import Fault
from .guide import guide
from .log import Log

# The Guide's entry on each kind. Of what is on request, or what a later start has overcome, nothing
# is wrong; errors of the extra have entries of their own.
ENTRIES = {
    faults.SHUTDOWN: "The printer was shut down",
    faults.MCU_SHUTDOWN: "The printer was shut down",
    faults.LOST: "An MCU was lost",
    faults.NO_ANSWER: "An MCU was lost",
    faults.TIMEOUT: "A board heard nothing while homing",
    faults.NO_CONNECTION: "The printer did not start",
    faults.NO_START: "The printer did not start",
    faults.CAN_ERROR: "Messages to the CAN bus were thrown away",
    faults.NO_TRIGGER: "An endstop did not trigger",
    faults.ENDSTOP: "An endstop was triggered too early",
    faults.SAMPLES: "The samples of a probe differed",
    faults.LEVELLING: "Levelling was given up",
    faults.INTERNAL: "The host had an internal error",
    faults.NOT_LEVEL: "An axis may not be level",
}
OTHER_ERROR = "The extra reported another error"
OUT_OF_STEP = "An axis was left out of step"
_DOUBTS = (faults.SAMPLES, faults.NOT_LEVEL)
_NOT_COMPARED = "not compared"
_NO_MORE_THAN_NONE = "any is one too many"
_MOST_FIGURES = 8


def finding(is_wrong: bool, entry: str, figures: List[str], threshold: str) -> Finding:
    """A finding with what the Guide's entry advises."""
    more = len(figures) - _MOST_FIGURES
    shown = figures[:_MOST_FIGURES] + ["and %d more" % (more,)] * (more > 0)
    return Finding(is_wrong, entry, shown, threshold, guide().advice.get(entry, ""))


def _figure(fault: Fault) -> str:
    times = "once" if fault.count == 1 else "%d times, first" % (fault.count,)
    return "%s: %s" % (times, fault.cases[0].describe())


def of_klipper(log: Log) -> Iterator[Finding]:
    """What Klipper reports, or the extra in passing."""
    found: Dict[str, Tuple[bool, List[str]]] = {}
    for kind, entry in ENTRIES.items():
        is_at_start = kind in faults.AT_START
        fault = (log.faults.unstarted if is_at_start else log.faults.kinds).get(kind)
        if fault:
            _, figures = found.setdefault(entry, (kind not in _DOUBTS, []))
            figures.append(_figure(fault))
    for entry, (is_wrong, figures) in found.items():
        yield finding(is_wrong, entry, figures, _NO_MORE_THAN_NONE)


def of_the_extra(log: Log) -> Iterator[Finding]:
    """The errors of the extra, by the Guide's entries on them."""
    found: Dict[str, List[str]] = {}
    for fault in log.faults.resync.values():
        entry = guide().heading_of(fault.cases[0].text) or OTHER_ERROR
        found.setdefault(entry, []).append(_figure(fault))
    for entry, figures in found.items():
        yield finding(_NOT_COMPARED not in entry, entry, figures, _NO_MORE_THAN_NONE)


def out_of_step(log: Log) -> Iterator[Finding]:
    """Axes that no homing move or RESYNC has put back at the end of the log."""
    figures = ["%s, since %s" % (axis, case.describe()) for axis, case in log.in_step.lost.items()]
    if figures:
        yield finding(True, OUT_OF_STEP, figures, _NO_MORE_THAN_NONE)
