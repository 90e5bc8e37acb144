# What happens to a virtual printer, and when: a file of events, timed or drawn from a seed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Reads scenarios, and has a session suffer them.

A line says when, and after a colon what: "at 12.5: link z1 drop=1". docs/Scenarios.md has all of
both; the words are those of the requests on the control socket, with the names of printer.cfg.
"""

import random
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from printer_config.section import ConfigError
from virtual_printer.session import Session, SessionError

_NUMBER = r"\d+(?:\.\d+)?"
_SPAN = rf"(?P<least>{_NUMBER})(?:\.\.(?P<most>{_NUMBER}))?"
_WHEN = re.compile(rf"(?:at|(?P<every>every)|after (?P<command>\S.*?)) {_SPAN}")
_OPTION = re.compile(r"(?P<name>\w+)=(?P<value>\S+)")
# What an endstop reads, and whether that is triggered
_READINGS: Mapping[str, Optional[bool]] = {"triggered": True, "open": False, "free": None}


class ScenarioError(SessionError):
    """A line of a scenario is wrong; the message is one line that begins with file and line."""


class _Verb(NamedTuple):
    """What can happen to a thing of one kind.

    Choices are words that stand alone, options those with a value. One of any_of has to be there,
    unless a choice is, and all of all_of.
    """

    kind: str
    options: Tuple[str, ...]
    choices: Tuple[str, ...] = ()
    any_of: Tuple[str, ...] = ()
    all_of: Tuple[str, ...] = ()


_SPOILT = ("drop", "repeat", "corrupt", "late_us", "delay_us")
_ACTIONS = ("disconnect", "reconnect", "reboot", "shutdown", "trip", "bus_off")
_RESPONSE = "RESPONSE"
VERBS: Dict[str, _Verb] = {
    "link": _Verb("mcu", (*_SPOILT, "for_s", "direction"), any_of=_SPOILT),
    "mcu": _Verb("mcu", ("reason",), _ACTIONS),
    "clock": _Verb("mcu", ("drift_ppm",), all_of=("drift_ppm",)),
    "reply": _Verb(
        "mcu", ("malformed", "times", "field", "late_us"), (_RESPONSE,), all_of=("malformed",)
    ),
    "sensor": _Verb("mcu", ("state",), all_of=("state",)),
    "can_bus": _Verb(
        "can_bus", ("load", "load_id", "error_rate"), any_of=("load", "load_id", "error_rate")
    ),
    "endstop": _Verb(
        "pin",
        ("reads", "bounces", "for_s", "noise_um"),
        any_of=("reads", "bounces", "noise_um"),
    ),
    "button": _Verb("pin", ("is",), all_of=("is",)),
    "stepper": _Verb("stepper", ("lose", "direction"), all_of=("lose", "direction")),
    "driver": _Verb("driver", ("power",), all_of=("power",)),
    "heater": _Verb("heater", ("power",), all_of=("power",)),
    "temperature_sensor": _Verb("sensor", ("state",), all_of=("state",)),
    "host": _Verb("", ("stall_s",), ("emergency_stop",), any_of=("stall_s",)),
}
# Options whose values are words, whole numbers, or may be negative; those of all others are numbers
_WORDS = ("direction", "reason", "malformed", "state", "reads", "is")
_COUNTS = ("drop", "repeat", "corrupt", "times", "field", "lose", "bounces", "load_id")
_SIGNED = ("drift_ppm",)


@dataclass(frozen=True)
class Event:
    """One line: when, and what.

    The time (s) lies between least_s and most_s, after the printer was ready, after the last time
    if it comes again and again, or after a command was begun.
    """

    place: str
    least_s: float
    most_s: float
    is_repeated: bool
    command: str
    verb: str
    name: str
    choice: str
    options: Mapping[str, str]
    text: str

    @property
    def machine_name(self) -> str:
        """What the simulation calls a section whose name has blanks."""
        return self.name.replace(" ", "_")


def text_of(path: Path) -> str:
    """Return the text of a file whose lines are all right; raises ScenarioError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise ScenarioError(f"{path}: cannot be read ({reason})") from None
    parse(text, str(path))
    return text


