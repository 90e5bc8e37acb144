# Each function of the host that is replaced is called as before, and ours in its turn
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from resync.host.patches import Layer, Patches

from helpers.described import described


def make_host():
    """An object of a class of its own, since its functions' code is swapped."""

    class Host:
        def __init__(self):
            self.story = []

        def set_position(self, newpos, homing_axes=""):
            self.story.append(("host", newpos, homing_axes))

        def check_move(self, move):
            self.story.append(("host", move))

        def manual_move(self, stepper, dist, speed, accel=0.0):
            self.story.append(("host", stepper, dist, speed, accel))

        def cmd_FORCE_MOVE(self, gcmd):
            self.story.append(("host", gcmd))

        def cmd_STEPPER_BUZZ(self, gcmd):
            self.story.append(("host", gcmd))

        def homing_move(self, movepos, speed, probe_pos=False):
            self.story.append(("host", movepos, speed, probe_pos))
            return "epos"

        def home_start(self, print_time, sample_time, sample_count, rest_time, triggered=True):
            self.story.append(("host", print_time, triggered))
            return "completion"

        def home_wait(self, home_end_time):
            self.story.append(("host", home_end_time))
            return 5.0

        def stop(self):
            self.story.append(("host",))
            return 1

        def adjust_steppers(self, adjustments, speed):
            self.story.append(("host", adjustments, speed))

        def check_retry_result(self, retry_result):
            self.story.append(("host", retry_result))
            return "done"

        def setup_pin(self, pin_type, pin_desc):
            self.story.append(("host", pin_type, pin_desc))
            return "pin"

        def add_stepper(self, stepper):
            self.story.append(("host", stepper))

    return Host()


@pytest.fixture
def host():
    return make_host()


@pytest.fixture
def patches():
    return Patches()


def ours(host, result=False):
    """Ours around a function: what it gets is noted, then the host does its work."""

    def around(proceed, *arguments):
        host.story.append(("ours", *arguments))
        returned = proceed()
        return returned if result else None

    return around


def noted(host):
    return lambda *arguments: host.story.append(("ours", *arguments))


# What replaces a function, how it is called, and what is called in which order
CASES = {
    "set_position": (
        lambda host, patches: patches.around_set_position(host, ours(host)),
        lambda host: host.set_position([1.0], homing_axes="z"),
        [("ours", [1.0]), ("host", [1.0], "z")],
        None,
    ),
    "check_move": (
        lambda host, patches: patches.after_check_move(host, noted(host)),
        lambda host: host.check_move("move"),
        [("host", "move"), ("ours", "move")],
        None,
    ),
    "manual_move": (
        lambda host, patches: patches.around_manual_move(host, ours(host)),
        lambda host: host.manual_move("z1", 1.0, speed=5.0),
        [("ours", "z1"), ("host", "z1", 1.0, 5.0, 0.0)],
        None,
    ),
    "cmd_FORCE_MOVE": (
        lambda host, patches: patches.around_manual_commands(host, ours(host)),
        lambda host: host.cmd_FORCE_MOVE("gcmd"),
        [("ours", "gcmd"), ("host", "gcmd")],
        None,
    ),
    "cmd_STEPPER_BUZZ": (
        lambda host, patches: patches.around_manual_commands(host, ours(host)),
        lambda host: host.cmd_STEPPER_BUZZ("gcmd"),
        [("ours", "gcmd"), ("host", "gcmd")],
        None,
    ),
    "homing_move": (
        lambda host, patches: patches.around_homing_move(
            type(host), lambda proceed, move: ours(host, result=True)(proceed)
        ),
        lambda host: host.homing_move([1.0], 5.0, probe_pos=True),
        [("ours",), ("host", [1.0], 5.0, True)],
        "epos",
    ),
    "stop": (
        lambda host, patches: patches.around_stop(host, ours(host, result=True)),
        lambda host: host.stop(),
        [("ours",), ("host",)],
        1,
    ),
    "adjust_steppers": (
        lambda host, patches: patches.before_adjust_steppers(host, noted(host)),
        lambda host: host.adjust_steppers([0.1], 5.0),
        [("ours",), ("host", [0.1], 5.0)],
        None,
    ),
    "check_retry_result": (
        lambda host, patches: patches.after_check_retry_result(host, noted(host)),
        lambda host: host.check_retry_result([0.1]),
        [("host", [0.1]), ("ours", "done")],
        "done",
    ),
    "setup_pin": (
        lambda host, patches: patches.before_setup_pin(host, noted(host)),
        lambda host: host.setup_pin("endstop", pin_desc="PA1"),
        [("ours", "endstop"), ("host", "endstop", "PA1")],
        "pin",
    ),
    "add_stepper": (
        lambda host, patches: patches.around_check(
            type(host).add_stepper, lambda proceed, owner, stepper: ours(host)(proceed, stepper)
        ),
        lambda host: host.add_stepper("stepper_z1"),
        [("ours", "stepper_z1"), ("host", "stepper_z1")],
        None,
    ),
}


