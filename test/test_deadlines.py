# No property-based test fails because the machine is busy
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import ast
from pathlib import Path
from typing import List

from hypothesis import settings

TESTS = Path(__file__).resolve().parent


def deadlines_set_in(path: Path) -> List[int]:
    """Return the lines of a file that give Hypothesis a deadline."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] == "settings"
        and any(keyword.arg == "deadline" for keyword in node.keywords)
    ]


def test_examples_have_no_deadline() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None


def test_no_test_sets_a_deadline_of_its_own(tmp_path: Path) -> None:
    strict = tmp_path / "strict.py"
    strict.write_text("@settings(max_examples=5, deadline=200)\ndef test(): pass\n")
    assert deadlines_set_in(strict) == [1]
    found = {str(p): deadlines_set_in(p) for p in sorted(TESTS.rglob("*.py"))}
    assert {path: lines for path, lines in found.items() if lines} == {}
