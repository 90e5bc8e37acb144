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
    """What can happen to things of one kind.

    `names` says of which names there are some, in which `kind` of thing. Choices are words that
    stand alone, and options those with a value.
    """

    kind: str
    options: Tuple[str, ...]
    choices: Tuple[str, ...] = ()


VERBS: Dict[str, _Verb] = {
    "link": _Verb(
        "mcu", ("drop", "repeat", "corrupt", "late_us", "delay_us", "for_s", "direction")
    ),
    "mcu": _Verb(
        "mcu", ("reason",), ("disconnect", "reconnect", "reboot", "shutdown", "trip", "bus_off")
    ),
    "clock": _Verb("mcu", ("drift_ppm",)),
    "reply": _Verb("mcu", ("malformed", "times", "field", "late_us"), ("RESPONSE",)),
    "sensor": _Verb("mcu", ("state",)),
    "can_bus": _Verb("can_bus", ("load", "load_id", "error_rate")),
    "endstop": _Verb("pin", ("reads", "bounces", "for_s", "noise_um")),
    "button": _Verb("pin", ("is",)),
    "stepper": _Verb("stepper", ("lose", "direction")),
    "driver": _Verb("driver", ("power",)),
    "heater": _Verb("heater", ("power",)),
    "temperature_sensor": _Verb("sensor", ("state",)),
    "host": _Verb("", ("stall_s",), ("emergency_stop",)),
}
_RESPONSE = "RESPONSE"
# Options whose values are words; those of all others are numbers
_WORDS = ("direction", "reason", "malformed", "state", "reads", "is")


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
    if words[0] not in VERBS:
        raise ScenarioError(f"{place}: no '{words[0]}' (there are {', '.join(VERBS)})")
    name_at = 0 if words[0] == "host" else 1
    verb = VERBS[words[0]]
    plain = [word for word in words[1:] if "=" not in word]
    if len(plain) < name_at:
        raise ScenarioError(f"{place}: '{words[0]}' of what? The {verb.kind}'s name is missing")
    # Names of sections may have blanks
    count = len(plain) - (1 if verb.choices and len(plain) > name_at else 0)
    name = " ".join(plain[:count])
    choice = plain[count] if count < len(plain) else ""
    if choice and verb.choices != (_RESPONSE,) and choice not in verb.choices:
        raise ScenarioError(f"{place}: no '{choice}' (there are {', '.join(verb.choices)})")
    options = {}
    for word in words[1:]:
        option = _OPTION.fullmatch(word)
        if "=" in word and (not option or option["name"] not in verb.options):
            have = ", ".join(verb.options)
            raise ScenarioError(f"{place}: {words[0]} has no option '{word}' (there are {have})")
        if option:
            if option["name"] not in _WORDS and not re.fullmatch(rf"-?{_NUMBER}", option["value"]):
                raise ScenarioError(f"{place}: '{word}' is no number")
            options[option["name"]] = option["value"]
    if not choice and not options:
        have = ", ".join((*verb.choices, *verb.options))
        raise ScenarioError(f"{place}: what is to become of {name or words[0]}? (there are {have})")
    return words[0], name, choice, options


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

    def _note_command(self, command: str) -> None:
        for happening in list(self._waiting):
            if command.upper().startswith(happening.event.command):
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
