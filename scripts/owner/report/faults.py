# What went wrong, by kind, with the first cases of each
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from typing import Dict, List, NamedTuple, Optional

# The longest text and the number of cases that are kept of each kind
_LONGEST_TEXT = 160
CASES_KEPT = 5

# What Klipper (v0.11 to master) and Kalico write, each at the start of a line
_KINDS = [
    ("shutdown", r"Transition to shutdown state: (.*)"),
    ("shutdown of an MCU", r"(MCU '[^']*' shutdown: \S.*)"),
    ("lost communication", r"(Timeout with MCU '[^']*'.*|Lost communication with MCU .*)"),
    ("timeout while homing", r"(Communication timeout during homing.*)"),
    ("no answer from an MCU", r"(Unable to obtain '[^']*' response.*|Timeout on wait for '.*)"),
    ("no connection to an MCU", r"(Unable to (?:open (?:CAN|serial)? ?port|connect).*)"),
    ("CAN bus error", r"(Got error -?\d+ in can write.*|USB CANBUS bridge .* is discarding.*)"),
    ("no trigger", r"(No trigger on .*|Timeout during endstop homing.*)"),
    ("endstop at fault", r"(Endstop .* still triggered.*|Probe triggered prior to movement.*)"),
    ("samples differ too much", r"(Probe samples exceed (?:samples_)?tolerance.*)"),
    ("levelling given up", r"(Retries aborting.*|Too many retries.*)"),
    ("internal error", r"(Internal error .*|Unhandled exception .*)"),
]
RESYNC = "multi_mcu_resync"
_PATTERNS = [(kind, re.compile(pattern)) for kind, pattern in _KINDS]


class Case(NamedTuple):
    """One fault: where in which file, at which time of Klippy's, in which words."""

    place: str
    stats_time_s: Optional[float]
    text: str


class Fault:
    """All cases of one kind."""

    def __init__(self) -> None:
        self.count = 0
        self.cases: List[Case] = []

    def add(self, case: Case) -> None:
        """Count a case, and keep it if it is one of the first."""
        self.count += 1
        if len(self.cases) < CASES_KEPT:
            self.cases.append(case._replace(text=case.text[:_LONGEST_TEXT]))


class Faults:
    """All faults of a log, by kind."""

    def __init__(self) -> None:
        self.kinds: Dict[str, Fault] = {}
        self._last_error = ""

    def look_at(self, text: str, place: str, time_s: Optional[float]) -> None:
        """Note a line if it reports a fault."""
        for kind, pattern in _PATTERNS:
            found = pattern.match(text)
            if found:
                self._add(kind, Case(place, time_s, found.group(1)))
                return

    def resync_error(self, text: str, place: str, time_s: Optional[float]) -> None:
        """Note an error of the extra; its line and Klippy's on the same error are one."""
        if text != self._last_error:
            self._add(RESYNC, Case(place, time_s, text))
        self._last_error = text

    def all_is_well(self) -> None:
        """A homing move has ended without an error: the same one again is another."""
        self._last_error = ""

    def _add(self, kind: str, case: Case) -> None:
        self.kinds.setdefault(kind, Fault()).add(case)
