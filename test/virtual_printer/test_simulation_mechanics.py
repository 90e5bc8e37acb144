# Mechanics: where carriage, gantry, switches and probe truly are
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from helpers import wire

STEP_MM = 0.01
START_MM = 5.0
CARTESIAN = ["x:1", "y:1"]
COREXY = ["x:1,y:1", "x:1,y:-1"]
PROBE = 7
CORNERS = [(0, 0), (0, 300), (200, 300), (200, 0)]
BED = "bed tilt_x=0.001 tilt_y=-0.002 bow_mm=0.3 center_x=100 center_y=150 radius=100"


def bed_height(x: float, y: float) -> float:
    dx, dy = x - 100, y - 150
    return 0.001 * dx - 0.002 * dy + 0.3 * (dx * dx + dy * dy) / 100**2


def z_lines(places: List[Tuple[float, float]]) -> List[str]:
    return [
        f"carriage z{i} axis=z start={START_MM} x={x} y={y}\n"
        f"stepper z{i} mcu=main step_pin={2 * i + 10} dir_pin={2 * i + 11} step_dist={STEP_MM}"
        f" moves=z{i}:1"
        for i, (x, y) in enumerate(places)
    ]


def xy_lines(moves: List[str], x: float, y: float) -> List[str]:
    """Return carriages x and y with steppers s0, s1... that move what is given for each."""
    return [
        f"carriage x axis=x start={x}",
        f"carriage y axis=y start={y}",
        *[
            f"stepper s{i} mcu=main step_pin={2 * i + 40} dir_pin={2 * i + 41}"
            f" step_dist={STEP_MM} moves={one}"
            for i, one in enumerate(moves)
        ],
    ]


def start(folder: Path, lines: List[str]) -> wire.Simulation:
    """Start a simulation in which the steppers have the oids of their order."""
    simulation = wire.Simulation(wire.describe(folder, lines), folder)
    single = "\n".join(lines).split("\n")
    steppers = [line.split() for line in single if line.startswith("stepper")]
    config = []
    for oid, words in enumerate(steppers):
        pins = [int(word.split("=")[1]) for word in words if "_pin=" in word]
        config.append(("config_stepper", oid, *pins, 0, 100))
    simulation.hosts["main"].configure([*config, ("config_endstop", 19, PROBE, 1)])
    return simulation


def move(simulation: wire.Simulation, steps: Dict[int, int]) -> None:
    """Move steppers by their oids."""
    host = simulation.hosts["main"]
    clock = host.clock() + 20_000_000
    for oid, count in steps.items():
        host.send("set_next_step_dir", oid, int(count > 0))
        host.send("reset_step_clock", oid, clock)
        host.send("queue_step", oid, 1000, abs(count), 0)
    simulation.run(0.5 + max(map(abs, steps.values())) * 1e-5)


def carriage(simulation: wire.Simulation) -> List[float]:
    return [float(word) for word in simulation.ask("carriage")]


def is_probe_triggered(simulation: wire.Simulation) -> bool:
    state = simulation.hosts["main"].ask("endstop_state", "endstop_query_state", 19)
    return bool(state["pin_value"])


def test_corexy_moves_by_sum_and_difference_of_its_motors(tmp_path: Path) -> None:
    with start(tmp_path, xy_lines(COREXY, 20, 30)) as simulation:
        move(simulation, {0: 300, 1: -100})
        assert carriage(simulation)[:2] == pytest.approx([20 + 1.0, 30 + 2.0])


def test_cartesian_moves_each_axis_alone(tmp_path: Path) -> None:
    with start(tmp_path, xy_lines(CARTESIAN, 20, 30)) as simulation:
        move(simulation, {0: 300, 1: -100})
        assert carriage(simulation)[:2] == pytest.approx([23, 29])


