# Where the steppers go back to follows from what has stopped them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
from types import SimpleNamespace

import pytest
from resync.homing.targets import Targets
from resync.host.host import is_wrapped_around

from helpers.resync_results import result


class Pin:
    """An endstop of the host on a pin."""

    def home_wait(self, home_end_time):
        return 0.0


class Sensor(Pin):
    """What the host asks of an endstop, by code of its own."""

    def home_wait(self, home_end_time):
        return 1.0


def probe_of(endstop, **more):
    """What holds an endstop and hands it out by a name of its own."""
    return SimpleNamespace(signal=endstop, home_wait=lambda end: 0.0, **more)


def probe_by_methods(endstop):
    return SimpleNamespace(home_wait=endstop.home_wait)


class Slotted:
    __slots__ = ("home_wait",)


@pytest.mark.parametrize(
    "endstop, is_pin",
    [
        (Pin(), True),
        (probe_of(Pin()), True),
        (probe_by_methods(Pin()), True),
        (probe_of(probe_of(probe_by_methods(Pin()))), True),
        (Sensor(), True),
        (probe_of(None), False),
        (Slotted(), False),
        # Whatever else it knows is no endstop of its
        (probe_of(None, printer=SimpleNamespace(pin=Pin())), False),
    ],
)
def test_endstop_is_on_a_pin_however_it_is_wrapped(endstop, is_pin):
    assert is_wrapped_around(endstop, Pin) is is_pin


def test_what_holds_itself_is_looked_at_only_so_often():
    endstop = probe_of(None)
    endstop.signal = endstop
    assert is_wrapped_around(endstop, Pin) is False


def aimed(option, endstops, part, on_pin=("probe",)):
    """The target of a part of a homing move that has these endstops."""
    objects = {name: object() for name in endstops}
    targets = Targets(option, lambda endstop: endstop in [objects.get(n) for n in on_pin])
    homing_move = SimpleNamespace(endstops=[(e, name) for name, e in objects.items()])
    [found] = targets.aim(homing_move, [part])
    assert found._replace(target=part.target) == part
    return found.target


PROBED = result(3, 5).part


@pytest.mark.parametrize("on_pin, target", [(("probe",), "trigger"), ((), "least_travel")])
def test_sensor_leaves_the_toolhead_where_it_stopped_and_a_pin_does_not(on_pin, target):
    assert aimed("auto", ["probe"], PROBED, on_pin) == target
    # What else takes part in the move does not matter
    assert aimed("auto", ["y", "probe"], PROBED, ("y", *on_pin)) == target
    assert aimed("auto", ["y", "probe"], PROBED, on_pin) == target


@pytest.mark.parametrize("on_pin", [("probe",), ()])
@pytest.mark.parametrize("option", ["trigger", "least_travel"])
def test_option_decides_where_it_is_given(option, on_pin):
    assert aimed(option, ["probe"], PROBED, on_pin) == option


def test_signal_of_several_pins_is_one():
    together = PROBED._replace(endstop="y+y1")
    assert aimed("auto", ["y", "y1"], together, ("y", "y1")) == "trigger"
    assert aimed("auto", ["y", "y1"], together, ("y",)) == "least_travel"


@pytest.mark.parametrize("option", ["auto", "trigger"])
def test_without_a_trigger_nobody_can_go_back_to_it(option):
    assert aimed(option, ["probe"], PROBED._replace(triggered=False)) == "least_travel"


def test_what_was_chosen_for_one_endstop_is_not_for_the_next_of_its_name():
    switch, sensor = object(), object()
    targets = Targets("auto", lambda endstop: endstop is switch)

    def aimed_at(endstop):
        return targets.aim(SimpleNamespace(endstops=[(endstop, "probe")]), [PROBED])[0].target

    found = [aimed_at(endstop) for endstop in (switch, switch, sensor, sensor, switch)]
    assert found == ["trigger", "trigger", "least_travel", "least_travel", "trigger"]


def test_what_chose_the_target_of_a_move_is_not_asked_for_the_next_one_alike():
    asked = []
    targets = Targets("auto", asked.append)
    homing_move = SimpleNamespace(endstops=[(object(), "probe")])
    for _ in range(3):
        targets.aim(homing_move, [PROBED])
    assert len(asked) == 1


def test_log_has_each_choice_once(caplog):
    caplog.set_level(logging.INFO)
    probe = object()
    targets = Targets("auto", lambda endstop: False)
    homing_move = SimpleNamespace(endstops=[(probe, "probe")])
    for _ in range(3):
        targets.aim(homing_move, [PROBED])
    Targets("trigger", lambda endstop: False).aim(homing_move, [PROBED])
    assert [record.getMessage() for record in caplog.records] == [
        "multi_mcu_resync: endstop 'probe': target least_travel, since a sensor triggers it",
        "multi_mcu_resync: endstop 'probe': target trigger, as option 'target' says",
    ]
