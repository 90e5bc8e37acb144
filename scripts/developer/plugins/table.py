# The table of plugins: what held on which printer
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from scripts.developer.plugins.outcome import Outcome
from scripts.developer.plugins.printers import FOUR_WITH, KINDS, ONE_WITH, ONE_WITHOUT, Kind

PASSED = "passed"
ALONE_TOO = "fails on one MCU without our section too"
_HEADERS = ("plugin", "commit", "date", "host", "row", *(kind.name for kind in KINDS))


@dataclass(frozen=True)
class TableRow:
    """A row of a plugin on a host; the failures are empty where it has passed."""

    plugin: str
    commit: str
    date: str
    host: str
    version: str
    row: str
    one_without: str
    one_with: str
    four_with: str

    @property
    def failures(self) -> Tuple[str, str, str]:
        """Failures in the order of KINDS."""
        return self.one_without, self.one_with, self.four_with

    @property
    def is_proven(self) -> bool:
        """Whether it passed wherever it can."""
        return not any(self.failures)

    @property
    def is_ours(self) -> bool:
        """Whether it fails with our section only."""
        return not self.one_without and bool(self.one_with or self.four_with)

    def figures(self) -> Dict[str, Any]:
        """Return what is written into the file."""
        return asdict(self)


def judge(outcomes: Mapping[Kind, Outcome]) -> Tuple[str, str, str]:
    """Return why a row fails on each kind of printer: by itself, or by its results."""
    reference = outcomes[ONE_WITHOUT]
    return (
        reference.failure,
        outcomes[ONE_WITH].failure or _difference(outcomes[ONE_WITH], reference),
        outcomes[FOUR_WITH].failure or _difference(outcomes[FOUR_WITH], reference),
    )


def _difference(outcome: Outcome, reference: Outcome) -> str:
    """Return which result is not what it is on one MCU without our section."""
    if reference.failure:
        return ""
    if outcome.results.keys() != reference.results.keys():
        return "has other results: " + ", ".join(outcome.results)
    for name, (value, within) in outcome.results.items():
        expected = reference.results[name].value
        if not abs(value - expected) <= within:
            return f"{name} is {value:.4f}, {expected:.4f} on one MCU without"
    return ""


def text(rows: Sequence[TableRow]) -> str:
    """Return the rows as text, then what has failed with its line."""
    lines = [_HEADERS, *(_cells(row) for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines)]
    found = ["  ".join(c.ljust(w) for c, w in zip(line, widths)).rstrip() for line in lines]
    for row in rows:
        found += _failures(row)
    return "\n".join(found)


def _failures(row: TableRow) -> List[str]:
    if row.one_without:
        return [f"\nfailed, {row.plugin}, {row.row}: {ALONE_TOO}\n    {row.one_without}"]
    return [
        f"\nfailed, {row.plugin}, {row.row}, {kind.name}:\n    {failure}"
        for kind, failure in zip(KINDS, row.failures)
        if failure
    ]


def _cells(row: TableRow) -> List[str]:
    verdicts = ["failed" if failure else PASSED for failure in row.failures]
    return [row.plugin, row.commit, row.date, row.host, row.row, *verdicts]


def markdown(rows: Sequence[TableRow]) -> str:
    """Return the table for the documentation: hosts on which the same holds share a line."""
    hosts: Dict[Tuple[str, ...], List[str]] = {}
    for row in rows:
        plugin = f"{row.plugin}, {row.commit} of {row.date}"
        verdicts = [f"**failed**: {failure}" if failure else PASSED for failure in row.failures]
        if row.one_without:
            verdicts = [f"{ALONE_TOO}: {row.one_without}", "-", "-"]
        host = f"{_title(row.host)} {row.version}"
        hosts.setdefault((plugin, row.row, *verdicts), []).append(host)
    lines = ["| Plugin | Row | Hosts | One MCU without | One MCU with | Four MCUs with |"]
    lines.append("|---|---|---|---|---|---|")
    for (plugin, name, *verdicts), names in sorted(hosts.items(), key=lambda item: item[0][0]):
        cells = [plugin, name, "; ".join(names), *verdicts]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _title(host: str) -> str:
    return {"kalico": "Kalico", "klipper_v0_12": "Klipper", "checkout": "Klipper"}.get(host, host)
