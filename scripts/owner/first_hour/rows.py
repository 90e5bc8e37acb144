# What the trial has found: one row for each thing that was looked at
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Dict, List, NamedTuple

PASSED, LOOK, STOP = "passed", "look at this", "stop"


class Row(NamedTuple):
    """A verdict.

    reason is one word for a machine, empty where all is well; what has the figures, advice says
    what to do.
    """

    step: str
    verdict: str
    what: str
    advice: str = ""
    reason: str = ""

    def to_json(self) -> Dict[str, str]:
        """What the state file keeps."""
        return self._asdict()


def row_from_json(kept: Any) -> Row:
    """The row that to_json() made; raises ValueError for anything else."""
    if not isinstance(kept, dict) or set(kept) != set(Row._fields):
        raise ValueError("no row")
    if not all(isinstance(value, str) for value in kept.values()):
        raise ValueError("no row")
    if kept["verdict"] not in (PASSED, LOOK, STOP):
        raise ValueError("no verdict")
    return Row(**kept)


def worst(rows: List[Row]) -> str:
    """The verdict of all rows together."""
    found = [row.verdict for row in rows]
    return STOP if STOP in found else LOOK if LOOK in found else PASSED
