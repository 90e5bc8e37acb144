# What became of a run of the fault campaign
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from dataclasses import dataclass, field
from typing import List

from scripts.developer.faults.kinds import KINDS

KIND_NAMES = list(KINDS)
# Tracebacks that the host logs on purpose, by the line above them: of the macro that has to
# fail, of a levelling that is cut short, and of a terminal that nobody reads, also while it
# handles another error
LOGGED_ON_PURPOSE = (
    "Error evaluating 'gcode_macro STOW",
    "ZAdjustHelper adjust_steppers",
    "Write g-code response",
)
TERMINAL_FULL = "BlockingIOError: [Errno 11]"


@dataclass
class Outcome:
    """What became of a run: texts of what was wrong, by what it counts as."""

    seed: int
    kind: str
    has_struck: bool = False
    ended: str = ""
    # Whether a command failed, and whether a rail was not in sync then
    has_failed: bool = False
    was_out_of_sync: bool = False
    silent_skews: List[str] = field(default_factory=list)
    false_alarms: List[str] = field(default_factory=list)
    needless_shutdowns: List[str] = field(default_factory=list)
    wrong_steps: List[str] = field(default_factory=list)
    hangs: List[str] = field(default_factory=list)
    tracebacks: List[str] = field(default_factory=list)
    # Errors without a fault, and whatever else should not be
    others: List[str] = field(default_factory=list)
    story: List[str] = field(default_factory=list)
    steps_in_travel_direction: int = 0

    def what(self) -> str:
        """All that was wrong, in one line; empty if nothing was."""
        found = [
            "%s: %s" % (title, text)
            for title, texts in (
                ("silent skew", self.silent_skews),
                ("false alarm", self.false_alarms),
                ("needless shutdown", self.needless_shutdowns),
                ("step in the direction of travel", self.wrong_steps),
                ("hang", self.hangs),
                ("traceback", self.tracebacks),
                ("other", self.others),
            )
            for text in texts
        ]
        return " | ".join(text.replace("\n", " / ") for text in found)


def kind_of(seed: int) -> str:
    """Kind of fault of a run; consecutive seeds take turns."""
    return KIND_NAMES[seed % len(KIND_NAMES)]


def tracebacks(log: str) -> List[str]:
    """The last line of each traceback, and what the host calls unhandled."""
    found = []
    parts = log.split("Traceback (most recent call last):\n")
    for before, block in zip(parts, parts[1:]):
        error = next(line for line in block.split("\n") if line[:1] != " ")
        is_on_purpose = before.rstrip().split("\n")[-1].startswith(LOGGED_ON_PURPOSE)
        if not is_on_purpose and not error.startswith(TERMINAL_FULL):
            found.append(error)
    found += [line for line in log.splitlines() if "nhandled exception" in line]
    return found