def parse(text: str, file: str = "scenario") -> List[Event]:
    """Return the events of a text; raises ScenarioError."""
    events = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].strip()
        if line:
            events.append(_parse_line(line, f"{file}:{number}"))
    return events


def do(session: Session, what: str) -> None:
    """Have something happen to a session now, in the words of a line behind its colon."""
    event = _parse_line(f"at 0: {what}", "now")
    _check(session, event)
    _Happening(session, event, 0).do()


def _parse_line(line: str, place: str) -> Event:
    when, colon, what = (part.strip() for part in line.partition(": "))
    found = _WHEN.fullmatch(when)
    if not colon or not found:
        raise ScenarioError(
            f"{place}: '{line}' does not begin with 'at SECONDS: ', 'every SECONDS: '"
            " or 'after COMMAND SECONDS: '"
        )
    least_s = float(found["least"])
    most_s = float(found["most"] or least_s)
    if most_s < least_s:
        raise ScenarioError(f"{place}: {found['least']}..{found['most']} ends before it begins")
    if found["every"] and not most_s:
        raise ScenarioError(f"{place}: 'every 0' would come all the time")
    verb, name, choice, options = _parse_what(what.split(), place)
    return Event(
        place=place,
        least_s=least_s,
        most_s=most_s,
        is_repeated=bool(found["every"]),
        command=(found["command"] or "").upper(),
        verb=verb,
        name=name,
        choice=choice,
        options=options,
        text=what,
    )


def _parse_what(words: List[str], place: str) -> Tuple[str, str, str, Dict[str, str]]:
    if not words or words[0] not in VERBS:
        what = f"no '{words[0]}'" if words else "nothing"
        raise ScenarioError(f"{place}: {what} (there are {', '.join(VERBS)})")
    verb = VERBS[words[0]]
    plain = [word for word in words[1:] if "=" not in word]
    # Names of sections may have blanks
    has_choice = bool(verb.choices) and len(plain) > (1 if verb.kind else 0)
    name = " ".join(plain[:-1] if has_choice else plain)
    choice = plain[-1] if has_choice else ""
    if bool(name) != bool(verb.kind):
        what = f"of what? The {verb.kind}'s name is missing" if verb.kind else f"of '{name}'?"
        raise ScenarioError(f"{place}: '{words[0]}' {what}")
    if choice and verb.choices != (_RESPONSE,) and choice not in verb.choices:
        raise ScenarioError(f"{place}: no '{choice}' (there are {', '.join(verb.choices)})")
    options = dict(_parse_option(word, words[0], place) for word in words[1:] if "=" in word)
    _check_whole(words[0], name, choice, options, place)
    return words[0], name, choice, options


def _parse_option(word: str, verb: str, place: str) -> Tuple[str, str]:
    option = _OPTION.fullmatch(word)
    if not option or option["name"] not in VERBS[verb].options:
        have = ", ".join(VERBS[verb].options)
        raise ScenarioError(f"{place}: {verb} has no option '{word}' (there are {have})")
    name, value = option["name"], option["value"]
    pattern = r"\d+" if name in _COUNTS else f"-?{_NUMBER}" if name in _SIGNED else _NUMBER
    if name not in _WORDS and not re.fullmatch(pattern, value):
        what = "whole number" if name in _COUNTS else "number"
        raise ScenarioError(f"{place}: '{word}' is no {what}")
    return name, value


def _check_whole(
    verb_name: str, name: str, choice: str, options: Mapping[str, str], place: str
) -> None:
    """Refuse what says too little."""
    verb = VERBS[verb_name]
    is_said = bool(choice) or any(one in options for one in verb.any_of)
    needs_word = bool(verb.choices or verb.any_of)
    missing = [one for one in verb.all_of if one not in options]
    if missing:
        advice = f"It takes {', '.join(missing)} too"
    elif needs_word and not is_said:
        advice = f"It takes one of {', '.join((*verb.choices, *verb.any_of))}"
    else:
        return
    raise ScenarioError(f"{place}: what is to become of {name or verb_name}? {advice}")


