# The report's first section: what is wrong, and what to do
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List

from . import fault_verdicts, link_verdicts, move_verdicts
from .document import Finding, Section, counted, duration
from .log import Log

# What stops a printer comes first
_JUDGES = (
    fault_verdicts.of_klipper,
    fault_verdicts.of_the_extra,
    fault_verdicts.out_of_step,
    move_verdicts.late,
    link_verdicts.slow,
    link_verdicts.repeated,
    link_verdicts.damaged,
    link_verdicts.clocks,
    move_verdicts.far,
)


def findings(log: Log) -> List[Finding]:
    """All that is wrong, then all that is worth a look."""
    found = [one for judge in _JUDGES for one in judge(log)]
    return sorted(found, key=lambda one: not one.is_wrong)


def summary(log: Log, found: List[Finding]) -> str:
    """One line."""
    wrong = sum(one.is_wrong for one in found)
    doubts = len(found) - wrong
    if not log.stats_lines and not log.moves.count and not wrong:
        return "there is nothing to judge: the log has no Stats line and no homing move"
    text = "nothing is wrong"
    if wrong:
        text = "%s wrong" % (counted(wrong, "thing is", "things are"),)
    if doubts:
        text += ", %s worth a look" % (counted(doubts, "thing is", "things are"),)
    return "%s (%s, links to %s over %s)" % (
        text,
        counted(log.moves.count, "homing move"),
        counted(len(log.links), "MCU"),
        duration(log.elapsed_s),
    )


def verdict(log: Log) -> Section:
    """What is wrong, with figures and thresholds."""
    section = Section("Verdict")
    section.findings = findings(log)
    section.lines.append(summary(log, section.findings))
    if section.findings:
        section.notes.append("Each title is that of an entry in docs/Guide.md.")
    return section
