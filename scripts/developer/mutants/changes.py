# Which small changes can be made to a module of the extra
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Mutants: copies of the code with one small mistake in each.

Texts are left alone, and so is what only type checkers read.
"""

import ast
import copy
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[3]
EXTRA = ROOT / "klippy" / "extras"

COMPARED = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COMPUTED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitOr,
}
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
# What type checkers read
SKIPPED_FIELDS = {"annotation", "returns", "decorator_list"}


class Mutant(NamedTuple):
    """One change of a file, which is given below the project's folder.

    The bytes from start to end are replaced; was and now are the lines there
    before and after, in one, and where names the function around them.  name
    is empty unless the mutant is one of the named ones.
    """

    path: str
    line: int
    start: int
    end: int
    replacement: str
    where: str
    was: str
    now: str
    name: str = ""

    def describe(self) -> str:
        """The change in one line, which stays the same when it moves within its file."""
        return "%s %s: %s -> %s" % (Path(self.path).name, self.where, self.was, self.now)

    def applied_to(self, source: str) -> str:
        """The file's text with the change."""
        content = source.encode()
        return (content[: self.start] + self.replacement.encode() + content[self.end :]).decode()


def _changed(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for field, value in fields.items():
        setattr(changed, field, value)
    return changed


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, (ast.List, ast.JoinedStr)) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _numbers(value: object) -> Tuple[object, ...]:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return (value + 1,)
    if isinstance(value, float):
        return (0.0, 2.0 * value) if value else (1.0,)
    return ()


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    """What an expression may be replaced by."""
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            for other in COMPARED[type(operator)]:
                yield _changed(node, ops=[*node.ops[:i], other(), *node.ops[i + 1 :]])
    elif isinstance(node, ast.BoolOp):
        swapped = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield _changed(node, op=swapped)
        for i in range(len(node.values)):
            yield _changed(node, values=[*node.values[:i], *node.values[i + 1 :]])
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node.operand
    elif isinstance(node, ast.BinOp):
        if type(node.op) in COMPUTED and not _is_text(node):
            yield _changed(node, op=COMPUTED[type(node.op)]())
    elif isinstance(node, ast.Constant):
        for value in _numbers(node.value):
            yield ast.Constant(value)
    elif isinstance(node, ast.IfExp):
        yield _changed(node, body=node.orelse, orelse=node.body)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in CALLED:
            yield _changed(node, func=ast.Name(CALLED[node.func.id]))
        elif node.func.id == "abs":
            yield node.args[0]


def _is_removable(node: ast.AST) -> bool:
    """Without the others a name would not be known, which every test notices."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, (ast.Constant, ast.Yield))
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], (ast.Attribute, ast.Subscript))
    return isinstance(node, (ast.Raise, ast.Continue, ast.Break, ast.AugAssign))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """What a statement may be replaced by."""
    if _is_removable(node):
        yield ast.Pass()
    elif isinstance(node, ast.Return) and node.value is not None:
        if isinstance(node.value, ast.Tuple):
            yield _changed(node, value=ast.Tuple(list(reversed(node.value.elts)), ast.Load()))
        elif not isinstance(node.value, ast.Constant):
            yield _changed(node, value=ast.Constant(None))
    if isinstance(node, ast.AugAssign) and type(node.op) in COMPUTED and not _is_text(node.value):
        yield _changed(node, op=COMPUTED[type(node.op)]())


def _conditions(node: ast.AST) -> Iterator[Tuple[ast.expr, ast.AST]]:
    """Conditions that are no comparison, and the same ones negated; filters, and none."""
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        if isinstance(node.test, (ast.Name, ast.Attribute, ast.Call)):
            yield node.test, ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield test, ast.Constant(True)


def _walk(node: ast.AST, where: str) -> Iterator[Tuple[ast.AST, str]]:
    yield node, where
    for field, value in ast.iter_fields(node):
        if field in SKIPPED_FIELDS:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                inner = where
                if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                    inner = "%s.%s" % (where, child.name) if where else child.name
                yield from _walk(child, inner)


class _Lines:
    """Where the lines of a text begin, in bytes."""

    def __init__(self, source: str) -> None:
        self.content = source.encode()
        self._starts = [0]
        for line in self.content.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def line_of(self, offset: int) -> int:
        return max(i for i, start in enumerate(self._starts) if start <= offset) + 1

    def around(self, start: int, end: int) -> Tuple[int, int]:
        """From the begin of the first line to the end of the last."""
        first, last = self.line_of(start), self.line_of(max(start, end - 1))
        return self._starts[first - 1], self._starts[last]


def _in_one_line(content: bytes) -> str:
    return " ".join(content.decode().split())


def make_mutant(
    path: str, source: str, span: Tuple[int, int], replacement: str, where: str, name: str = ""
) -> Mutant:
    """The mutant that replaces these bytes (start, end) of a file."""
    lines = _Lines(source)
    start, end = span
    first, last = lines.around(start, end)
    was = lines.content[first:last]
    now = lines.content[first:start] + replacement.encode() + lines.content[end:last]
    one_line = _in_one_line(was), _in_one_line(now)
    return Mutant(path, lines.line_of(start), start, end, replacement, where, *one_line, name)


def mutants_of(path: str, source: str) -> List[Mutant]:
    """All mutants of a module; path is below the project's folder."""
    lines = _Lines(source)
    found = {}
    for node, where in _walk(ast.parse(source), ""):
        changes = [(node, new) for new in (*_expressions(node), *_statements(node))]
        both: List[Tuple[Any, ast.AST]] = [*changes, *_conditions(node)]
        for old, new in both:
            start = lines.offset(old.lineno, old.col_offset)
            end = lines.offset(old.end_lineno or 0, old.end_col_offset or 0)
            text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(new)))
            if isinstance(old, ast.expr) and not isinstance(new, ast.Constant):
                # It may stand where another operator binds more tightly
                text = "(%s)" % (text,)
            mutant = make_mutant(path, source, (start, end), text, where or "module")
            found[start, end, text] = mutant
    return list(found.values())


# The type checker reads them, and test_contract.py compares them with the hosts
SIGNATURES = "klippy.py"


def module_paths(root: Path = ROOT) -> Sequence[str]:
    """The modules of the extra that do something, below the project's folder."""
    extras = root / "klippy" / "extras"
    modules = [extras / "multi_mcu_resync.py", *sorted((extras / "resync").rglob("[!_]*.py"))]
    return [str(path.relative_to(root)) for path in modules if path.name != SIGNATURES]
