# Two trials side by side, as text and as a page
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import html
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from virtual_printer.what_if.trial import PROBES, Trial

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52em; margin: 2em auto; padding: 0 1em;
       color: #222; background: #fff }
h1 { font-size: 1.4em } h2 { font-size: 1.1em; margin-top: 2em }
table { border-collapse: collapse; width: 100% }
th, td { padding: .35em .8em; border-bottom: 1px solid #ddd; text-align: right }
th:first-child, td:first-child { text-align: left }
.verdict { padding: .8em 1em; border-left: .4em solid #2a7; background: #f2faf5 }
.verdict.bad { border-color: #c33; background: #fdf3f3 }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #1b1b1b } th, td { border-color: #444 }
  .verdict { background: #1f2b25 } .verdict.bad { background: #2f2020 }
}
"""

Row = Tuple[str, ...]


@dataclass(frozen=True)
class Stepper:
    """A Z stepper of the printer that might be."""

    name: str
    board: str
    step_um: float
    # What links and speed let expect
    expected_steps: Optional[float]


@dataclass(frozen=True)
class Comparison:
    """A printer as it is, and as it might be."""

    title: str
    before: Trial
    after: Trial
    steppers: Sequence[Stepper]

    @property
    def is_good(self) -> bool:
        """Whether the printer that might be does all that the present one does."""
        return not self.after.error

    def verdict(self) -> str:
        """Say in a sentence whether it works, and what it costs."""
        if self.after.error:
            problem = " ".join(self.after.error.split())
            also = " So it does as it is." if self.before.error == self.after.error else ""
            return f"It does not work: {problem}{also}"
        costs = [
            text
            for text in (
                _more(self.before.homing_s, self.after.homing_s, "to home"),
                _more(self.before.levelling_s, self.after.levelling_s, "to level"),
                _more(self.before.probe_s, self.after.probe_s, "for each probe"),
            )
            if text
        ]
        return f"It works. It takes {', '.join(costs)}." if costs else "It works."

    def rows(self) -> List[Row]:
        """Return the table of both, with its head."""
        before, after = self.before, self.after
        rows: List[Row] = [("", "as it is", "what if")]
        for title, values in (
            ("G28, s", [_number(t.homing_s, 2) for t in (before, after)]),
            ("levelling, s", [_number(t.levelling_s, 2) for t in (before, after)]),
            ("its retries", [_number(t.level_retries, 0) for t in (before, after)]),
            ("one probe, s", [_number(t.probe_s, 3) for t in (before, after)]),
            (f"range of {PROBES} probes, um", [_number(t.range_um, 1) for t in (before, after)]),
            ("Z steppers moved apart, um", [_number(t.skew_um, 1) for t in (before, after)]),
        ):
            if values != ["-", "-"]:
                rows.append((title, *values))
        for bus in dict.fromkeys([*before.bus_loads, *after.bus_loads]):
            loads = [t.bus_loads.get(bus) for t in (before, after)]
            shares = [None if load is None else 100.0 * load for load in loads]
            rows.append((f"{bus} busy, %", *(_number(share, 1) for share in shares)))
        return rows

    def stepper_rows(self) -> List[Row]:
        """Return the table of overshoots (steps, and um) of the printer that might be."""
        rows: List[Row] = [("", "board", "expected", "mean", "greatest", "greatest, um")]
        for stepper in self.steppers:
            found_mm = self.after.overshoots_mm.get(stepper.name)
            mean_um, greatest_um = (1000.0 * mm for mm in found_mm) if found_mm else (None, None)
            numbers = (
                _number(stepper.expected_steps, 1),
                _number(None if mean_um is None else mean_um / stepper.step_um, 1),
                _number(None if greatest_um is None else greatest_um / stepper.step_um, 0),
                _number(greatest_um, 1),
            )
            rows.append((stepper.name, stepper.board, *numbers))
        return rows


def _number(value: Optional[float], digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _more(before: Optional[float], after: Optional[float], what: str) -> str:
    if before is None or after is None:
        return ""
    difference_ms = 1000.0 * (after - before)
    if abs(difference_ms) < 0.5:
        return f"as long {what}"
    return f"{abs(difference_ms):.0f} ms {'more' if difference_ms > 0 else 'less'} {what}"


def _overshoot_title() -> str:
    return f"Steps past the probe's trigger, before they are taken back ({PROBES} probes)"


def text(comparison: Comparison) -> str:
    """Return all of it as text."""
    parts = [comparison.title, comparison.verdict(), _table(comparison.rows())]
    if comparison.after.overshoots_mm:
        parts += [_overshoot_title() + ":", _table(comparison.stepper_rows())]
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Row]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def page(comparison: Comparison) -> str:
    """Return all of it as HTML, in one file."""
    verdict = html.escape(comparison.verdict())
    kind = "verdict" if comparison.is_good else "verdict bad"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(comparison.title)}</title><style>{_STYLE}</style>",
        f"<h1>{html.escape(comparison.title)}</h1>",
        f'<p class="{kind}">{verdict}</p>',
        _html_table(comparison.rows()),
    ]
    if comparison.after.overshoots_mm:
        parts += [f"<h2>{html.escape(_overshoot_title())}</h2>"]
        parts.append(_html_table(comparison.stepper_rows()))
    parts.append(
        f"<p>Measured on a virtual printer, host {html.escape(comparison.after.host)}.</p>"
    )
    return "\n".join(parts) + "\n</html>\n"


def _html_table(rows: Sequence[Row]) -> str:
    lines = []
    for number, row in enumerate(rows):
        tag = "td" if number else "th"
        lines.append("<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in row) + "</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def of_steppers(
    boards: Mapping[str, Sequence[str]], steps_um: Mapping[str, float], expected: Dict[str, float]
) -> List[Stepper]:
    """Return the Z steppers, each with its board."""
    places = {name: board for board, names in boards.items() for name in names}
    return [
        Stepper(name, places.get(name, "as before"), steps_um[name], expected.get(name))
        for name in steps_um
        if name.startswith("stepper_z")
    ]
