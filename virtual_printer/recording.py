# Recordings: what has happened in a run, line by line
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Reads and compares recordings, in little memory however long they are.

The first line has the host, and what is needed to do the run again, as JSON. Each further one has
a time (s), a kind, whose it is, what it is, and values: see docs/Recordings.md. The last one says
that it is whole.
"""

import itertools
import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, NamedTuple, Optional

MARK = "# virtual_printer recording 1 "
COLUMNS = ("time_s", "kind", "name", "what", "values")
_END = "end"


class RecordingError(Exception):
    """A file is no recording, or not a whole one; the message is one line."""


class Record(NamedTuple):
    """One thing that has happened."""

    time_s: str
    kind: str
    name: str
    what: str
    values: str

    def describe(self) -> str:
        """Return it for people."""
        return f"{self.time_s} s: {self.kind} {self.name} {self.what} {self.values}".rstrip()


class Difference(NamedTuple):
    """Where two recordings differ first; one of them may be at its end."""

    number: int
    first: Optional[Record]
    second: Optional[Record]


def write_header(path: Path, run: Dict[str, Any]) -> None:
    """Begin a recording."""
    path.write_text(MARK + json.dumps(run, sort_keys=True) + "\n", encoding="utf-8")


def header(path: Path) -> Dict[str, Any]:
    """Return what a recording says of its run."""
    with _open(path) as lines:
        first = next(lines, "")
    if not first.startswith(MARK):
        raise RecordingError(f"{path}: is no recording")
    try:
        found = json.loads(first[len(MARK) :])
    except ValueError:
        raise RecordingError(f"{path}: is cut in its first line") from None
    if not isinstance(found, dict) or not {"host", "run"} <= set(found):
        raise RecordingError(f"{path}: is of another version of the virtual printer")
    return found


def records(path: Path) -> Iterator[Record]:
    """Yield what has happened; raises RecordingError at the end of what is cut."""
    header(path)
    is_whole = False
    with _open(path) as lines:
        next(lines)
        for number, line in enumerate(lines, 2):
            parts = line.rstrip("\n").split(",", len(COLUMNS) - 1)
            if len(parts) != len(COLUMNS) or not line.endswith("\n"):
                raise RecordingError(f"{path}: line {number} is cut")
            is_whole = parts[1] == _END
            if not is_whole:
                yield Record(*parts)
    if not is_whole:
        raise RecordingError(f"{path}: is cut, its end is missing")


def first_difference(first: Path, second: Path) -> Optional[Difference]:
    """Return where two recordings differ first, None if they do not."""
    pairs = itertools.zip_longest(records(first), records(second))
    for number, (one, other) in enumerate(pairs, 1):
        if one != other:
            return Difference(number, one, other)
    return None


@contextmanager
def _open(path: Path) -> Iterator[Iterator[str]]:
    """Open a file and yield its lines; one that cannot be read is an error of one line."""
    try:
        with open(str(path), encoding="utf-8", errors="replace", newline="\n") as file:
            yield iter(file)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror})") from None
