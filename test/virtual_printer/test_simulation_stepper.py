# Stepper objects: every pulse at its clock, directions, stopping and need-reset
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Iterator, List, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import wire

STEPPER = (
    "carriage z axis=z start=5 x=0 y=0\n"
    "stepper stepper_z mcu=main step_pin=1 dir_pin=2 step_dist=0.01 moves=z:1"
)
OID, TRSYNC = 0, 1
CONFIG = [("config_stepper", OID, 1, 2, 0, 200), ("config_trsync", TRSYNC)]
TICKS_PER_MS = wire.FREQUENCY_HZ // 1000
# Reading the clock takes 20 ms of its own
LEAD_TICKS = 40 * TICKS_PER_MS
Move = Tuple[int, int, int, int]  # direction, interval, count, add


def start(folder: Path, stepper: str = STEPPER, config: list = CONFIG) -> wire.Simulation:
    simulation = wire.Simulation(wire.describe(folder, [stepper]), folder)
    simulation.hosts["main"].configure(config)
    return simulation


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[wire.Simulation]:
    with start(tmp_path) as simulation:
        yield simulation


@pytest.fixture
def host(simulation: wire.Simulation) -> wire.Host:
    return simulation.hosts["main"]


def queue(host: wire.Host, clock: int, moves: List[Move]) -> None:
    """Queue moves; the first interval counts from the clock."""
    payload = host.encode("reset_step_clock", OID, clock)
    for direction, interval, count, add in moves:
        payload += host.encode("set_next_step_dir", OID, direction)
        payload += host.encode("queue_step", OID, interval, count, add)
        if len(payload) > 40:
            host.send_payload(payload)
            payload = b""
    if payload:
        host.send_payload(payload)


def step_clocks(clock: int, moves: List[Move]) -> List[Tuple[int, int]]:
    """Return the clock and the direction (1 or -1) of each step, one by one."""
    steps = []
    for direction, interval, count, add in moves:
        for _ in range(count):
            clock += interval
            interval += add
            steps.append((clock, 1 if direction else -1))
    return steps


