# Homing: endstop sampling, trigger times, reports and expiry of trsync objects
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Iterator

import pytest

from helpers import wire

TICKS_PER_MS = wire.FREQUENCY_HZ // 1000
LEAD_TICKS = 40 * TICKS_PER_MS
STEPPER, ENDSTOP, TRSYNC, OTHER_TRSYNC = 0, 1, 2, 3
PIN = 7
HIT, EXPIRED = 1, 4
CONFIG = [
    ("config_stepper", STEPPER, 1, 2, 0, 200),
    ("config_endstop", ENDSTOP, PIN, 1),
    ("config_trsync", TRSYNC),
    ("config_trsync", OTHER_TRSYNC),
]
LINES = [
    "carriage x axis=x start=10",
    "stepper stepper_x mcu=main step_pin=1 dir_pin=2 step_dist=0.01 moves=x:1",
]
SWITCH = f"endstop mcu=main pin={PIN} kind=carriage carriage=x at=9.005 side=min"
REST = 3 * TICKS_PER_MS + 17
SAMPLE, COUNT = 1500, 4


def start(folder: Path, switch: str = SWITCH) -> wire.Simulation:
    simulation = wire.Simulation(wire.describe(folder, [*LINES, switch]), folder)
    simulation.hosts["main"].configure(CONFIG)
    return simulation


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[wire.Simulation]:
    with start(tmp_path) as simulation:
        yield simulation


@pytest.fixture
def host(simulation: wire.Simulation) -> wire.Host:
    return simulation.hosts["main"]


def home(host: wire.Host, level: int = 1, steps: int = 300, report_ms: int = 0) -> int:
    """Drive down at one step per ms with the endstop armed; return the clock of the start."""
    clock = host.clock() + LEAD_TICKS
    host.send("trsync_start", TRSYNC, clock, report_ms * TICKS_PER_MS, EXPIRED)
    host.send("stepper_stop_on_trigger", STEPPER, TRSYNC)
    host.send("endstop_home", ENDSTOP, clock, SAMPLE, COUNT, REST, level, TRSYNC, HIT)
    host.send("reset_step_clock", STEPPER, clock)
    host.send("queue_step", STEPPER, TICKS_PER_MS, steps, 0)
    return clock


