# Which part of the virtual printer's C sources may include which
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import os
import re
from pathlib import Path
from typing import List

import pytest

from virtual_printer import build

# The simulation's folders from the ground up: those of one floor do not know each other
FLOORS = (
    {"simulation/core"},
    {"simulation/links", "simulation/mechanics"},
    {"simulation/devices"},
    {"simulation/firmware"},
    {"simulation/description"},
    {"simulation/requests"},
    {"simulation"},
)
VIRTUAL_TIME = "virtual_time"
# All that virtual time knows of the simulation
INTERFACE = "simulation/simulation.h"

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
FILES = sorted(path.relative_to(build.SOURCES) for path in build.SOURCES.rglob("*.[ch]"))


def may_include(folder: str, header: str) -> bool:
    other = os.path.dirname(header)
    if other == folder:
        return True
    if folder == VIRTUAL_TIME:
        return header == INTERFACE
    floor = next(i for i, folders in enumerate(FLOORS) if folder in folders)
    return any(other in folders for folders in FLOORS[:floor])


def breaches(source: str, folder: str) -> List[str]:
    """Return the headers that a file of a folder must not include."""
    headers = (os.path.normpath(os.path.join(folder, name)) for name in INCLUDE.findall(source))
    return [header for header in headers if not may_include(folder, header)]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_file_includes_only_what_is_below_it(path: Path) -> None:
    source = (build.SOURCES / path).read_text(encoding="utf-8")
    assert breaches(source, str(path.parent)) == []


def test_every_file_is_on_a_floor() -> None:
    assert {str(path.parent) for path in FILES} == {VIRTUAL_TIME}.union(*FLOORS)


@pytest.mark.parametrize(
    ("folder", "line"),
    [
        ("simulation/core", '#include "../description/machine.h" // copy_string'),
        ("simulation/core", '#include "../simulation.h"'),
        ("simulation/core", '  # include "../links/link.h"'),
        ("simulation/links", '#include "../firmware/mcu.h"'),
        ("simulation/links", '#include "../mechanics/mechanics.h"'),
        ("simulation/mechanics", '#include "../links/link.h"'),
        ("simulation/firmware", '#include "../description/machine.h"'),
        ("simulation/description", '#include "../requests/control.h"'),
        ("simulation/requests", '#include "../simulation.h"'),
        ("simulation", '#include "../virtual_time/virtual_time.h"'),
        ("virtual_time", '#include "../simulation/description/machine.h"'),
        ("virtual_time", '#include "../simulation/core/timeline.h"'),
    ],
)
def test_breach_is_found(folder: str, line: str) -> None:
    assert breaches(f"#include <stdio.h>\n{line}\n", folder) != []