@st.composite
def motions(draw: st.DrawFn) -> List[Move]:
    moves = []
    for _ in range(draw(st.integers(1, 12))):
        count = draw(st.integers(1, 60))
        interval = draw(st.integers(3000, 30000))
        # Intervals stay between 1,000 and 60,000 ticks
        add = draw(st.integers(-(2000 // count), 30000 // count))
        moves.append((draw(st.integers(0, 1)), interval, count, add))
    return moves


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=motions(), looks=st.lists(st.integers(0, 40_000_000), max_size=8))
def test_each_step_is_taken_at_its_clock(
    tmp_path: Path, moves: List[Move], looks: List[int]
) -> None:
    with start(tmp_path) as simulation:
        first = simulation.now_ns // 10 + 20 * TICKS_PER_MS
        queue(simulation.hosts["main"], first, moves)
        steps = step_clocks(first, moves)
        edges = [clock for clock, _ in steps[:3] + steps[-3:]]
        for clock in sorted([first + look for look in looks] + edges + [c - 1 for c in edges]):
            # One tick lasts 10 ns and begins at its first ns
            simulation.run_until(clock * 10)
            expected = sum(direction for at, direction in steps if at <= clock)
            assert simulation.pulses()["stepper_z"] == expected
        simulation.run(1.0)
        assert simulation.hosts["main"].position(OID) == sum(d for _, d in steps)
        assert simulation.hosts["main"].shutdown_reason() is None


@pytest.mark.parametrize(("wait_ms", "expected"), [(30, 30), (100, 100), (130, 70), (200, 0)])
def test_position_in_the_middle_of_a_move_counts_steps_taken(
    simulation: wire.Simulation, host: wire.Host, wait_ms: int, expected: int
) -> None:
    clock = host.clock() + LEAD_TICKS
    queue(host, clock, [(1, TICKS_PER_MS, 100, 0), (0, TICKS_PER_MS, 100, 0)])
    # The question takes 0.1 ms to get there
    simulation.run_until((clock + wait_ms * TICKS_PER_MS) * 10)
    assert host.position(OID) == expected


def test_first_direction_of_a_stepper_is_down(simulation: wire.Simulation, host: wire.Host) -> None:
    host.send("reset_step_clock", OID, host.clock() + LEAD_TICKS)
    host.send("queue_step", OID, 1000, 10, 0)
    simulation.run(0.1)
    assert host.position(OID) == -10
    assert simulation.pulses()["stepper_z"] == -10


@pytest.mark.parametrize(("invert", "sign"), [(0, 1), (1, -1)])
def test_inverted_direction_pin_turns_the_motor_and_not_the_count(
    tmp_path: Path, invert: int, sign: int
) -> None:
    with start(tmp_path, f"{STEPPER} invert_dir={invert}") as simulation:
        host = simulation.hosts["main"]
        queue(host, host.clock() + LEAD_TICKS, [(1, 1000, 25, 0)])
        simulation.run(0.1)
        assert host.position(OID) == 25
        assert simulation.pulses()["stepper_z"] == 25 * sign
        assert simulation.positions()["stepper_z"] == pytest.approx(5 + 0.25 * sign)


def test_pulses_are_logged_by_direction(simulation: wire.Simulation, host: wire.Host) -> None:
    queue(host, host.clock() + LEAD_TICKS, [(1, 1000, 25, 0), (0, 1000, 10, 0)])
    simulation.run(0.1)
    assert simulation.ask("pulses stepper_z") == ["25", "10"]
    assert simulation.control("pulses stepper_z reset") == "ok"
    assert simulation.ask("pulses stepper_z") == ["0", "0"]
    assert simulation.pulses()["stepper_z"] == 15


def test_motor_with_other_pins_stands_still(tmp_path: Path) -> None:
    with start(tmp_path, STEPPER.replace("dir_pin=2", "dir_pin=3")) as simulation:
        host = simulation.hosts["main"]
        queue(host, host.clock() + LEAD_TICKS, [(1, 1000, 25, 0)])
        simulation.run(0.1)
        assert host.position(OID) == 25
        assert simulation.pulses()["stepper_z"] == 0


def stop(host: wire.Host, simulation: wire.Simulation) -> int:
    """Start a long move, stop it half way by a trigger and return where it halted."""
    clock = host.clock() + LEAD_TICKS
    host.send("trsync_start", TRSYNC, 0, 0, 0)
    host.send("stepper_stop_on_trigger", OID, TRSYNC)
    queue(host, clock, [(1, TICKS_PER_MS, 100, 0), (1, TICKS_PER_MS, 100, 0)])
    simulation.run_until((clock + 50 * TICKS_PER_MS) * 10)
    state = host.ask("trsync_state", "trsync_trigger", TRSYNC, 2)
    assert state == {"oid": TRSYNC, "can_trigger": 0, "trigger_reason": 2, "clock": 0}
    return host.position(OID)


def test_stepper_stops_at_the_trigger_and_drops_its_queue(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    halt = stop(host, simulation)
    assert halt == 50
    simulation.run(1.0)
    assert host.position(OID) == halt == simulation.pulses()["stepper_z"]


def test_stopped_stepper_ignores_steps_until_its_clock_is_reset(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    halt = stop(host, simulation)
    host.send("set_next_step_dir", OID, 1)
    host.send("queue_step", OID, host.clock() + LEAD_TICKS, 5, 0)
    simulation.run(0.1)
    assert host.position(OID) == halt
    queue(host, host.clock() + LEAD_TICKS, [(0, 1000, 5, 0)])
    simulation.run(0.1)
    assert host.position(OID) == halt - 5
    assert host.shutdown_reason() is None


def test_stop_forgets_the_direction(simulation: wire.Simulation, host: wire.Host) -> None:
    halt = stop(host, simulation)
    host.send("reset_step_clock", OID, host.clock() + LEAD_TICKS)
    host.send("queue_step", OID, 1000, 7, 0)
    simulation.run(0.1)
    assert host.position(OID) == halt - 7


def test_steps_follow_the_last_step_after_a_rest(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    clock = host.clock() + LEAD_TICKS
    queue(host, clock, [(1, TICKS_PER_MS, 10, 0)])
    simulation.run(0.1)
    host.send("queue_step", OID, 200 * TICKS_PER_MS, 1, 0)
    simulation.run_until((clock + 210 * TICKS_PER_MS) * 10 - 1)
    assert simulation.pulses()["stepper_z"] == 10
    simulation.run_until((clock + 210 * TICKS_PER_MS) * 10)
    assert simulation.pulses()["stepper_z"] == 11


@pytest.mark.parametrize(("invert_step", "ticks_per_step"), [(0, 400), (-1, 200)])
def test_steps_too_close_are_pushed_back_by_the_pulse_duration(
    tmp_path: Path, invert_step: int, ticks_per_step: int
) -> None:
    config = [("config_stepper", OID, 1, 2, invert_step, 200)]
    with start(tmp_path, config=config) as simulation:
        host = simulation.hosts["main"]
        clock = host.clock() + LEAD_TICKS
        queue(host, clock, [(1, 50, 100, 0)])
        simulation.run_until((clock + 50 + 40 * ticks_per_step) * 10)
        assert simulation.pulses()["stepper_z"] == 41
        simulation.run(0.1)
        assert host.position(OID) == 100


def test_finished_moves_leave_their_slots(simulation: wire.Simulation, host: wire.Host) -> None:
    clock = host.clock() + LEAD_TICKS
    host.send("reset_step_clock", OID, clock)
    for _ in range(200):
        # 50 slots hold 5 s: never more than that is queued
        host.send("queue_step", OID, TICKS_PER_MS, 100, 0)
        simulation.run(0.05 if simulation.now_ns < 2_000_000_000 else 0.1)
    simulation.run(10.0)
    assert host.position(OID) == -20000
    assert host.shutdown_reason() is None
    assert 10 < int(simulation.counters("main")["moves_peak"]) <= 50


# What the firmware does between a move's last step and the end of its pulse

PULSE_TICKS = 50_000


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[wire.Simulation]:
    """Return a simulation whose stepper makes pulses of half a millisecond."""
    with start(tmp_path, config=[("config_stepper", OID, 1, 2, 0, PULSE_TICKS)]) as simulation:
        yield simulation


def run_into_pulse(simulation: wire.Simulation) -> int:
    """Take one step and return its clock while its pulse lasts."""
    host = simulation.hosts["main"]
    clock = host.clock() + LEAD_TICKS
    queue(host, clock, [(1, 1000, 1, 0)])
    simulation.run_until((clock + 1000) * 10)
    assert simulation.pulses()["stepper_z"] == 1
    return clock + 1000


def test_stepper_is_active_until_the_pulse_of_its_last_step_ends(slow: wire.Simulation) -> None:
    host = slow.hosts["main"]
    run_into_pulse(slow)
    host.send("reset_step_clock", OID, 0)
    slow.run(0.1)
    assert host.shutdown_reason() == "Can't reset time when stepper active"


def test_stepper_is_idle_when_the_pulse_has_ended(slow: wire.Simulation) -> None:
    host = slow.hosts["main"]
    clock = run_into_pulse(slow)
    slow.run_until((clock + PULSE_TICKS) * 10)
    queue(host, clock + LEAD_TICKS, [(1, 1000, 1, 0)])
    slow.run(0.1)
    assert host.position(OID) == 2


def test_step_that_comes_during_the_last_pulse_is_late_but_taken(slow: wire.Simulation) -> None:
    host = slow.hosts["main"]
    clock = run_into_pulse(slow)
    # Its time is over when it gets there, 0.1 ms later
    host.send("queue_step", OID, 100, 1, 0)
    slow.run_until((clock + 2 * PULSE_TICKS) * 10 - 1)
    assert slow.pulses()["stepper_z"] == 1
    slow.run_until((clock + 2 * PULSE_TICKS) * 10)
    assert slow.pulses()["stepper_z"] == 2
    slow.run(0.1)
    assert host.shutdown_reason() is None


def test_next_move_is_found_too_late_when_the_pulse_ends(slow: wire.Simulation) -> None:
    host = slow.hosts["main"]
    clock = host.clock() + LEAD_TICKS
    queue(host, clock, [(1, 1000, 1, 0), (1, -2 * TICKS_PER_MS, 1, 0)])
    slow.run(0.1)
    assert host.shutdown_reason() == "Stepper too far in past"
    assert host.all("shutdown")[0].values["clock"] == clock + 1000 + PULSE_TICKS


@pytest.mark.parametrize(("direction", "pulses"), [(1, 1), (0, 2)])
def test_driver_of_both_edges_waits_a_pulse_more_before_it_turns(
    tmp_path: Path, direction: int, pulses: int
) -> None:
    config = [("config_stepper", OID, 1, 2, -1, PULSE_TICKS)]
    with start(tmp_path, config=config) as simulation:
        host = simulation.hosts["main"]
        clock = host.clock() + LEAD_TICKS
        queue(host, clock, [(1, 1000, 1, 0), (direction, 10, 1, 0)])
        second = (clock + 1000 + pulses * PULSE_TICKS) * 10
        simulation.run_until(second - 1)
        assert simulation.pulses()["stepper_z"] == 1
        simulation.run_until(second)
        assert simulation.pulses()["stepper_z"] == (2 if direction else 0)
