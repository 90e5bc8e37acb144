# Which commands there are, and what they compute
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from dataclasses import replace
from types import SimpleNamespace

import pytest
from resync.report.commands import Queries, drift_mm, register_commands
from resync.report.history import History
from resync.report.repairs import NoRepairs, Repairs
from resync.state.sync_state import SyncState

from helpers.resync_results import RAIL, stepper

OTHER = replace(RAIL, steppers=[stepper("stepper_x", "mcu"), stepper("stepper_x1", "xboard")])


def test_drift_is_against_the_first_stepper_of_the_rail():
    before_mm = {"stepper_z": 1.0, "stepper_z1": 2.0, "stepper_x": 3.0, "stepper_x1": 4.0}
    after_mm = {"stepper_z": 1.5, "stepper_z1": 2.75, "stepper_x": 3.125, "stepper_x1": 4.0}
    assert drift_mm([RAIL, OTHER], before_mm, after_mm) == pytest.approx(
        {"stepper_z": 0.0, "stepper_z1": 0.25, "stepper_x": 0.0, "stepper_x1": -0.125}
    )


class GCode:
    """Registers commands as a host does, and runs one."""

    def __init__(self):
        self.commands = {}

    def register_command(self, cmd, func, desc=None):
        self.commands[cmd] = (func, desc)

    def run(self, name):
        self.commands[name][0](SimpleNamespace(error=ValueError))


def test_every_command_that_is_registered_is_run_by_what_is_built_later():
    gcode, handlers = GCode(), {}
    register_commands(gcode, lambda name: handlers[name])
    assert all(desc for _, desc in gcode.commands.values())
    printer = SimpleNamespace(lookup_object=lambda name: gcode)
    state = SyncState([])
    queries = Queries(printer, [], state, History()).handlers()
    ferror = SimpleNamespace(limits=None, trip=None)
    repairs = Repairs(printer, [], state, ferror, None, None).handlers()
    assert NoRepairs().handlers().keys() == repairs.keys()
    assert sorted(gcode.commands) == sorted([*queries, *repairs])
    handlers.update(NoRepairs().handlers())
    for name in repairs:
        with pytest.raises(ValueError, match="^%s: no axis is resynced$" % (name,)):
            gcode.run(name)
