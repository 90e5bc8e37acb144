# Which carriages a printer has and which stepper moves which, from printer.cfg
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

from printer_config.config import Config
from printer_config.section import Section

# How far a stepper turns for 1 mm of each carriage (mm)
Moves = Dict[str, float]

_DUAL = "dual_carriage"
# What the first stepper of a rail moves, where that is not simply its own carriage
_COUPLED: Dict[str, Dict[str, Moves]] = {
    "cartesian": {},
    "corexy": {"x": {"x": 1.0, "y": 1.0}, "y": {"x": 1.0, "y": -1.0}},
    "corexz": {"x": {"x": 1.0, "z": 1.0}, "z": {"x": 1.0, "z": -1.0}},
    "hybrid_corexy": {"x": {"x": 1.0, "y": -1.0}, _DUAL: {_DUAL: 1.0, "y": 1.0}},
    "hybrid_corexz": {"x": {"x": 1.0, "z": -1.0}, _DUAL: {_DUAL: 1.0, "z": 1.0}},
}
_GENERIC = "generic_cartesian"
_LIMITED = "limited_"
_TERM = re.compile(r"\s*([+-]?)\s*(?:(\d+\.?\d*|\.\d+)\s*\*\s*)?([A-Za-z_]\w*)\s*")


@dataclass(frozen=True)
class Track:
    """Something that moves along one axis, with a switch at its end."""

    name: str
    axis: str
    # Section that has position_min, position_endstop and position_max
    range: Section
    endstop: Section
    # The track whose extra this is: they bear the same thing between them
    primary: str
    has_toolhead: bool


@dataclass(frozen=True)
class Motor:
    """A stepper's section and which tracks it moves."""

    section: Section
    moves: Moves

    @property
    def name(self) -> str:
        """Return its name as one word, which sections of generic_cartesian have not."""
        return self.section.name.replace(" ", "_")


@dataclass(frozen=True)
class Kinematics:
    """All tracks and all steppers, in the order of printer.cfg's axes or sections."""

    tracks: Tuple[Track, ...]
    motors: Tuple[Motor, ...]

    def of_axis(self, axis: str) -> List[Track]:
        """Return an axis's tracks, its main one first."""
        return [track for track in self.tracks if track.axis == axis]


def load(printer: Config) -> Kinematics:
    """Read them from printer.cfg."""
    section = printer.required_section("printer")
    name = section.get("kinematics")
    if name == _GENERIC:
        return _load_generic(printer)
    # Kalico's limited ones differ in nothing but their speeds
    coupled = name[len(_LIMITED) :] if name.startswith(_LIMITED) else name
    if coupled not in _COUPLED:
        raise section.error("kinematics", f"is not supported: '{name}'")
    return _load_rails(printer, section, coupled, [(axis, axis) for axis in "xyz"])


def load_rails(printer: Config, rails: Sequence[Tuple[str, str]]) -> Kinematics:
    """Read only some rails, given by their names and axes, each of which moves on its own."""
    return _load_rails(printer, printer.required_section("printer"), "cartesian", rails)


# Kinematics with one rail for each axis


def _load_rails(
    printer: Config, section: Section, name: str, named: Sequence[Tuple[str, str]]
) -> Kinematics:
    coupled = _COUPLED[name]
    tracks: List[Track] = []
    motors: List[Motor] = []
    rails = [(rail, axis, f"stepper_{rail}") for rail, axis in named]
    if _DUAL in printer.sections:
        axis = printer.sections[_DUAL].get("axis", "x")
        if axis not in ("x", "y") or (name not in ("cartesian",) and axis != "x"):
            raise printer.sections[_DUAL].error("axis", f"is not simulated: '{axis}'")
        rails.append((_DUAL, axis, _DUAL))
    for rail, axis, first in rails:
        steppers = members(printer, first)
        moves = coupled.get(rail, {rail: 1.0})
        is_shared = len(moves) > 1 or any(rail in other for other in coupled.values())
        for index, member in enumerate(steppers):
            has_own_switch = index and _has_own_switch(member, steppers[0])
            own = member.name if has_own_switch and rail not in one_signal_axes(printer) else rail
            if own != rail or index == 0:
                tracks.append(Track(own, axis, steppers[0], member, rail, rail != _DUAL))
            # A coupled belt holds its motors together, whatever switches they have
            if own != rail and not is_shared:
                motors.append(Motor(member, {own: 1.0}))
            else:
                motors.append(Motor(member, _member_moves(section, name, rail, moves, index)))
    return Kinematics(tuple(tracks), tuple(motors))


