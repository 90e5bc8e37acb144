# Have the extra's code note which of its lines are reached
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""The code itself is changed: no tracer reaches into a Klippy in virtual time.

Each statement of a function first calls FUNCTION with "<file>:<line>".
"""

import ast
from typing import List

FUNCTION = "__reached__"
# Where a Klippy writes it, in the folder that it runs in
FILE_NAME = "mutant_reached"

PREAMBLE = """
import builtins as _builtins
if not hasattr(_builtins, "%(function)s"):
    def _make():
        reached = set()
        def note(place):
            if place not in reached:
                reached.add(place)
                with open("%(file)s", "a") as f:
                    print(place, file=f)
        return note
    _builtins.%(function)s = _make()
""" % {"function": FUNCTION, "file": FILE_NAME}


class _Noting(ast.NodeTransformer):
    def __init__(self, file_name: str) -> None:
        self._file_name = file_name
        self._is_in_function = False

    def _noted(self, body: List[ast.stmt]) -> List[ast.stmt]:
        noted: List[ast.stmt] = []
        for i, statement in enumerate(body):
            is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not (i == 0 and is_text):
                place = "%s:%d" % (self._file_name, statement.lineno)
                noted += ast.parse("%s(%r)" % (FUNCTION, place)).body
            noted.append(statement)
        return noted

    def generic_visit(self, node: ast.AST) -> ast.AST:
        was_in_function = self._is_in_function
        self._is_in_function |= isinstance(node, ast.FunctionDef)
        super().generic_visit(node)
        if self._is_in_function:
            for field in ("body", "orelse", "finalbody"):
                body = getattr(node, field, None)
                if isinstance(body, list) and body:
                    setattr(node, field, self._noted(body))
        self._is_in_function = was_in_function
        return node


def noting(source: str, file_name: str) -> str:
    """The source of a module that notes what is reached of it."""
    tree = _Noting(file_name).visit(ast.parse(source))
    return PREAMBLE + ast.unparse(ast.fix_missing_locations(tree))
