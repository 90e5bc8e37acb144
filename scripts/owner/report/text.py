# The report as text
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import textwrap
from typing import List

from .document import Finding, Section, Table

_WIDTH = 100


def _table_lines(table: Table) -> List[str]:
    """The first column to the left, the others to the right."""
    rows = [table.titles, *table.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.titles))]
    return [
        "  ".join([row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])])
        for row in rows
    ]


def _finding_lines(finding: Finding) -> List[str]:
    parts = [
        *finding.figures,
        "Limit: %s" % (finding.threshold,),
        "What to do: %s" % (finding.advice or "see docs/Guide.md",),
    ]
    lines = ["", "%s: %s" % (finding.level.upper(), finding.what)]
    for part in parts:
        # Names and places stay whole, to be searched for
        lines += textwrap.wrap(
            part,
            _WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def render(sections: List[Section]) -> str:
    """The report for a terminal."""
    lines: List[str] = []
    for section in sections:
        lines += [section.title, "=" * len(section.title), *section.lines]
        for finding in section.findings:
            lines += _finding_lines(finding)
        lines += [""] * bool(section.findings)
        for i, table in enumerate(section.tables):
            lines += [""] * (i > 0) + _table_lines(table)
        lines += section.drawing
        for note in section.notes:
            lines += textwrap.wrap(note, _WIDTH, initial_indent="  ", subsequent_indent="  ")
        lines.append("")
    return "\n".join(lines)
