# Which commands there are, and what they compute
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

import pytest
from resync.count_check.comparison import Comparison
from resync.host.answers import CLOCK_ERROR_S
from resync.model.following_error import Limits
from resync.model.limit_settings import LimitSettings
from resync.model.rail import Rail
from resync.report.commands import Queries, drift_mm, register_commands
from resync.report.history import History
from resync.report.repairs import NoRepairs, Repairs
from resync.state.sync_state import SyncState

from helpers.resync_results import RAIL, result, stepper

OTHER = Rail("stepper_x", ("x",), [stepper("stepper_x", "mcu"), stepper("stepper_x1", "xboard")])


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


class Command:
    """A command with its parameters, and what is answered."""

    error = ValueError

    def __init__(self, **parameters):
        self.parameters = parameters
        self.answers = []

    def get(self, name, default):
        return self.parameters.get(name, default)

    def get_float(self, name, default, minval):
        return self.parameters.get(name, default)

    def get_int(self, name, default, minval, maxval):
        value = self.parameters.get(name, default)
        if not minval <= value <= maxval:
            raise ValueError("%s must be from %d to %d" % (name, minval, maxval))
        return value

    def get_command_parameters(self):
        return self.parameters

    def get_raw_command_parameters(self):
        return ""

    def respond_info(self, text, log=True):
        self.answers.append((text, log))


class AccuracyGCode:
    """A host whose PROBE_ACCURACY moves nothing."""

    def get_command_help(self):
        return ["PROBE_ACCURACY"]

    def run_script_from_command(self, script):
        pass


def queries(rails, history):
    state = SyncState([rail.name for rail in rails])
    return Queries(
        SimpleNamespace(lookup_object=lambda name: AccuracyGCode()), rails, state, history
    )


def test_query_says_that_no_axis_has_steppers_on_several_mcus():
    command = Command()
    queries([], History()).cmd_QUERY_RESYNC(command)
    assert command.answers == [("No axis has steppers on several MCUs", True)]


@pytest.mark.parametrize(
    ("parameters", "is_kept"), [({}, True), ({"RESET": 0}, True), ({"RESET": 1}, False)]
)
def test_statistics_are_reset_only_when_that_is_asked_for(parameters, is_kept):
    history = History()
    history.note_homing_move([result(2, 4)], "")
    queries([RAIL], history).cmd_RESYNC_STATS(Command(**parameters))
    assert bool(history.statistics) == is_kept


def test_accuracy_of_a_probe_that_moves_none_of_the_axes_is_an_error():
    rail = Rail("stepper_z", ("z",), [])
    with pytest.raises(ValueError, match="^RESYNC_ACCURACY: the probe moves none of the resynced"):
        queries([rail], History()).cmd_RESYNC_ACCURACY(Command())


def test_limits_that_are_only_asked_for_are_not_in_the_log():
    limits = LimitSettings({RAIL.name: Limits(0.5, 0.01, 10.0)}, 1.0, "error")
    ferror = SimpleNamespace(limits=limits, trip=None)
    repairs = Repairs(None, [RAIL], SyncState([RAIL.name]), ferror, None, None)
    command = Command(AXIS="z")
    repairs.cmd_SET_RESYNC_LIMITS(command)
    assert [log for _, log in command.answers] == [False]


def test_query_names_the_command_that_levels_an_axis():
    state = SyncState([RAIL.name])
    state.lose(RAIL.name, "a belt was loose")
    state.note_corrected(RAIL.name, RAIL.stepper_names)
    printer = SimpleNamespace(lookup_object=lambda name: AccuracyGCode())
    asked = Queries(printer, [RAIL], state, History())
    asked.note_levelling({RAIL.name: "Z_TILT_ADJUST"})
    command = Command()
    asked.cmd_QUERY_RESYNC(command)
    assert "Run Z_TILT_ADJUST" in command.answers[0][0]


class Standstill:
    """A printer whose toolhead and reactor note that they were waited for."""

    def __init__(self):
        self.waited = []

    def is_shutdown(self):
        return False

    def lookup_object(self, name):
        return SimpleNamespace(wait_moves=lambda: self.waited.append(name))

    def get_reactor(self):
        return self

    def monotonic(self):
        return 5.0

    def pause(self, waketime):
        self.waited.append(round(waketime - 5.0, 6))


def checked(*comparisons):
    """What RESYNC_CHECK says of counts that have been compared once the head stands."""
    printer, command = Standstill(), Command()

    def compare_all():
        assert printer.waited == ["toolhead", 2.0 * CLOCK_ERROR_S]
        return list(comparisons)

    ferror = SimpleNamespace(limits=None, trip=None)
    checks = SimpleNamespace(compare_all=compare_all)
    Repairs(printer, [RAIL], SyncState([RAIL.name]), ferror, None, checks).cmd_RESYNC_CHECK(command)
    return command.answers


GOOD = Comparison("stepper_z", "mcu", 7, 7, 0.0, 0.0)


def test_check_compares_once_the_head_stands():
    other = GOOD._replace(name="stepper_z1", mcu="zboard")
    assert checked(GOOD, other) == [("%s\n%s" % (GOOD.describe(), other.describe()), True)]


def test_check_that_decides_nothing_fails_with_what_to_do():
    doubtful = GOOD._replace(name="stepper_z1", mcu="zboard", doubt="it is late")
    with pytest.raises(ValueError, match="^multi_mcu_resync: stepper_z1 on zboard: not compared,"):
        checked(GOOD, doubtful)


def test_check_within_a_homing_move_is_refused():
    with pytest.raises(ValueError, match="^RESYNC_CHECK: not while the printer homes or probes$"):
        checked(GOOD)
