# Which part of the project may import which, and which one alone knows the host
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ROOT / "klippy" / "extras" / "resync"
# From the ground up: rooms of one floor do not know each other
FLOORS = (
    {"model"},
    {"host"},
    {"pins", "state"},
    {"homing", "count_check"},
    {"report"},
)


def floor_of(room):
    return next(i for i, rooms in enumerate(FLOORS) if room in rooms)


def imported_rooms(source, room):
    """The other rooms that a module of a room imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            # One dot is the room itself, two are the house
            module = (node.module or "").split(".")
            if node.level == 2:
                yield from [module[0]] if module[0] else [alias.name for alias in node.names]
            elif node.level > 2:
                yield "outside"


def breaches(source, room):
    allowed = set().union(*FLOORS[: floor_of(room)])
    return [other for other in imported_rooms(source, room) if other not in allowed]


MODULES = sorted(ROOMS.glob("*/*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: "%s/%s" % (path.parent.name, path.stem))
def test_room_imports_only_what_is_below_it(path):
    assert breaches(path.read_text(encoding="utf-8"), path.parent.name) == []


def test_every_module_is_in_a_room_of_a_floor():
    assert {path.parent.name for path in MODULES} == set().union(*FLOORS)
    assert [path.name for path in ROOMS.glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize(
    "room, line",
    [
        ("model", "from ..host import mapping"),
        ("host", "from ..state.guard import MoveGuard"),
        ("state", "from ..pins.signals import Signals"),
        ("count_check", "from ..homing.resyncer import Resyncer"),
        ("homing", "from .. import report"),
        ("report", "from ...multi_mcu_resync import load_config"),
    ],
)
def test_breach_is_found(room, line):
    assert breaches(line, room) != []


# Only host/ names what belongs to Klippy

EXTRA = [ROOMS.parent / "multi_mcu_resync.py", *MODULES]
# What finds out about objects, or changes them, by the names of their attributes
BY_NAME = {"getattr", "hasattr", "setattr", "delattr", "vars"}
# What reaches into modules and functions
REACHING = {"ctypes", "gc", "importlib", "inspect", "sys", "types"}
# Of named tuples and of Python
PUBLIC = {"_replace", "_asdict", "__init__", "__name__"}
VERSION = re.compile(r"\bv0\.\d|Klipper \d{4}|Kalico")


def is_own(node):
    """Whether an attribute is one of the object whose code this is."""
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def imported_names(node):
    """All parts of the names that a node imports."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        return {part for name in names for part in name.split(".")}
    return set()


def reaches_into_host(source):
    """What a module outside of host/ must not do."""
    found = VERSION.findall(source)
    for node in ast.walk(ast.parse(source)):
        found += imported_names(node) & {"stand_in", *REACHING}
        if isinstance(node, ast.Name) and node.id in BY_NAME:
            found.append(node.id)
        elif isinstance(node, ast.Attribute) and not is_own(node):
            is_private = node.attr.startswith("_") and node.attr not in PUBLIC
            if is_private or not isinstance(node.ctx, ast.Load):
                found.append(node.attr)
    return found


def test_only_the_host_room_knows_the_host():
    found = {
        path.name: reaches_into_host(path.read_text(encoding="utf-8"))
        for path in EXTRA
        if path.parent.name != "host"
    }
    assert len(found) > 30
    assert {name: names for name, names in found.items() if names} == {}


def test_functions_of_the_host_are_replaced_in_one_list():
    names = {"StandIn", "Wrapping", "look_alike"}
    importing = {
        path.name
        for path in EXTRA
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if imported_names(node) & names
    }
    assert importing == {"patches.py"}


@pytest.mark.parametrize(
    "line",
    [
        "from ..host.stand_in import Wrapping",
        "from ..host import stand_in",
        "toolhead._flush_lookahead()",
        "self._endstop._dispatch.stop()",
        "toolhead.__class__.set_position",
        "toolhead.set_position = print",
        "self._toolhead.commanded_pos = [0.0]",
        "self._limits.on_ferror += text",
        "del toolhead.set_position",
        "setattr(toolhead, 'set_position', print)",
        "delattr(toolhead, 'set_position')",
        "vars(toolhead)['set_position'] = print",
        "if hasattr(toolhead, 'note_kinematic_activity'): pass",
        "note = getattr(toolhead, 'note_kinematic_activity', None)",
        "import sys",
        "from sys import modules",
        "import importlib.util",
        "pass  # until v0.12",
        "pass  # since Klipper 2024-01-06",
    ],
)
def test_module_that_reaches_into_the_host_is_found(line):
    assert reaches_into_host(line) != []


@pytest.mark.parametrize(
    "line",
    [
        "self._patches.around_stop(self._trsync, self._watch)",
        "limits = limits._replace(ferror_mm=1.0)",
        "super().__init__(text)",
        "self._state = state",
        "from ..host.patches import Patches",
    ],
)
def test_module_that_minds_its_own_business_is_not_found(line):
    assert reaches_into_host(line) == []


def lines_with_any(source):
    """Numbers and texts of lines that mention a type that says nothing."""
    lines = source.splitlines()
    return [(i, line) for i, line in enumerate(lines) if re.search(r"\b(Any|Opaque)\b", line)]


def test_any_is_in_few_lines_each_with_its_reason():
    found = []
    for path in EXTRA:
        source = path.read_text(encoding="utf-8")
        for number, line in lines_with_any(source):
            found.append((path.name, line))
            if not re.match(r"from|    Any,", line):
                assert "#" in "".join(source.splitlines()[number - 2 : number + 1]), line
    assert len(found) <= 15, found