def test_endstop_reports_the_first_of_the_agreeing_samples(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    clock = home(host)
    simulation.run(0.4)
    state = host.ask("endstop_state", "endstop_query_state", ENDSTOP)
    assert state["homing"] == 1 and state["pin_value"] == 1
    # The 100th step closes the switch; the next sample is the first to see it
    seen = clock + next(i * REST for i in range(1000) if i * REST >= 100 * TICKS_PER_MS)
    assert state["next_clock"] - REST == seen
    trigger = seen + (COUNT - 1) * SAMPLE
    assert host.position(STEPPER) == -((trigger - clock) // TICKS_PER_MS)
    assert simulation.pulses()["stepper_x"] == host.position(STEPPER)


def test_trigger_is_reported_once_with_its_reason(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    home(host)
    simulation.run(0.4)
    states = [message.values for message in host.all("trsync_state")]
    assert [(state["can_trigger"], state["trigger_reason"]) for state in states] == [(0, HIT)]
    answer = host.ask("trsync_state", "trsync_trigger", TRSYNC, 2)
    assert answer["trigger_reason"] == HIT and answer["can_trigger"] == 0


def test_trigger_is_reported_at_its_very_clock(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    home(host)
    simulation.run(0.4)
    state = host.ask("endstop_state", "endstop_query_state", ENDSTOP)
    trigger = state["next_clock"] - REST + (COUNT - 1) * SAMPLE
    message = host.all("trsync_state")[0]
    assert message.values["clock"] == trigger
    assert message.time_ns == trigger * 10 + 100_000


def test_reports_come_in_their_period_until_the_host_ends_it(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    clock = home(host, report_ms=10)
    simulation.run(0.4)
    before = [message.values for message in host.all("trsync_state")]
    host.ask("trsync_state", "trsync_trigger", TRSYNC, 2)
    ended = len(host.all("trsync_state"))
    simulation.run(0.5)
    assert len(host.all("trsync_state")) == ended
    clocks = [state["clock"] for state in before if state["can_trigger"]]
    assert clocks == [clock + i * 10 * TICKS_PER_MS for i in range(len(clocks))]
    assert len(clocks) in (10, 11)
    # After the trigger the state is repeated
    assert sum(not state["can_trigger"] for state in before) > 5


def test_trigger_at_the_clock_of_a_report_is_reported_once(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    clock = host.clock() + LEAD_TICKS
    host.send("trsync_start", TRSYNC, clock, 50 * TICKS_PER_MS, EXPIRED)
    host.send("endstop_home", ENDSTOP, clock, SAMPLE, 1, REST, 0, TRSYNC, HIT)
    simulation.run(0.06)
    states = [message.values for message in host.all("trsync_state")]
    assert [(state["can_trigger"], state["clock"]) for state in states] == [(0, clock)]


@pytest.mark.parametrize("pull_up", [0, 1])
def test_unwired_pin_shows_its_pull_up(tmp_path: Path, pull_up: int) -> None:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure([("config_endstop", ENDSTOP, 99, pull_up)])
        state = host.ask("endstop_state", "endstop_query_state", ENDSTOP)
        assert state["pin_value"] == pull_up


@pytest.mark.parametrize("invert", [0, 1])
def test_inverted_switch_reads_the_other_way_round(tmp_path: Path, invert: int) -> None:
    with start(tmp_path, f"{SWITCH} invert={invert}") as simulation:
        host = simulation.hosts["main"]
        home(host, level=1 - invert)
        simulation.run(0.4)
        assert -105 < host.position(STEPPER) <= -100


def test_endstop_can_be_waited_for_to_open(simulation: wire.Simulation, host: wire.Host) -> None:
    home(host)
    simulation.run(0.4)
    clock = host.clock() + LEAD_TICKS
    host.send("trsync_start", TRSYNC, 0, 0, EXPIRED)
    host.send("stepper_stop_on_trigger", STEPPER, TRSYNC)
    host.send("endstop_home", ENDSTOP, clock, SAMPLE, COUNT, REST, 0, TRSYNC, HIT)
    host.send("set_next_step_dir", STEPPER, 1)
    host.send("reset_step_clock", STEPPER, clock)
    host.send("queue_step", STEPPER, TICKS_PER_MS, 300, 0)
    simulation.run(0.5)
    assert -100 < host.position(STEPPER) < -94


def test_signal_shorter_than_the_samples_does_not_trigger(tmp_path: Path) -> None:
    # The carriage touches the switch for one step only, 0.03 ms before the next sample
    with start(tmp_path) as simulation:
        host = simulation.hosts["main"]
        clock = host.clock() + LEAD_TICKS
        host.send("trsync_start", TRSYNC, 0, 0, EXPIRED)
        host.send("stepper_stop_on_trigger", STEPPER, TRSYNC)
        host.send("endstop_home", ENDSTOP, clock, 5000, 4, REST, 1, TRSYNC, HIT)
        first = clock + 40 * REST
        host.send("reset_step_clock", STEPPER, first - 3000 - 100 * 1000)
        host.send("queue_step", STEPPER, 1000, 100, 0)
        host.send("set_next_step_dir", STEPPER, 1)
        host.send("queue_step", STEPPER, 10000, 1, 0)
        simulation.run(0.5)
        assert host.position(STEPPER) == -99
        assert not host.all("trsync_state")
        # Nor is it forgotten to start from the first sample again
        host.send("set_next_step_dir", STEPPER, 0)
        host.send("reset_step_clock", STEPPER, host.clock() + LEAD_TICKS)
        host.send("queue_step", STEPPER, TICKS_PER_MS, 100, 0)
        simulation.run(0.5)
        assert -110 < host.position(STEPPER) <= -100


def test_disabled_endstop_keeps_its_trigger_time(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    home(host)
    simulation.run(0.4)
    before = host.ask("endstop_state", "endstop_query_state", ENDSTOP)
    host.send("endstop_home", ENDSTOP, 0, 0, 0, 0, 0, 0, 0)
    after = host.ask("endstop_state", "endstop_query_state", ENDSTOP)
    assert after == {**before, "homing": 0}


def test_trsync_expires_at_its_timeout(simulation: wire.Simulation, host: wire.Host) -> None:
    clock = home(host)
    host.send("trsync_set_timeout", TRSYNC, clock + 50 * TICKS_PER_MS + 500)
    simulation.run(0.4)
    assert host.position(STEPPER) == -50
    state = host.all("trsync_state")[0].values
    assert (state["can_trigger"], state["trigger_reason"]) == (0, EXPIRED)
    assert state["clock"] == clock + 50 * TICKS_PER_MS + 500


def test_timeout_can_be_put_off(simulation: wire.Simulation, host: wire.Host) -> None:
    clock = home(host)
    for timeout_ms in (20, 40, 60):
        host.send("trsync_set_timeout", TRSYNC, clock + timeout_ms * TICKS_PER_MS)
    simulation.run(0.4)
    assert host.position(STEPPER) == -60


def test_trigger_without_steppers_stops_nothing(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    home(host, steps=80)
    host.send("trsync_start", OTHER_TRSYNC, 0, 0, EXPIRED)
    host.ask("trsync_state", "trsync_trigger", OTHER_TRSYNC, 3)
    simulation.run(0.4)
    assert host.position(STEPPER) == -80


def test_restarted_trsync_lets_go_of_its_steppers(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    home(host, steps=80)
    host.send("trsync_start", TRSYNC, 0, 0, EXPIRED)
    host.ask("trsync_state", "trsync_trigger", TRSYNC, 2)
    simulation.run(0.4)
    assert host.position(STEPPER) == -80


def test_stuck_endstop_triggers_at_once_or_never(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    assert simulation.control(f"endstop main {PIN} force=1") == "ok"
    home(host)
    simulation.run(0.4)
    assert host.position(STEPPER) == 0
    assert simulation.control(f"endstop main {PIN} force=0") == "ok"
    home(host)
    simulation.run(0.5)
    assert host.position(STEPPER) == -300
    assert simulation.ask("endstops") == [f"main:{PIN}:0"]
    assert simulation.control(f"endstop main {PIN} force=none") == "ok"
    assert simulation.ask("endstops") == [f"main:{PIN}:1"]


def test_steppers_of_two_mcus_stop_apart_by_the_way_through_the_host(tmp_path: Path) -> None:
    text = wire.describe(
        tmp_path,
        [*LINES, SWITCH, LINES[1].replace("stepper_x", "stepper_x1").replace("main", "other")],
        mcus={"main": "", "other": "drift_ppm=40 clock_offset_s=3"},
        links=dict.fromkeys(("main", "other"), "to_mcu_us=700 to_host_us=700"),
    )
    with wire.Simulation(text, tmp_path) as simulation:
        main, other = simulation.hosts["main"], simulation.hosts["other"]
        main.configure(CONFIG)
        other.configure(CONFIG)
        home(main)
        clock = other.clock() + LEAD_TICKS - 20 * TICKS_PER_MS
        other.send("trsync_start", TRSYNC, 0, 0, EXPIRED)
        other.send("stepper_stop_on_trigger", STEPPER, TRSYNC)
        other.send("reset_step_clock", STEPPER, clock)
        other.send("queue_step", STEPPER, TICKS_PER_MS, 300, 0)
        while not main.all("trsync_state"):
            simulation.run(0.0001)
        other.send("trsync_trigger", TRSYNC, 2)
        simulation.run(0.4)
        pulses = simulation.pulses()
        assert pulses["stepper_x1"] == other.position(STEPPER)
        # Trigger, 0.7 ms to the host, 0.7 ms to the other one: one or two steps
        assert pulses["stepper_x"] - pulses["stepper_x1"] in (1, 2)


@pytest.mark.parametrize(("request_end", "reason"), [("", EXPIRED), (" reason=2", 2)])
def test_steppers_of_an_mcu_can_be_stopped_on_request(
    simulation: wire.Simulation, host: wire.Host, request_end: str, reason: int
) -> None:
    clock = home(host)
    at_ns = (clock + 50 * TICKS_PER_MS) * 10
    assert simulation.control(f"mcu main trip at_s={at_ns / 1e9}{request_end}") == "ok"
    simulation.run(0.4)
    assert abs(host.position(STEPPER) + 50) <= 1
    states = [message.values for message in host.all("trsync_state")]
    assert [(s["can_trigger"], s["trigger_reason"]) for s in states] == [(0, reason)]


def test_request_to_stop_does_nothing_to_an_mcu_that_is_not_homing(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    assert simulation.control("mcu main trip") == "ok"
    simulation.run(0.1)
    assert host.all("trsync_state") == []
