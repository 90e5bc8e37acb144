# The texts of the errors that the extra raises, read from its source
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import ast
import builtins
import re
from pathlib import Path
from typing import Iterator, List, NamedTuple

EXTRA = Path(__file__).resolve().parents[2] / "klippy" / "extras"
# What makes an error for the user to read: the host's factories, our exceptions
RAISED = re.compile(r"^(error|command_error|config_error|\w+Error)$")
# Texts that are handed to such a raise by a variable
CARRIED = {
    ("answers.py", "trigger_fault"),
    ("span.py", "_check_count"),
    ("fan_out.py", "judge_triggers"),
    ("limit.py", "following_errors"),
    ("comparison.py", "describe"),
}
PREFIX = "multi_mcu_resync: "


class ErrorText(NamedTuple):
    """A text with "..." for what differs, and whether a config is refused by it."""

    text: str
    is_config: bool


def placeholders(template: str) -> str:
    """The text with "..." for each of its %s and the like."""
    return re.sub(r"%[-+.\d]*[sdf]", "...", template)


def _first_string(node: ast.AST) -> str:
    strings = [
        n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    ]
    return strings[0] if strings else ""


def _called_name(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _own_text(template: str) -> str:
    """The template without our prefix, empty if it only carries another text."""
    text = placeholders(template)
    if text.startswith(PREFIX):
        text = text[len(PREFIX) :]
    return text if len(re.findall(r"[a-z]{2,}", text)) > 2 else ""


def _raised(tree: ast.AST) -> Iterator[ErrorText]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not RAISED.match(_called_name(call)):
            continue
        name, owner = _called_name(call), ast.dump(call.func)
        text = _own_text(_first_string(call))
        if text and not hasattr(builtins, name) and "'logging'" not in owner:
            yield ErrorText(text, "config" in owner or name == "LimitsError")


def _carried(path: Path, tree: ast.AST) -> Iterator[ErrorText]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and (path.name, node.name) in CARRIED:
            returned = [n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value]
            texts = [placeholders(_first_string(value)) for value in returned]
            yield from (ErrorText(text, False) for text in texts if text)


def error_texts() -> List[ErrorText]:
    """Every error text of the extra, in the order of the files."""
    found: List[ErrorText] = []
    for path in [EXTRA / "multi_mcu_resync.py", *sorted((EXTRA / "resync").rglob("*.py"))]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [*_raised(tree), *_carried(path, tree)]
    return found
