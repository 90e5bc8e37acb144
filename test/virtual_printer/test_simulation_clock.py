# Clocks of the MCUs, and the same bytes for the same seed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path

import pytest

from helpers import wire


@pytest.mark.parametrize("drift_ppm", [-200.0, -0.5, 0.0, 37.25, 5000.0])
@pytest.mark.parametrize("offset_s", [0.0, 12.5, 100.0])
def test_clock_runs_at_its_true_frequency_from_its_offset(
    tmp_path: Path, drift_ppm: float, offset_s: float
) -> None:
    mcus = {"main": f"drift_ppm={drift_ppm} clock_offset_s={offset_s}"}
    with wire.Simulation(wire.describe(tmp_path, mcus=mcus), tmp_path) as simulation:
        host = simulation.hosts["main"]
        simulation.run(1000.0)
        uptime = host.ask("uptime", "get_uptime")
        # It is read when the block has been processed
        read_ns = host.all("uptime")[0].time_ns - 100_000
        frequency = wire.FREQUENCY_HZ * (1 + drift_ppm * 1e-6)
        expected = frequency * (offset_s + read_ns / 1e9)
        assert abs((uptime["high"] << 32) + uptime["clock"] - expected) < 3


def test_clock_on_the_wire_wraps_and_timers_go_on(tmp_path: Path) -> None:
    # 2^32 ticks take 42.95 s
    mcus = {"main": "clock_offset_s=42.8"}
    with wire.Simulation(wire.describe(tmp_path, mcus=mcus), tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure([("config_stepper", 0, 1, 2, 0, 100), ("config_trsync", 1)])
        before = host.clock()
        clock = (before + 30_000_000) % (1 << 32)
        assert clock < before
        host.send("reset_step_clock", 0, before + 5_000_000)
        host.send("queue_step", 0, 500_000, 100, 0)
        host.send("trsync_start", 1, 0, 0, 4)
        host.send("stepper_stop_on_trigger", 0, 1)
        host.send("trsync_set_timeout", 1, clock)
        simulation.run(1.0)
        assert host.all("trsync_state")[0].values["clock"] == clock
        assert host.position(0) == -50
        assert host.ask("uptime", "get_uptime")["high"] == 1


def test_clock_goes_on_at_another_rate_from_where_it_is(tmp_path: Path) -> None:
    mcus = {"main": "drift_ppm=10 clock_offset_s=1"}
    with wire.Simulation(wire.describe(tmp_path, mcus=mcus), tmp_path) as simulation:
        host = simulation.hosts["main"]
        simulation.run(10.0)
        assert simulation.control("clock main drift_ppm=-4000") == "ok"
        simulation.run(10.0)
        uptime = host.ask("uptime", "get_uptime")
        read_ns = host.all("uptime")[0].time_ns - 100_000
        expected = wire.FREQUENCY_HZ * (11.0 * (1 + 10e-6) + (read_ns / 1e9 - 10.0) * (1 - 4e-3))
        assert abs((uptime["high"] << 32) + uptime["clock"] - expected) < 5


def test_timer_runs_when_the_clock_gets_there_whatever_its_rate(tmp_path: Path) -> None:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure([("config_stepper", 0, 1, 2, 0, 100), ("config_trsync", 1)])
        began_ns, clock = simulation.now_ns, host.clock()
        # A thousand steps in 2 s by the clock, and a timeout at 1 s
        start = clock + wire.FREQUENCY_HZ // 20
        host.send("reset_step_clock", 0, start)
        host.send("queue_step", 0, int(wire.FREQUENCY_HZ * 2e-3), 1000, 0)
        host.send("trsync_start", 1, 0, 0, 4)
        host.send("trsync_set_timeout", 1, clock + wire.FREQUENCY_HZ)
        simulation.run(0.5)
        changed_ns = simulation.now_ns
        assert simulation.control("clock main drift_ppm=100000") == "ok"
        simulation.run(1.0)
        before_s = (changed_ns - began_ns) / 1e9
        due_ns = changed_ns + 1e9 * (1.0 - before_s) / 1.1
        late_ns = host.all("trsync_state")[0].time_ns - due_ns
        assert 0 <= late_ns < 1e6
        elapsed_s = before_s + 1.1 * (simulation.now_ns - changed_ns) / 1e9
        assert abs(host.position(0) + (elapsed_s - 0.05) / 2e-3) < 3


def run_scenario(folder: Path, seed: int, pieces: int) -> bytes:
    """Home over a jittery link and return every byte that reached the host."""
    folder.mkdir()
    lines = [
        "carriage z axis=z start=1 x=0 y=0",
        "stepper stepper_z mcu=main step_pin=1 dir_pin=2 step_dist=0.01 moves=z:1",
        "endstop mcu=other pin=7 kind=probe offset_x=0 offset_y=0 trigger_height=0.2 noise_um=9",
    ]
    text = wire.describe(
        folder,
        lines,
        mcus={"main": "drift_ppm=3", "other": "drift_ppm=-9 clock_offset_s=1"},
        links=dict.fromkeys(("main", "other"), "to_mcu_us=300 to_host_us=200 jitter_us=250"),
        seed=seed,
    )
    with wire.Simulation(text, folder) as simulation:
        main, other = simulation.hosts["main"], simulation.hosts["other"]
        main.configure([("config_stepper", 0, 1, 2, 0, 100)])
        other.configure([("config_endstop", 0, 7, 1), ("config_trsync", 1)])
        clock = other.clock()
        other.send("trsync_start", 1, clock + 3_000_000, 750_000, 4)
        other.send("endstop_home", 0, clock + 3_000_000, 1500, 4, 20_000, 1, 1, 1)
        main.send("reset_step_clock", 0, main.clock() + 3_000_000)
        main.send("queue_step", 0, 100_000, 1000, 0)
        for _ in range(pieces):
            simulation.run(1.2 / pieces)
        return bytes(main.raw + other.raw)


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first = run_scenario(tmp_path / "first", 5, pieces=1)
    assert first == run_scenario(tmp_path / "second", 5, pieces=1)
    assert len(first) > 1000


def test_bytes_do_not_depend_on_how_often_time_stands_still(tmp_path: Path) -> None:
    first = run_scenario(tmp_path / "first", 5, pieces=1)
    assert first == run_scenario(tmp_path / "second", 5, pieces=60)


def test_other_seed_gives_other_bytes(tmp_path: Path) -> None:
    first = run_scenario(tmp_path / "first", 5, pieces=1)
    assert first != run_scenario(tmp_path / "second", 6, pieces=1)


def test_advance_stops_when_bytes_arrive_and_goes_on_from_there(tmp_path: Path) -> None:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        host, library = simulation.hosts["main"], simulation.library
        host.send("get_clock")
        assert library.simulation_next_event(simulation.pointer) == 100_000
        reached_ns = library.simulation_advance(simulation.pointer, wire.SECOND_NS)
        assert 210_000 <= reached_ns <= 240_000
        assert library.link_readable(simulation.pointer, host.link) > 0
        assert library.simulation_advance(simulation.pointer, wire.SECOND_NS) == wire.SECOND_NS


def test_arrival_inside_another_call_is_announced_by_the_next_advance(tmp_path: Path) -> None:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        host, library = simulation.hosts["main"], simulation.library
        host.send("get_clock")
        simulation.now_ns = 50_000_000
        simulation.control("carriage")
        assert library.simulation_next_event(simulation.pointer) == 50_000_000
        assert library.simulation_advance(simulation.pointer, wire.SECOND_NS) == 50_000_000
        assert library.simulation_advance(simulation.pointer, wire.SECOND_NS) == wire.SECOND_NS
