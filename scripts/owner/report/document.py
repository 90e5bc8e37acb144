# What a report is made of, whatever it is shown as
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, NamedTuple, Optional, Sequence

from .canbus import Load


class Table:
    """Rows of cells under titles."""

    def __init__(self, titles: Sequence[str]) -> None:
        self.titles = list(titles)
        self.rows: List[List[str]] = []

    def add(self, *cells: str) -> None:
        """Append a row."""
        self.rows.append(list(cells))


class Finding(NamedTuple):
    """Something that is wrong, or only worth a look, with its figures and what to do.

    what is the heading of the Guide's entry, threshold says from where on it is found.
    """

    is_wrong: bool
    what: str
    figures: List[str]
    threshold: str
    advice: str

    @property
    def level(self) -> str:
        """How bad it is, in a word or two."""
        return "wrong" if self.is_wrong else "worth a look"


class Section:
    """A headline with lines, tables, and notes that say what the figures mean."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.tables: List[Table] = []
        self.notes: List[str] = []
        self.lines: List[str] = []
        self.findings: List[Finding] = []
        # What a plot shows better, for where there are no plots
        self.drawing: List[str] = []
        # Names of plots, for where there are some
        self.plots: List[str] = []


def counted(count: int, one: str, more: str = "") -> str:
    """A count with its noun, whose plural is given or takes an s."""
    return "%d %s" % (count, one if count == 1 else more or one + "s")


def number(value: Optional[float], form: str) -> str:
    """A number, or a dash if there is none; next to nothing has no minus."""
    if value is None:
        return "-"
    text = form % (value,)
    return text if float(text) else text.replace("-", "+" if "+" in form else "")


def percent(load: Load) -> str:
    """A share as expected/worst percentage."""
    return "/".join("%.3g" % (100.0 * share,) for share in load)


def duration(seconds: float) -> str:
    """A time span in words."""
    minutes = int(seconds // 60)
    if minutes < 60:
        return "%d min %02d s" % (minutes, seconds % 60)
    return "%d h %02d min" % (minutes // 60, minutes % 60)
