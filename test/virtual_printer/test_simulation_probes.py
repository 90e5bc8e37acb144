# Probes beyond a switch: a BLTouch with its pin, and a sensor that reports its height
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Iterator

import pytest

from helpers import wire

TICKS_PER_MS = wire.FREQUENCY_HZ // 1000
TICKS_PER_US = TICKS_PER_MS // 1000
STEPPER, ENDSTOP, OUT, DISTANCE = range(4)
PIN, CONTROL = 7, 9
PERIOD_MS = 20
DOWN_US, TOUCH_US, UP_US, RESET_US = 650, 1165, 1475, 2190
START_MM, TRIGGER_MM, STEP_MM = 3.0, 1.0, 0.01
LINES = [
    f"carriage z axis=z start={START_MM} x=0 y=0",
    f"stepper z mcu=main step_pin=1 dir_pin=2 step_dist={STEP_MM} moves=z:1",
    f"endstop mcu=main pin={PIN} kind=bltouch offset_x=0 offset_y=0"
    f" trigger_height={TRIGGER_MM} control_mcu=main control_pin={CONTROL}",
]
CONFIG = [
    ("config_stepper", STEPPER, 1, 2, 0, 200),
    ("config_endstop", ENDSTOP, PIN, 1),
    ("config_digital_out", OUT, CONTROL, 0, 0, 0),
    ("set_digital_out_pwm_cycle", OUT, PERIOD_MS * TICKS_PER_MS),
    ("config_distance", DISTANCE, PIN),
]


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[wire.Simulation]:
    with wire.Simulation(wire.describe(tmp_path, LINES), tmp_path) as simulation:
        simulation.hosts["main"].configure(CONFIG)
        yield simulation


@pytest.fixture
def host(simulation: wire.Simulation) -> wire.Host:
    return simulation.hosts["main"]


def pulse(simulation: wire.Simulation, width_us: int) -> None:
    """Send what bltouch.py sends for a command: five pulses."""
    host = simulation.hosts["main"]
    clock = host.clock() + 40 * TICKS_PER_MS
    host.send("queue_digital_out", OUT, clock, width_us * TICKS_PER_US)
    host.send("queue_digital_out", OUT, clock + 5 * PERIOD_MS * TICKS_PER_MS, 0)
    simulation.run(0.2)


def move(simulation: wire.Simulation, to_mm: float, from_mm: float = START_MM) -> None:
    host = simulation.hosts["main"]
    steps = round((to_mm - from_mm) / STEP_MM)
    host.send("set_next_step_dir", STEPPER, int(steps > 0))
    host.send("reset_step_clock", STEPPER, host.clock() + 40 * TICKS_PER_MS)
    host.send("queue_step", STEPPER, TICKS_PER_MS // 10, abs(steps), 0)
    simulation.run(0.5)


def is_triggered(host: wire.Host) -> int:
    return int(host.ask("endstop_state", "endstop_query_state", ENDSTOP)["pin_value"])


def test_pin_that_is_up_feels_nothing(simulation: wire.Simulation, host: wire.Host) -> None:
    move(simulation, 0.5)
    assert not is_triggered(host)


def test_pin_that_is_down_signals_for_ten_ms_and_goes_up(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    pulse(simulation, DOWN_US)
    assert not is_triggered(host)
    move(simulation, 0.5)
    # From when somebody looks: before that nobody notices
    seen = len(host.all("endstop_state"))
    for wait_s in (0.008, 0.004, 0.1):
        host.send("endstop_query_state", ENDSTOP)
        simulation.run(wait_s)
    assert [m.values["pin_value"] for m in host.all("endstop_state")[seen:]] == [1, 1, 0]


def test_touch_mode_is_a_switch(simulation: wire.Simulation, host: wire.Host) -> None:
    pulse(simulation, DOWN_US)
    pulse(simulation, TOUCH_US)
    assert not is_triggered(host)
    move(simulation, 0.5)
    assert is_triggered(host)
    simulation.run(0.1)
    assert is_triggered(host)
    move(simulation, 2.0, 0.5)
    assert not is_triggered(host)


def test_touch_mode_tells_that_the_pin_is_up(simulation: wire.Simulation, host: wire.Host) -> None:
    pulse(simulation, UP_US)
    assert not is_triggered(host)
    pulse(simulation, TOUCH_US)
    assert is_triggered(host)


@pytest.mark.parametrize("width_us", [UP_US, RESET_US])
def test_pin_up_and_reset_end_whatever_there_is(
    simulation: wire.Simulation, host: wire.Host, width_us: int
) -> None:
    pulse(simulation, DOWN_US)
    pulse(simulation, TOUCH_US)
    pulse(simulation, width_us)
    move(simulation, 0.5)
    assert not is_triggered(host)


@pytest.mark.parametrize("width_us", [500, 900, 1884])
def test_pulses_of_other_lengths_do_nothing(
    simulation: wire.Simulation, host: wire.Host, width_us: int
) -> None:
    pulse(simulation, DOWN_US)
    pulse(simulation, width_us)
    move(simulation, 0.5)
    assert is_triggered(host)


def test_control_pin_may_be_inverted(tmp_path: Path) -> None:
    text = wire.describe(tmp_path, [*LINES[:2], LINES[2] + " control_invert=1"])
    with wire.Simulation(text, tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure(CONFIG)
        pulse(simulation, PERIOD_MS * 1000 - DOWN_US)
        move(simulation, 0.5)
        assert is_triggered(host)


def test_distance_is_the_height_over_the_bed(simulation: wire.Simulation, host: wire.Host) -> None:
    for to_mm, from_mm in ((0.5, START_MM), (-1.25, 0.5)):
        move(simulation, to_mm, from_mm)
        before = host.clock()
        state = host.ask("distance_state", "query_distance", DISTANCE)
        assert state["height"] / 1e6 == pytest.approx(to_mm, abs=2e-6)
        assert before < state["clock"] < host.clock()


def test_distance_of_a_pin_without_a_sensor_shuts_down(tmp_path: Path) -> None:
    with wire.Simulation(wire.describe(tmp_path, LINES), tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.send("allocate_oids", 1)
        host.send("config_distance", 0, PIN + 1)
        simulation.run(0.1)
        assert host.shutdown_reason() is not None
