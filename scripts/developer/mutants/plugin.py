# What pytest does in a copy of the project that has a mutant, or is to be recorded
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""The plan is a JSON file, which MUTANT_PLAN names.

hosts    for each host but the first, the test files that run on it too
record   the folder for what each test has reached, or null
tests    limits (s) of the only tests to run, in the order in which to run them, or null
"""

import builtins
import json
import os
import re
import resource
import signal
from pathlib import Path
from typing import Any, Iterator, List, Set

import pytest
from hypothesis import Phase, settings

from scripts.developer.mutants.reached import FILE_NAME, FUNCTION

PLAN = json.loads(Path(os.environ["MUTANT_PLAN"]).read_text())
RECORD_LIMIT_S = 300

# The same examples each time, and no search for the simplest one that fails
settings.register_profile(
    "mutants", derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("mutants")

_reached: Set[str] = set()
if PLAN["record"]:
    setattr(builtins, FUNCTION, _reached.add)


def _is_wanted(item: pytest.Item) -> bool:
    for host, files in PLAN["hosts"].items():
        if host in item.name and item.path.name not in files:
            return False
    return PLAN["tests"] is None or item.nodeid in PLAN["tests"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    wanted = [item for item in items if _is_wanted(item)]
    config.hook.pytest_deselected(items=[item for item in items if not _is_wanted(item)])
    if PLAN["tests"] is not None:
        order = list(PLAN["tests"])
        wanted.sort(key=lambda item: order.index(item.nodeid))
    items[:] = wanted


def _cpu_s() -> float:
    """What this process and those that have ended in it took, however busy the machine is."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _out_of_time(*_: Any) -> None:
    pytest.fail("out of time")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    limit_s = RECORD_LIMIT_S if PLAN["tests"] is None else PLAN["tests"][item.nodeid]
    signal.signal(signal.SIGALRM, _out_of_time)
    signal.alarm(int(limit_s))
    _reached.clear()
    started_s = _cpu_s()
    item.stash[FAILED] = False
    try:
        return (yield)
    finally:
        signal.alarm(0)
        if PLAN["record"] and not item.stash[FAILED]:
            _record(item, _cpu_s() - started_s)


FAILED = pytest.StashKey[bool]()
FOLDER = pytest.StashKey[Path]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    item.stash[FAILED] |= not report.passed
    arguments = getattr(item, "funcargs", {})
    if report.when == "call" and "tmp_path" in arguments:
        # Klippy notes what it has reached in its own folder, which is gone after the test
        for path in arguments["tmp_path"].rglob(FILE_NAME):
            _reached.update(path.read_text().split())
    return report


def _record(item: pytest.Item, cpu_s: float) -> None:
    name = re.sub(r"\W", "_", item.nodeid)[-150:] + "-%d.json" % (hash(item.nodeid) & 0xFFFFFF,)
    entry = {"test": item.nodeid, "cpu_s": cpu_s, "reached": sorted(_reached)}
    (Path(PLAN["record"]) / name).write_text(json.dumps(entry))
