# Outputs that hardware switches: PWM pins and PCA9685 channels, and their deadlines
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
CYCLE_TICKS = 10 * TICKS_PER_MS
MAX_DURATION = 100 * TICKS_PER_MS
OUT, CHANNEL, PIN = 0, 1, 9
CONFIG = [
    ("config_pwm_out", OUT, PIN, CYCLE_TICKS, 51, 0, MAX_DURATION),
    ("config_pca9685", CHANNEL, 2, 0x70, 5, CYCLE_TICKS, 0, 0, MAX_DURATION),
]


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[wire.Simulation]:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        simulation.hosts["main"].configure(CONFIG)
        yield simulation


@pytest.fixture
def host(simulation: wire.Simulation) -> wire.Host:
    return simulation.hosts["main"]


def duty(simulation: wire.Simulation, pin: int = PIN) -> float:
    return float(simulation.ask(f"duty main {pin}")[0])


def run_to(simulation: wire.Simulation, clock: int) -> None:
    simulation.run_until(clock * 10)


def test_output_begins_with_its_start_value(simulation: wire.Simulation) -> None:
    assert duty(simulation) == 0.2


def test_values_are_shares_of_what_the_chip_counts_to(tmp_path: Path) -> None:
    description = wire.describe(tmp_path, mcus={"main": "pwm_max=1000"})
    with wire.Simulation(description, tmp_path) as simulation:
        simulation.hosts["main"].configure([("config_pwm_out", OUT, PIN, CYCLE_TICKS, 250, 0, 0)])
        assert duty(simulation) == 0.25


def test_reset_switches_outputs_off(simulation: wire.Simulation, host: wire.Host) -> None:
    host.send("queue_pwm_out", OUT, host.clock() + LEAD_TICKS, 255)
    host.send("emergency_stop")
    host.send("reset")
    simulation.run(0.02)
    assert duty(simulation) == 0.0


def test_output_without_an_object_is_set_once(simulation: wire.Simulation, host: wire.Host) -> None:
    host.send("set_pwm_out", 10, CYCLE_TICKS, 255)
    host.send("stm32_timer_output", 11, 1000, 500)
    simulation.run(0.02)
    assert (duty(simulation, 10), duty(simulation, 11)) == (1.0, 0.5)
