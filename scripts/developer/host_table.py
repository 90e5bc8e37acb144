# Plug-in of pytest for check_host.sh: what holds on a checkout, area by area
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from pathlib import Path
from typing import Any, Dict, Generator, List

import pytest

from virtual_printer.hosts import CHECKOUT

COUNTED = ("passed", "failed", "skipped")


class Row:
    """How the tests of one area came out: their number by outcome."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(COUNTED, 0)

    def verdict(self) -> str:
        """One word; what a host does not have cannot fail on it."""
        if self.counts["failed"]:
            return "FAIL"
        return "pass" if self.counts["passed"] else "skipped"

    def describe(self, area: str) -> str:
        """One line of the table."""
        counts = ["%d %s" % (n, outcome) for outcome, n in self.counts.items() if n]
        return "  %-18s%-9s%s" % (area, self.verdict(), ", ".join(counts))


class HostTable:
    """Collects the outcomes of all tests, reported by the processes that run them."""

    def __init__(self) -> None:
        self._rows: Dict[str, Row] = {}
        self._notes: List[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count a test once: when it was called, or when it did not come to that."""
        if report.when != "call" and report.passed:
            return
        properties = dict(report.user_properties)
        area = properties.get("area", "not started")
        self._rows.setdefault(area, Row()).counts[report.outcome] += 1
        test = report.nodeid.split("::")[-1]
        if report.failed:
            self._notes.append(self._failure("%s: %s" % (area, test), report, properties))
        elif report.skipped:
            reason = str(report.longrepr[-1]).replace("Skipped: ", "")
            self._notes.append("skipped, %s: %s\n    %s" % (area, test, reason))

    @staticmethod
    def _failure(title: str, report: Any, properties: Dict[str, str]) -> str:
        text = report.longreprtext
        lines = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
        note = "FAILED, %s\n    %s" % (title, (lines or text.splitlines()[-1:] or [""])[0])
        if "folder" in properties:
            folder = Path(properties["folder"])
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "failure.txt").write_text(text, encoding="utf-8")
            note += "\n    logs: %s" % (folder,)
        return note

    def is_proven(self) -> bool:
        """Whether anything has passed at all."""
        return any(row.counts["passed"] for row in self._rows.values())

    def pytest_sessionfinish(self, session: Any) -> None:
        """To have run nothing is no success."""
        if session.exitstatus == pytest.ExitCode.OK and not self.is_proven():
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the notes, then the table."""
        terminalreporter.ensure_newline()
        for line in [*self._notes, "", *(r.describe(a) for a, r in sorted(self._rows.items()))]:
            terminalreporter.write_line(line)
        terminalreporter.write_line("")


def area_of(item: Any) -> str:
    """The area that a test is about, by its mark, else by its file."""
    mark = item.get_closest_marker("area")
    return str(mark.args[0]) if mark else str(item.path.stem.replace("test_", "").replace("_", " "))


def pytest_addoption(parser: Any) -> None:
    """The option of check_host.sh --quick."""
    parser.addoption("--one-per-area", action="store_true", help="run one test of each area")


def pytest_configure(config: Any) -> None:
    """Only the process that prints has a table."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(HostTable(), "host_table_rows")


def pytest_collection_modifyitems(config: Any, items: List[Any]) -> None:
    """Leave the tests that run on the checkout, and note the area of each."""
    kept, left_out, areas = [], [], set()
    for item in items:
        callspec = getattr(item, "callspec", None)
        area = area_of(item)
        is_first = area not in areas or not config.getoption("one_per_area")
        if is_first and callspec is not None and callspec.params.get("host") == CHECKOUT:
            areas.add(area)
            item.user_properties.append(("area", area))
            kept.append(item)
        else:
            left_out.append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any) -> Generator[None, Any, None]:
    """Note the folder in which a test had its printers."""
    outcome = yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if folder is not None:
        outcome.get_result().user_properties.append(("folder", str(folder)))