@pytest.mark.parametrize("patch, call, story, result", CASES.values(), ids=CASES)
def test_ours_is_called_in_its_turn_until_the_patch_is_undone(
    host, patches, patch, call, story, result
):
    patch(host, patches)
    assert (call(host), host.story) == (result, story)
    patches.undo()
    host.story.clear()
    assert call(host) == result
    assert [who for who, *_ in host.story] == ["host"]


@pytest.mark.parametrize("name", CASES)
def test_what_is_replaced_looks_like_the_hosts_own(host, patches, name):
    before, code = described(getattr(host, name)), vars(type(host))[name].__code__
    kept = getattr(host, name)
    CASES[name][0](host, patches)
    present = getattr(host, name)
    assert vars(type(host))[name].__code__ is not code
    assert described(present) == before
    # Who keeps a method, or compares two, has the same one
    assert present == kept
    assert present.__func__ is kept.__func__ is vars(type(host))[name]
    assert name not in vars(host)


@pytest.mark.parametrize("name", ["home_start", "home_wait"])
def test_endstop_looks_like_the_hosts_own(host, patches, name):
    before = described(getattr(host, name))
    patches.around_endstop(host, [layer("ours", host.story)])
    assert described(getattr(host, name)) == before
    assert name not in vars(host)


def test_every_patch_is_tried_here():
    functions = {name for name in vars(Patches) if not name.startswith("__")}
    tried = {name for case in CASES.values() for name in case[0].__code__.co_names}
    others = {"around_endstop", "keep_from_set_position", "around_command"}
    assert functions - tried == others


def test_stepper_that_is_kept_from_its_new_position_has_the_old_one(patches):
    class Stepper:
        position = 1.0

        def set_position(self, coord):
            self.position = coord[0]

    stepper = Stepper()
    patches.keep_from_set_position(stepper)
    stepper.set_position([2.0, 0.0, 0.0])
    assert stepper.position == 1.0
    patches.undo()
    stepper.set_position([2.0, 0.0, 0.0])
    assert stepper.position == 2.0


def layer(name, story):
    def around(function):
        def call(*arguments, **options):
            story.append(name)
            return function(*arguments, **options)

        return call

    return Layer(around, around)


def test_layers_of_an_endstop_are_called_from_the_outermost_to_the_host(host, patches):
    patches.around_endstop(host, [layer("inner", host.story), layer("outer", host.story)])
    assert host.home_start(3.0, 0.1, 4, 0.2, triggered=False) == "completion"
    assert host.home_wait(7.0) == 5.0
    assert host.story == ["outer", "inner", ("host", 3.0, False), "outer", "inner", ("host", 7.0)]
    patches.undo()
    host.story.clear()
    host.home_wait(7.0)
    assert host.story == [("host", 7.0)]


class GCode:
    def __init__(self, **commands):
        self.commands = commands

    def register_command(self, cmd, func, desc=None):
        before = self.commands.pop(cmd, None)
        if func is not None:
            self.commands[cmd] = func
        return before


def test_command_is_run_within_ours(host, patches):
    gcode = GCode(G28=lambda gcmd: host.story.append(("host", gcmd)))
    patches.around_command(gcode, "G28", ours(host))
    gcode.commands["G28"]("gcmd")
    assert host.story == [("ours", "gcmd"), ("host", "gcmd")]
    patches.undo()
    host.story.clear()
    gcode.commands["G28"]("gcmd")
    assert host.story == [("host", "gcmd")]
