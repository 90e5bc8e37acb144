# Outputs of all kinds: settings at their clocks, and deadlines
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Iterator, NamedTuple, Tuple

import pytest

from helpers import wire

TICKS_PER_MS = wire.FREQUENCY_HZ // 1000
LEAD_TICKS = 40 * TICKS_PER_MS
CYCLE_TICKS = 10 * TICKS_PER_MS
MAX_DURATION = 100 * TICKS_PER_MS
OUT, PIN, CHANNEL, BUS, ADDRESS = 0, 9, 5, 2, 0x70


class Kind(NamedTuple):
    """A kind of output: its commands, values that are not its default, and what it says."""

    config: Tuple[object, ...]
    queue: str
    # The share of time for which it is on, by its value
    share: float
    on: int
    missed: str
    exceeds: str
    shown_at: str


KINDS = {
    "digital": Kind(
        ("config_digital_out", OUT, PIN, 0, 0, MAX_DURATION),
        "queue_digital_out",
        1.0,
        1,
        "Missed scheduling of next digital out event",
        "Scheduled digital out event will exceed max_duration",
        f"duty main {PIN}",
    ),
    "pwm": Kind(
        ("config_pwm_out", OUT, PIN, CYCLE_TICKS, 0, 0, MAX_DURATION),
        "queue_pwm_out",
        0.4,
        102,
        "Missed scheduling of next hard pwm event",
        "Scheduled pwm event will exceed max_duration",
        f"duty main {PIN}",
    ),
    "pca9685": Kind(
        ("config_pca9685", OUT, BUS, ADDRESS, CHANNEL, CYCLE_TICKS, 0, 0, MAX_DURATION),
        "queue_pca9685_out",
        0.25,
        1024,
        "Missed scheduling of next pca9685 event",
        "Scheduled pca9685 event will exceed max_duration",
        f"duty more {CHANNEL}",
    ),
}
CHIP = f"output_chip more kind=pca9685 mcu=main i2c_bus={BUS} i2c_address={ADDRESS}"


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def host(kind: Kind, tmp_path: Path) -> Iterator[wire.Host]:
    with wire.Simulation(wire.describe(tmp_path, [CHIP]), tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure([kind.config])
        yield host


def shown(host: wire.Host, kind: Kind) -> float:
    return float(host.simulation.ask(kind.shown_at)[0])


def run_to(host: wire.Host, clock: int) -> None:
    host.simulation.run_until(clock * 10)


def test_setting_comes_at_its_clock(host: wire.Host, kind: Kind) -> None:
    clock = host.clock() + LEAD_TICKS
    host.send(kind.queue, OUT, clock, kind.on)
    host.send(kind.queue, OUT, clock + TICKS_PER_MS, 0)
    host.send(kind.queue, OUT, clock + 2 * TICKS_PER_MS, kind.on)
    host.send(kind.queue, OUT, clock + 3 * TICKS_PER_MS, 0)
    for at, before, after in ((0, 0.0, kind.share), (1, kind.share, 0.0), (2, 0.0, kind.share)):
        run_to(host, clock + at * TICKS_PER_MS - 1)
        assert shown(host, kind) == before
        run_to(host, clock + at * TICKS_PER_MS)
        assert shown(host, kind) == after
    host.simulation.run(1.0)
    assert shown(host, kind) == 0.0
    assert host.shutdown_reason() is None


def test_output_left_on_too_long_shuts_down(host: wire.Host, kind: Kind) -> None:
    clock = host.clock() + LEAD_TICKS
    host.send(kind.queue, OUT, clock, kind.on)
    host.simulation.run(1.0)
    assert host.shutdown_reason() == kind.missed
    assert host.all("shutdown")[0].values["clock"] == clock + MAX_DURATION
    assert shown(host, kind) == 0.0


def test_setting_beyond_the_longest_duration_shuts_down(host: wire.Host, kind: Kind) -> None:
    clock = host.clock() + LEAD_TICKS
    host.send(kind.queue, OUT, clock, kind.on)
    host.send(kind.queue, OUT, clock + MAX_DURATION + 1, 0)
    host.simulation.run(1.0)
    assert host.shutdown_reason() == kind.exceeds
    assert host.all("shutdown")[0].values["clock"] == clock


def test_setting_at_the_end_of_the_longest_duration_is_in_time(host: wire.Host, kind: Kind) -> None:
    clock = host.clock() + LEAD_TICKS
    host.send(kind.queue, OUT, clock, kind.on)
    host.send(kind.queue, OUT, clock + MAX_DURATION, 0)
    host.simulation.run(1.0)
    assert host.shutdown_reason() is None


def test_late_setting_beyond_the_deadline_shuts_down(host: wire.Host, kind: Kind) -> None:
    clock = host.clock() + LEAD_TICKS
    host.send(kind.queue, OUT, clock, kind.on)
    run_to(host, clock)
    host.send(kind.queue, OUT, clock + MAX_DURATION + 1, 0)
    host.simulation.run(0.02)
    assert host.shutdown_reason() == kind.exceeds


def test_setting_in_the_past_shuts_down(host: wire.Host, kind: Kind) -> None:
    host.send(kind.queue, OUT, host.clock() - 1, kind.on)
    host.simulation.run(0.02)
    assert host.shutdown_reason() == "Timer too close"


def test_output_may_stay_at_its_default(host: wire.Host, kind: Kind) -> None:
    host.send(kind.queue, OUT, host.clock() + LEAD_TICKS, 0)
    host.simulation.run(5.0)
    assert host.shutdown_reason() is None
    assert host.simulation.counters("main")["moves_peak"] == "1"


def test_settings_that_wait_are_forgotten_in_a_shutdown(host: wire.Host, kind: Kind) -> None:
    clock = host.clock() + LEAD_TICKS
    host.send(kind.queue, OUT, clock, kind.on)
    host.send(kind.queue, OUT, clock + TICKS_PER_MS, 0)
    host.send("emergency_stop")
    host.simulation.run(1.0)
    assert shown(host, kind) == 0.0
    assert len(host.all("shutdown")) == 1


def test_channel_or_value_that_a_pca9685_lacks_shuts_down(tmp_path: Path) -> None:
    for command in (
        ("config_pca9685", OUT, BUS, ADDRESS, 16, CYCLE_TICKS, 0, 0, 0),
        ("config_pca9685", OUT, BUS, ADDRESS, 0, CYCLE_TICKS, 4097, 0, 0),
        ("config_pca9685", OUT, BUS, ADDRESS, 0, CYCLE_TICKS, 0, 4097, 0),
        ("set_pca9685_out", BUS, ADDRESS, 16, CYCLE_TICKS, 0),
    ):
        with wire.Simulation(wire.describe(tmp_path, [CHIP]), tmp_path) as simulation:
            host = simulation.hosts["main"]
            host.send("allocate_oids", 1)
            host.send(*command)
            simulation.run(0.02)
            assert host.shutdown_reason() == "Invalid pca9685 channel or value"


def test_value_beyond_that_of_a_pca9685_shuts_down(tmp_path: Path) -> None:
    with wire.Simulation(wire.describe(tmp_path, [CHIP]), tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure([KINDS["pca9685"].config])
        host.send("queue_pca9685_out", OUT, host.clock() + LEAD_TICKS, 4097)
        simulation.run(0.02)
        assert host.shutdown_reason() == "Invalid pca9685 value"


def test_output_without_an_object_is_set_on_a_pca9685_too(tmp_path: Path) -> None:
    with wire.Simulation(wire.describe(tmp_path, [CHIP]), tmp_path) as simulation:
        simulation.hosts["main"].send("set_pca9685_out", BUS, ADDRESS, 3, CYCLE_TICKS, 2048)
        simulation.run(0.02)
        assert simulation.ask("duty more 3") == ["0.500000"]
