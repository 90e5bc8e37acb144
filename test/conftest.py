# How Hypothesis runs the tests of all folders, which tests run, and how long each may take
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import resource

import changed
import pytest
from hypothesis import settings

from virtual_printer import hosts

# They compile each time, or are about another program
SLOW = (
    "test_chelper.py",
    "test_can.py",
    "test_determinism.py",
    "test_first_hour_rehearsal.py",
    "test_moonraker.py",
    "test_package.py",
)

# How long one example takes says how busy the machine is, not whether a rule holds.  All else is
# left as a profile that was loaded before has it
settings.register_profile("no_deadline", settings.default, deadline=None)
settings.load_profile("no_deadline")


def pytest_addoption(parser):
    """The options of scripts/test.sh."""
    parser.addoption("--quick", action="store_true", help="leave out what takes long")
    parser.addoption("--changed", action="store_true", help="run the tests of what has changed")
    parser.addoption("--cpu-limit", type=float, help="CPU time (s) above which a test fails")


def cpu_s():
    """What this process and those that have ended in it took, however busy the machine is."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


CPU_S_BEFORE = pytest.StashKey()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    item.stash[CPU_S_BEFORE] = cpu_s()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item):
    """Fail a test that took too long, when its printers have ended too."""
    yield
    limit_s = item.config.getoption("--cpu-limit")
    took_s = cpu_s() - item.stash[CPU_S_BEFORE]
    if limit_s is not None and took_s > limit_s:
        pytest.fail("took %.1f s of CPU time, more than %g s" % (took_s, limit_s), pytrace=False)


def quick_items(items):
    """What needs no host and is not slow; of each file that needs one, a test on the first host."""
    first_host = hosts.available()[0].name
    files = set()
    for item in items:
        callspec = getattr(item, "callspec", None)
        host = callspec.params.get("host") if callspec else None
        if any(name in item.nodeid for name in SLOW) or host not in (None, first_host):
            continue
        if item.path.parent.name == "end_to_end" and item.path in files:
            continue
        files.add(item.path)
        yield item


def changed_items(items):
    """All of the files that a change asks for, and the quick ones of what it has printers run."""
    paths = changed.changed_paths()
    files = changed.files_to_test(paths)
    on_printers = [item for item in items if item.path.parent.name == "end_to_end"]
    quick = set(quick_items(on_printers)) if any(map(changed.needs_a_printer, paths)) else set()
    return [item for item in items if item.nodeid.partition("::")[0] in files or item in quick]


def pytest_collection_modifyitems(config, items):
    """Leave the quick ones, or those of what has changed, if these are asked for."""
    kept = list(items)
    if config.getoption("--quick"):
        kept = list(quick_items(kept))
    if config.getoption("--changed"):
        kept = changed_items(kept)
    left_out = set(items).difference(kept)
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = kept
