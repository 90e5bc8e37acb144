# How Hypothesis runs the property-based tests of all folders, and which tests are quick
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from hypothesis import settings

from virtual_printer import hosts

# They compile each time, or are about another program
SLOW = (
    "test_chelper.py",
    "test_can.py",
    "test_determinism.py",
    "test_moonraker.py",
)

# How long one example takes says how busy the machine is, not whether a rule holds.  All else is
# left as a profile that was loaded before has it
settings.register_profile("no_deadline", settings.default, deadline=None)
settings.load_profile("no_deadline")


def pytest_addoption(parser):
    """The option of scripts/test.sh --quick."""
    parser.addoption("--quick", action="store_true", help="leave out what takes long")


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


def pytest_collection_modifyitems(config, items):
    """Leave the quick ones if these are asked for."""
    if config.getoption("--quick"):
        kept = list(quick_items(items))
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