def test_motors_of_one_belt_count_by_their_mean(tmp_path: Path) -> None:
    with start(tmp_path, xy_lines(COREXY * 2, 0, 0)) as simulation:
        move(simulation, {0: 200, 2: 100})
        assert carriage(simulation)[:2] == pytest.approx([0.75, 0.75])
        positions = simulation.positions()
        assert positions["s0"] == pytest.approx(2.0) and positions["s2"] == pytest.approx(1.0)


def test_hybrid_moves_one_axis_by_a_screw_and_the_other_over_it(tmp_path: Path) -> None:
    with start(tmp_path, xy_lines(["x:1,y:-1", "y:1"], 0, 0)) as simulation:
        move(simulation, {0: 300, 1: 100})
        assert carriage(simulation)[:2] == pytest.approx([4.0, 1.0])


def test_two_carriages_of_one_axis_know_their_own_places(tmp_path: Path) -> None:
    lines = [
        *xy_lines(["x:1,y:0.5,y1:0.5", "y:1", "y1:1", "u:1"], 10, 20),
        "carriage y1 axis=y start=20",
        "carriage u axis=x start=90 toolhead=0",
    ]
    with start(tmp_path, lines) as simulation:
        move(simulation, {0: 100, 1: 30, 2: 50, 3: -700})
        assert simulation.ask("carriages") == [
            "x:10.600000000",
            "y:20.300000000",
            "y1:20.500000000",
            "u:83.000000000",
        ]
        # The toolhead is half way between both ends of its beam, and not on the other carriage
        assert carriage(simulation)[:2] == pytest.approx([10.6, 20.4])


def test_more_belts_than_carriages_find_the_place_that_fits_best(tmp_path: Path) -> None:
    with start(tmp_path, xy_lines(["x:1,y:1", "x:1,y:-1", "x:1"], 0, 0)) as simulation:
        move(simulation, {0: 300, 1: 300, 2: 300})
        assert carriage(simulation)[:2] == pytest.approx([3.0, 0.0])
        move(simulation, {2: 30})
        # x + y = 3, x - y = 3 and x = 3.3 cannot all be
        assert carriage(simulation)[:2] == pytest.approx([3.1, 0.0])


def test_carriage_without_a_stepper_stays(tmp_path: Path) -> None:
    with start(tmp_path, [*xy_lines(["x:1"], 3, 4)]) as simulation:
        move(simulation, {0: 100})
        assert carriage(simulation)[:2] == pytest.approx([4.0, 4.0])


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_gantry_passes_through_the_heights_of_its_motors(tmp_path: Path, count: int) -> None:
    places = CORNERS[:count]
    steps = [0, 37, -20, 55][:count]
    for x, y in places:
        folder = tmp_path / f"{x}_{y}"
        folder.mkdir()
        lines = [*z_lines(places), *xy_lines(CARTESIAN, x, y), BED]
        with start(folder, lines) as simulation:
            move(simulation, {i: step for i, step in enumerate(steps) if step} or {0: 1})
            own = START_MM + STEP_MM * (steps[places.index((x, y))] or (count == 1))
            assert carriage(simulation)[2] == pytest.approx(own - bed_height(x, y))


def test_four_corners_bend_the_gantry_between_them(tmp_path: Path) -> None:
    lines = [*z_lines(CORNERS), *xy_lines(CARTESIAN, 50, 240)]
    with start(tmp_path, lines) as simulation:
        steps = [10, 20, -30, 400]
        move(simulation, dict(enumerate(steps)))
        u, v = 50 / 200, 240 / 300
        weights = [(1 - u) * (1 - v), (1 - u) * v, u * v, u * (1 - v)]
        expected = START_MM + STEP_MM * sum(w * s for w, s in zip(weights, steps))
        assert carriage(simulation)[2] == pytest.approx(expected)


def test_three_motors_span_a_plane(tmp_path: Path) -> None:
    places = [(-50.0, 18.0), (125.0, 400.0), (300.0, 18.0)]
    lines = [*z_lines(places), *xy_lines(CARTESIAN, 125, 209)]
    with start(tmp_path, lines) as simulation:
        move(simulation, {0: 100, 1: 200, 2: 300})
        # Half way between the second one and the middle of the two others
        assert carriage(simulation)[2] == pytest.approx(START_MM + 2.0)


