# Probes that the toolhead takes along from their dock, and leaves there
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Iterator

import pytest

from helpers import wire

TICKS_PER_MS = wire.FREQUENCY_HZ // 1000
X, Y, ENDSTOP = range(3)
PIN, STEP_MM = 7, 0.0125
LINES = [
    "carriage x axis=x start=100",
    "carriage y axis=y start=100",
    "carriage z axis=z start=5 x=0 y=0",
    f"stepper x mcu=main step_pin=1 dir_pin=2 step_dist={STEP_MM} moves=x:1",
    f"stepper y mcu=main step_pin=3 dir_pin=4 step_dist={STEP_MM} moves=y:1",
    f"endstop mcu=main pin={PIN} kind=probe offset_x=0 offset_y=0 trigger_height=1"
    " dock_x=100 dock_y=120 detach_x=110 detach_y=120",
]
CONFIG = [
    ("config_stepper", X, 1, 2, 0, 200),
    ("config_stepper", Y, 3, 4, 0, 200),
    ("config_endstop", ENDSTOP, PIN, 1),
]


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[wire.Simulation]:
    with wire.Simulation(wire.describe(tmp_path, LINES), tmp_path) as simulation:
        simulation.hosts["main"].configure(CONFIG)
        yield simulation


def move(simulation: wire.Simulation, stepper: int, way_mm: float) -> None:
    """Move at 62.5 mm/s."""
    host, steps = simulation.hosts["main"], round(way_mm / STEP_MM)
    host.send("set_next_step_dir", stepper, int(steps > 0))
    host.send("reset_step_clock", stepper, host.clock() + 40 * TICKS_PER_MS)
    host.send("queue_step", stepper, TICKS_PER_MS // 5, abs(steps), 0)
    simulation.run(0.1 + abs(way_mm) / 62.5)


def is_attached(simulation: wire.Simulation) -> bool:
    """One that is high over the bed is triggered only while it is in its dock."""
    state = simulation.hosts["main"].ask("endstop_state", "endstop_query_state", ENDSTOP)
    return not state["pin_value"]


def test_probe_comes_along_unless_the_toolhead_leaves_where_it_is_to_come_off(
    simulation: wire.Simulation,
) -> None:
    assert not is_attached(simulation)
    # Near is not there
    move(simulation, Y, 18.0)
    assert not is_attached(simulation)
    move(simulation, Y, 2.0)
    assert is_attached(simulation)
    for way_mm in (-20.0, 20.0, -20.0):
        move(simulation, Y, way_mm)
        assert is_attached(simulation)
    move(simulation, Y, 20.0)
    move(simulation, X, 10.0)
    assert not is_attached(simulation)
    # It is where it was left
    move(simulation, Y, -20.0)
    move(simulation, X, -10.0)
    assert not is_attached(simulation)
    move(simulation, Y, 20.0)
    assert is_attached(simulation)


def test_probe_stays_attached_on_the_other_side(simulation: wire.Simulation) -> None:
    move(simulation, Y, 20.0)
    move(simulation, X, -10.0)
    assert is_attached(simulation)