def members(printer: Config, first: str) -> List[Section]:
    """Return the sections of a rail's steppers."""
    sections = [printer.required_section(first)]
    while f"{first}{len(sections)}" in printer.sections:
        sections.append(printer.sections[f"{first}{len(sections)}"])
    return sections


def one_signal_axes(printer: Config) -> List[str]:
    """Return the axes of whose switches [multi_mcu_resync] says that they carry one signal."""
    text = printer.section("multi_mcu_resync").get("one_signal_axes", "")
    return [axis.strip() for axis in text.split(",")]


def _has_own_switch(member: Section, first: Section) -> bool:
    return member.get("endstop_pin", "") not in ("", first.get("endstop_pin"))


def _member_moves(section: Section, name: str, rail: str, moves: Moves, index: int) -> Moves:
    """Return what one of a rail's steppers moves."""
    if not name.startswith("hybrid_") or len(moves) == 1:
        return moves
    # Kalico lets a hybrid rail's further steppers pull the belt's other end, and turn all round
    is_turned = (index > 0) != section.get_boolean("invert_kinematics", False)
    return {key: -by if is_turned and key != rail else by for key, by in moves.items()}


# generic_cartesian


def _load_generic(printer: Config) -> Kinematics:
    tracks: Dict[str, Track] = {}
    extras: List[Tuple[str, Section]] = []
    motors: List[Motor] = []
    for kind, name, section in _named(printer):
        if kind == "carriage":
            axis = section.get("axis", name)
            tracks[name] = Track(name, _axis(section, axis), section, section, name, True)
        elif kind == "extra_carriage":
            extras.append((name, section))
        elif kind == _DUAL:
            primary = section.get("primary_carriage", "")
            of_primary = printer.section(f"carriage {primary}").get("axis", primary)
            axis = section.get("axis", of_primary)
            tracks[name] = Track(name, _axis(section, axis), section, section, name, False)
    for axis in "xyz":
        if not any(track.axis == axis and track.has_toolhead for track in tracks.values()):
            raise printer.section("printer").error("kinematics", f"has no carriage for {axis}")
    for name, section in extras:
        track = tracks.get(section.get("primary_carriage"))
        if track is None:
            raise section.error("primary_carriage", "is not there")
        tracks[name] = Track(name, track.axis, track.range, section, track.name, track.has_toolhead)
    for kind, _, section in _named(printer):
        if kind == "stepper":
            motors.append(Motor(section, _parse_moves(section, tracks)))
    # The carriages of the toolhead lead
    order = sorted(tracks.values(), key=lambda one: (not one.has_toolhead, one.axis))
    return Kinematics(tuple(order), tuple(motors))


def _named(printer: Config) -> List[Tuple[str, str, Section]]:
    """Return the sections whose headers have two words: kind, name, section."""
    found = [(name.split(), section) for name, section in printer.sections.items()]
    return [(words[0], words[1], section) for words, section in found if len(words) == 2]


def _axis(section: Section, axis: str) -> str:
    if axis not in ("x", "y", "z"):
        raise section.error("axis", "must be x, y or z")
    return axis


def _parse_moves(section: Section, tracks: Dict[str, Track]) -> Moves:
    """Return what an expression like x-0.5*y stands for."""
    text = section.get("carriages")
    moves: Moves = {}
    position = 0
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None or (moves and not term.group(1)):
            raise section.error("carriages", f"is not a sum of carriages: '{text}'")
        sign, factor, name = term.groups()
        if name not in tracks:
            raise section.error("carriages", f"names a carriage that is not there: '{name}'")
        moves[name] = float(f"{sign}{factor or 1.0}")
        position = term.end()
    if not moves:
        raise section.error("carriages", "is empty")
    return moves
