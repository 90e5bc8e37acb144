# Whether earlier moves end before an endstop is armed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

import pytest
from resync.homing.settling import Settling
from resync.host.host import is_wrapped_around


class PinEndstop:
    def home_wait(self, home_end_time):
        return home_end_time


class Probe:
    """Wraps an endstop as the host's probes do: by its methods."""

    def __init__(self, endstop):
        self.home_wait = endstop.home_wait


class Toolhead:
    waits = 0

    def wait_moves(self):
        self.waits += 1


def stepper(name):
    return SimpleNamespace(get_name=lambda: name)


def waits(endstop_steppers, knows_its_begin):
    """How often the toolhead waits before a move to endstops with these steppers."""
    host = SimpleNamespace(knows_its_begin=lambda endstop: knows_its_begin)
    rails = [SimpleNamespace(stepper_names=["stepper_z", "stepper_z1"])]
    toolhead = Toolhead()
    endstops = [
        (SimpleNamespace(get_steppers=lambda names=names: [stepper(n) for n in names]), "z")
        for names in endstop_steppers
    ]
    Settling(host, rails).before(SimpleNamespace(toolhead=toolhead, endstops=endstops))
    return toolhead.waits


@pytest.mark.parametrize(
    "endstop_steppers, knows_its_begin, expected",
    [
        ([["stepper_z", "stepper_z1"]], False, 1),
        ([["stepper_z1"], ["stepper_z"]], False, 1),
        # It is told when to begin
        ([["stepper_z", "stepper_z1"]], True, 0),
        # It stops none that is resynced
        ([["stepper_x"]], False, 0),
        ([[]], False, 0),
    ],
)
def test_moves_end_before_a_sensor_that_is_armed_at_once(
    endstop_steppers, knows_its_begin, expected
):
    assert waits(endstop_steppers, knows_its_begin) == expected


def test_endstop_on_a_pin_is_found_in_what_is_wrapped_around_it():
    endstop = PinEndstop()
    assert is_wrapped_around(endstop, PinEndstop)
    assert is_wrapped_around(Probe(endstop), PinEndstop)
    assert is_wrapped_around(Probe(Probe(endstop)), PinEndstop)
    assert not is_wrapped_around(SimpleNamespace(home_wait=None, other=3), PinEndstop)