class Player:
    """Has a session suffer the events of a scenario, whose times are drawn from its seed."""

    def __init__(
        self,
        session: Session,
        events: Sequence[Event],
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        for event in events:
            _check(session, event)
        self._say = say
        happenings = [_Happening(session, e, i) for i, e in enumerate(events)]
        self._waiting = [one for one in happenings if one.event.command]
        self._session = session
        for happening in happenings:
            if not happening.event.command:
                self._put_off(happening)
        session.listen_to_commands(self._note_command)

    def waiting(self) -> List[Event]:
        """Return the events whose command has not come."""
        return [happening.event for happening in self._waiting]

    def _note_command(self, script: str) -> None:
        lines = [line.strip().upper() for line in script.splitlines()]
        for happening in list(self._waiting):
            if any(line.startswith(happening.event.command) for line in lines):
                self._waiting.remove(happening)
                self._put_off(happening)

    def _put_off(self, happening: "_Happening") -> None:
        self._session.call_at(happening.draw_time_s(), lambda: self._strike(happening))

    def _strike(self, happening: "_Happening") -> None:
        event = happening.event
        self._say(f"{self._session.now_s():.6f} s: {event.text} ({event.place})")
        try:
            happening.do()
        except ScenarioError:
            raise
        except SessionError as error:
            raise ScenarioError(f"{event.place}: {error}") from error
        if event.is_repeated:
            self._put_off(happening)


def _check(session: Session, event: Event) -> None:
    """Refuse what this printer does not have."""
    kind = VERBS[event.verb].kind
    if kind == "pin":
        try:
            session.place_of(event.name)
        except (ConfigError, KeyError):
            raise ScenarioError(f"{event.place}: no pin '{event.name}'") from None
    elif kind:
        names = session.names_of(kind)
        if event.machine_name not in names:
            have = ", ".join(sorted(names)) or "none"
            raise ScenarioError(f"{event.place}: no {kind} '{event.name}' (there are {have})")


class _Happening:
    """An event of one run."""

    def __init__(self, session: Session, event: Event, number: int) -> None:
        self.event = event
        self._session = session
        self._random = random.Random(f"{session.seed} {number}")

    def draw_time_s(self) -> float:
        """Return when it is to happen next."""
        pause_s = self._random.uniform(self.event.least_s, self.event.most_s)
        return self._session.now_s() + pause_s

    def do(self) -> None:
        """Let it happen now."""
        event, options = self.event, self.event.options
        if event.verb == "host" and event.choice:
            self._session.emergency_stop()
        elif event.verb == "host":
            self._session.control(f"stall {options['stall_s']}")
        elif event.verb == "button":
            press = {"pressed": self._session.press, "released": self._session.release}
            press[self._chosen("is", list(press))](event.name)
        elif event.verb == "endstop":
            self._touch()
        else:
            words = [event.verb, event.machine_name, event.choice]
            words += [f"{name}={value}" for name, value in options.items()]
            if event.verb == "link":
                words.append(f"from_s={self._session.now_s():.9f}")
            self._session.control(" ".join(word for word in words if word))

    def _touch(self) -> None:
        """Have an endstop read what is wanted, spread, or bounce."""
        pin, options = self.event.name, self.event.options
        if "noise_um" in options:
            place = self._session.place_of(pin)
            self._session.control(f"endstop {place} noise_um={options['noise_um']}")
        if "reads" in options:
            reading = _READINGS[self._chosen("reads", list(_READINGS))]
            self._session.hold_endstop(pin, reading)
        if "bounces" in options:
            self._bounce(int(options["bounces"]), float(options.get("for_s", "0.01")))

    def _bounce(self, count: int, length_s: float) -> None:
        pin, begin_s = self.event.name, self._session.now_s()
        edges_s = sorted(begin_s + self._random.uniform(0.0, length_s) for _ in range(2 * count))
        for number, edge_s in enumerate(edges_s):
            self._session.call_at(edge_s, partial(self._session.hold_endstop, pin, number % 2 == 0))
        self._session.call_at(begin_s + length_s, partial(self._session.hold_endstop, pin, None))

    def _chosen(self, option: str, choices: Sequence[str]) -> str:
        value = self.event.options[option]
        if value not in choices:
            have = ", ".join(choices)
            raise ScenarioError(f"{self.event.place}: no {option}={value} (there are {have})")
        return value
