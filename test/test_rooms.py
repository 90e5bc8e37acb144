# Which part of the project may import which
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import ast
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
