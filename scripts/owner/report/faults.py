# What went wrong, by kind, with the first cases of each
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from typing import Dict, List, NamedTuple, Optional, Set

# The longest text and the number of cases that are kept of each kind
_LONGEST_TEXT = 160
CASES_KEPT = 5
# So that a log made up for it cannot fill the memory
_MOST_FORMS = 64

# What Klipper (v0.11 to master) and Kalico write, each at the start of a line
SHUTDOWN = "shutdown"
MCU_SHUTDOWN = "shutdown of an MCU"
ON_REQUEST = "shutdown on request"
LOST = "lost communication"
TIMEOUT = "timeout while homing"
NO_ANSWER = "no answer from an MCU"
NO_CONNECTION = "no connection to an MCU"
NO_START = "start failed"
CAN_ERROR = "CAN bus error"
NO_TRIGGER = "no trigger"
ENDSTOP = "endstop at fault"
SAMPLES = "samples differ too much"
LEVELLING = "levelling given up"
INTERNAL = "internal error"
NOT_LEVEL = "axis that may not be level"
_KINDS = [
    # By its owner's word, or because the host tells all MCUs when one of them is lost
    (ON_REQUEST, r"Transition to shutdown state: (Shutdown due to (?:M112|webhooks).*)"),
    (ON_REQUEST, r"(MCU '[^']*' shutdown: Command request)"),
    (SHUTDOWN, r"Transition to shutdown state: (.*)"),
    (MCU_SHUTDOWN, r"(MCU '[^']*' shutdown: \S.*)"),
    (LOST, r"(Timeout with MCU '[^']*'.*|Lost communication with MCU .*)"),
    (TIMEOUT, r"(Communication timeout during homing.*)"),
    (NO_ANSWER, r"(Unable to obtain '[^']*' response.*|Timeout on wait for '.*)"),
    (
        NO_CONNECTION,
        r"((?:mcu '[^']*': )?Unable to (?:open (?:(?:CAN|serial) )?port|connect).*)",
    ),
    (NO_START, r"((?:Config error|Protocol error|MCU error during connect)$)"),
    (CAN_ERROR, r"(Got error -?\d+ in can write.*|USB CANBUS bridge .* is discarding.*)"),
    (NO_TRIGGER, r"(No trigger on .*|Timeout during endstop homing.*)"),
    (ENDSTOP, r"(Endstop .* still triggered.*|Probe triggered prior to movement.*)"),
    (SAMPLES, r"(Probe samples exceed (?:samples_)?tolerance.*)"),
    (LEVELLING, r"(Retries aborting.*|Too many retries.*)"),
    (INTERNAL, r"(Internal error .*|Unhandled exception .*)"),
]
RESYNC = "multi_mcu_resync"
# After these nothing runs; a later start may be better
AT_START = (NO_CONNECTION, NO_START)
# Klippy logs the error of a command again for each macro that it goes through
_OF_COMMANDS = (TIMEOUT, NO_ANSWER, NO_TRIGGER, ENDSTOP, LEVELLING)
# And what has shut it down again for each command that is given then
_UNTIL_A_START = (MCU_SHUTDOWN, LOST)
_PATTERNS = [(kind, re.compile(pattern)) for kind, pattern in _KINDS]
_NAMES_AND_NUMBERS = re.compile(r"'[^']*'|\b\w+ on \w+:|[-+]?\d+(?:\.\d+)?")


class Case(NamedTuple):
    """One fault: where in which file, at which time of Klippy's, in which words."""

    place: str
    stats_time_s: Optional[float]
    text: str

    def describe(self) -> str:
        """One line."""
        time = "" if self.stats_time_s is None else " (Stats %.1f)" % (self.stats_time_s,)
        return "%s%s: %s" % (self.place, time, self.text)


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
        # Those of the extra, by their words without names and numbers
        self.resync: Dict[str, Fault] = {}
        # Those that have kept the host from starting, as long as it has not
        self.unstarted: Dict[str, Fault] = {}
        self._shut_down_by: Set[str] = set()
        self._last_error = ""
        self._last_time_s: Optional[float] = None
        self._is_echo_due = False

    def look_at(self, case: Case) -> str:
        """Note a line if it reports a fault; returns the kind, or nothing."""
        for kind, pattern in _PATTERNS:
            found = pattern.match(case.text)
            if found:
                case = case._replace(text=found.group(1))
                if not self._is_repeated(kind, case):
                    self.note(kind, case)
                return kind
        return ""

    def resync_error(self, case: Case) -> bool:
        """Note an error of the extra; False if Klippy only repeats one."""
        if self._is_echo(case):
            return False
        self._add_resync(case)
        return True

    def failed_move(self, case: Case) -> None:
        """Note the error of a homing move; Klippy repeats it when the move's command ends."""
        self._add_resync(case)
        self._last_error, self._last_time_s = case.text, case.stats_time_s
        self._is_echo_due = True

    def all_is_well(self) -> None:
        """A homing move has ended without an error: the same one again is another."""
        self._last_error = ""

    def started(self) -> None:
        """The host runs, whatever has kept it from that before."""
        self.unstarted.clear()
        self._shut_down_by.clear()

    def _is_repeated(self, kind: str, case: Case) -> bool:
        if kind in _UNTIL_A_START:
            is_known = case.text in self._shut_down_by
            if len(self._shut_down_by) < _MOST_FORMS:
                self._shut_down_by.add(case.text)
            return is_known
        return kind in _OF_COMMANDS and self._is_echo(case)

    def _is_echo(self, case: Case) -> bool:
        is_same = case.text == self._last_error
        is_echo = is_same and (self._is_echo_due or case.stats_time_s == self._last_time_s)
        self._last_error, self._last_time_s = case.text, case.stats_time_s
        self._is_echo_due = False
        return is_echo

    def note(self, kind: str, case: Case) -> None:
        """Count a case of a kind."""
        self.kinds.setdefault(kind, Fault()).add(case)
        if kind in AT_START:
            self.unstarted.setdefault(kind, Fault()).add(case)

    def _add_resync(self, case: Case) -> None:
        self.note(RESYNC, case)
        form = _NAMES_AND_NUMBERS.sub("...", case.text)
        if form in self.resync or len(self.resync) < _MOST_FORMS:
            self.resync.setdefault(form, Fault()).add(case)
