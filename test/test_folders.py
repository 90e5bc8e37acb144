# Which folder of the scripts may import which, and that no code but a command's changes sys.path
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DEVELOPER = "scripts.developer"
OTHERS = ("klippy", "scripts", "virtual_printer")
PARTS = sorted(path.parent.name for path in (ROOT / "scripts" / "developer").glob("*/__init__.py"))


def python_files(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def name_of(path):
    return str(path.relative_to(ROOT))


def imported(source):
    """Full names of what a module imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ("%s.%s" % (node.module, alias.name) for alias in node.names)


def changes_sys_path(source):
    return any(
        isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path"
        for node in ast.walk(ast.parse(source))
    )


def foreign_parts(source, part):
    """The other parts of the developer's scripts that a module of one imports."""
    names = [name.split(".") for name in imported(source) if name.startswith(DEVELOPER + ".")]
    return [name[2] for name in names if name[2] in PARTS and name[2] != part]


@pytest.mark.parametrize(
    "path", [*python_files("test"), *python_files("scripts/developer")], ids=name_of
)
def test_imports_need_no_change_of_sys_path(path):
    assert not changes_sys_path(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", PARTS)
def test_parts_of_the_developers_scripts_do_not_know_each_other(part):
    for path in python_files("scripts/developer/" + part):
        assert foreign_parts(path.read_text(encoding="utf-8"), part) == [], path


@pytest.mark.parametrize("folder", OTHERS)
def test_nothing_else_needs_the_developers_scripts(folder):
    for path in python_files(folder):
        if not name_of(path).startswith("scripts/developer/"):
            names = imported(path.read_text(encoding="utf-8"))
            assert not [name for name in names if name.startswith(DEVELOPER)], path


def test_breach_is_found():
    assert changes_sys_path("import sys\nsys.path.insert(0, 'x')\n")
    assert changes_sys_path("import sys\nsys.path += ['x']\n")
    assert foreign_parts("from scripts.developer.faults.judge import Claim", "bench") == ["faults"]
    assert foreign_parts("from scripts.developer import mutants", "bench") == ["mutants"]
    assert foreign_parts("from scripts.developer.parallel import Task", "bench") == []
    assert list(imported("import scripts.developer.demo")) == ["scripts.developer.demo"]