def test_probe_triggers_at_its_height_over_the_bed_beside_the_nozzle(tmp_path: Path) -> None:
    lines = [
        *z_lines(CORNERS),
        *xy_lines(CARTESIAN, 60, 70),
        BED,
        f"endstop mcu=main pin={PROBE} kind=probe offset_x=10 offset_y=-25 trigger_height=0.8",
    ]
    with start(tmp_path, lines) as simulation:
        gap = START_MM - bed_height(70, 45) - 0.8
        steps = int(gap / STEP_MM)
        move(simulation, dict.fromkeys(range(4), -steps))
        assert not is_probe_triggered(simulation)
        move(simulation, dict.fromkeys(range(4), -1))
        assert is_probe_triggered(simulation)
        # The bed lies lower there
        move(simulation, {4: 2000})
        assert is_probe_triggered(simulation) == (
            START_MM - (steps + 1) * STEP_MM - bed_height(90, 45) <= 0.8
        )


def test_probe_noise_is_new_for_each_homing_move_and_small(tmp_path: Path) -> None:
    probe = f"endstop mcu=main pin={PROBE} kind=probe offset_x=0 offset_y=0 trigger_height=0"
    config = [
        ("config_stepper", 0, 10, 11, 0, 100),
        ("config_endstop", 1, PROBE, 1),
        ("config_trsync", 2),
    ]
    text = wire.describe(tmp_path, [*z_lines(CORNERS[:1]), probe + " noise_um=100"])
    halts = []
    with wire.Simulation(text, tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure(config)
        for _ in range(30):
            clock = host.clock() + 20_000_000
            host.send("trsync_start", 2, 0, 0, 4)
            host.send("stepper_stop_on_trigger", 0, 2)
            host.send("endstop_home", 1, clock, 100, 4, 500, 1, 2, 1)
            host.send("set_next_step_dir", 0, 0)
            host.send("reset_step_clock", 0, clock)
            host.send("queue_step", 0, 10_000, 1000, 0)
            simulation.run(0.3)
            halts.append(simulation.pulses()["z0"])
            # Back up to where it began
            move(simulation, {0: -halts[-1]})
    heights = [START_MM + STEP_MM * halt for halt in halts]
    assert max(map(abs, heights)) < 0.6
    mean = sum(heights) / len(heights)
    deviation = (sum((height - mean) ** 2 for height in heights) / len(heights)) ** 0.5
    assert 0.05 < deviation < 0.2


@pytest.mark.parametrize(("side", "triggered"), [("min", [1, 0, 0]), ("max", [0, 0, 1])])
def test_switch_closes_at_its_side_of_the_carriage(
    tmp_path: Path, side: str, triggered: List[int]
) -> None:
    switch = f"endstop mcu=main pin={PROBE} kind=carriage carriage=x at=10 side={side}"
    if side == "max":
        switch = switch.replace("at=10", "at=11")
    with start(tmp_path, [*xy_lines(CARTESIAN, 10, 0), switch]) as simulation:
        states = []
        for steps in (0, 50, 50):
            if steps:
                move(simulation, {0: steps})
            states.append(int(is_probe_triggered(simulation)))
        assert states == triggered


def test_z_switch_feels_the_nozzle_height(tmp_path: Path) -> None:
    switch = f"endstop mcu=main pin={PROBE} kind=nozzle at=0 side=min"
    lines = [*z_lines(CORNERS[:1]), *xy_lines(CARTESIAN, 0, 0), BED, switch]
    with start(tmp_path, lines) as simulation:
        steps = int((START_MM - bed_height(0, 0)) / STEP_MM)
        move(simulation, {0: -steps})
        assert not is_probe_triggered(simulation)
        move(simulation, {0: -1})
        assert is_probe_triggered(simulation)
