# Digital outputs: timed settings, software PWM and the deadlines of both
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
OUT, PIN = 0, 9
MAX_DURATION = 100 * TICKS_PER_MS


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[wire.Simulation]:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        simulation.hosts["main"].configure([("config_digital_out", OUT, PIN, 0, 0, MAX_DURATION)])
        yield simulation


@pytest.fixture
def host(simulation: wire.Simulation) -> wire.Host:
    return simulation.hosts["main"]


def level(simulation: wire.Simulation) -> int:
    return int(simulation.ask(f"level main {PIN}")[0])


def run_to(simulation: wire.Simulation, clock: int) -> None:
    simulation.run_until(clock * 10)


def test_update_takes_effect_at_once(simulation: wire.Simulation, host: wire.Host) -> None:
    host.send("update_digital_out", OUT, 1)
    simulation.run(0.001)
    assert level(simulation) == 1
    simulation.run(0.2)
    assert host.shutdown_reason() == "Missed scheduling of next digital out event"


def test_update_with_settings_waiting_shuts_down(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    host.send("queue_digital_out", OUT, host.clock() + LEAD_TICKS, 0)
    host.send("update_digital_out", OUT, 1)
    simulation.run(0.01)
    assert host.shutdown_reason() == "update_digital_out not valid with active queue"


def test_cycle_cannot_change_with_settings_waiting(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    host.send("queue_digital_out", OUT, host.clock() + LEAD_TICKS, 0)
    host.send("set_digital_out_pwm_cycle", OUT, 1000)
    simulation.run(0.01)
    assert host.shutdown_reason() == "Can not set soft pwm cycle ticks while updates pending"


def test_software_pwm_toggles_until_the_next_setting(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    host.send("set_digital_out_pwm_cycle", OUT, 10 * TICKS_PER_MS)
    clock = host.clock() + LEAD_TICKS
    host.send("queue_digital_out", OUT, clock, 3 * TICKS_PER_MS)
    host.send("queue_digital_out", OUT, clock + 52 * TICKS_PER_MS, 0)
    levels = []
    for half_ms in range(1, 130, 2):
        run_to(simulation, clock + half_ms * TICKS_PER_MS // 2)
        levels.append(level(simulation))
    expected = [int(ms % 10 < 3 and ms < 52) for ms in range(len(levels))]
    assert levels == expected
    assert host.shutdown_reason() is None


def test_software_pwm_has_to_be_renewed(simulation: wire.Simulation, host: wire.Host) -> None:
    host.send("set_digital_out_pwm_cycle", OUT, 10 * TICKS_PER_MS)
    clock = host.clock() + LEAD_TICKS
    host.send("queue_digital_out", OUT, clock, 3 * TICKS_PER_MS)
    simulation.run(1.0)
    assert host.shutdown_reason() == "Missed scheduling of next digital out event"
    assert host.all("shutdown")[0].values["clock"] == clock + MAX_DURATION


def test_shutdown_sets_the_default(tmp_path: Path) -> None:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure([("config_digital_out", OUT, PIN, 0, 1, 0)])
        assert level(simulation) == 0
        host.send("emergency_stop")
        simulation.run(0.01)
        assert level(simulation) == 1


def test_pin_can_be_set_without_an_object(tmp_path: Path) -> None:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        simulation.hosts["main"].send("set_digital_out", PIN, 1)
        simulation.run(0.01)
        assert level(simulation) == 1


def test_software_pwm_costs_no_event_for_each_edge(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    clock = host.clock() + LEAD_TICKS
    host.send("set_digital_out_pwm_cycle", OUT, 10 * TICKS_PER_MS)
    host.send("queue_digital_out", OUT, clock, 3 * TICKS_PER_MS)
    host.send("queue_digital_out", OUT, clock + MAX_DURATION, 3 * TICKS_PER_MS)
    run_to(simulation, clock + TICKS_PER_MS)
    assert simulation.ask(f"duty main {PIN}") == ["0.300000"]
    assert level(simulation) == 1
    next_ns = simulation.library.simulation_next_event(simulation.pointer)
    assert next_ns == (clock + MAX_DURATION) * 10
    run_to(simulation, clock + 3 * TICKS_PER_MS)
    assert level(simulation) == 0
