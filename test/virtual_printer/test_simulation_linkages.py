# Linkages: where rods, ropes and a turning bed truly have the toolhead
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import math
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import pytest

from helpers import wire

STEP = 0.01
PROBE = 7
BED = "bed tilt_x=0.01 tilt_y=-0.02 center_x=0 center_y=0 radius=100"
Place = Tuple[float, float, float]

RADIUS, ARM = 130.0, 270.0
TOWERS = [(RADIUS * math.cos(a), RADIUS * math.sin(a)) for a in map(math.radians, (210, 330, 90))]
SHOULDER, AXLE_HEIGHT, CRANK, FOREARM = 40.0, 400.0, 170.0, 320.0
CRANKS = [math.radians(degrees) for degrees in (30, 150, 270)]
ANCHORS = [(0.0, -900.0, -50.0), (900.0, 400.0, -40.0), (-900.0, 500.0, -60.0), (10.0, 5.0, 1500.0)]


def bed_height(x: float, y: float) -> float:
    return 0.01 * x - 0.02 * y


def elbow(direction: float, angle: float) -> Place:
    reach = SHOULDER + CRANK * math.cos(angle)
    height = AXLE_HEIGHT + CRANK * math.sin(angle)
    return reach * math.cos(direction), reach * math.sin(direction), height


def crank_angle(direction: float, place: Place) -> float:
    """Return the greatest angle at which the elbow is a forearm away from a place."""

    def excess(angle: float) -> float:
        return math.dist(elbow(direction, angle), place) - FOREARM

    low, high = -1.5, 1.5
    assert excess(low) < 0 < excess(high)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return low


def lines(kind: str, place: Place) -> List[str]:
    """Return joints that have the toolhead at a place, each with its stepper and rod."""
    x, y, z = place
    if kind == "delta":
        rods = [f"kind=tower x={tx!r} y={ty!r} length={ARM}" for tx, ty in TOWERS]
        joints = [z + math.sqrt(ARM**2 - (x - tx) ** 2 - (y - ty) ** 2) for tx, ty in TOWERS]
    elif kind == "flat":
        rods = [f"kind=tower x={tx} length={ARM}" for tx in (-160, 150)]
        joints = [z + math.sqrt(ARM**2 - (x - tx) ** 2) for tx in (-160, 150)]
    elif kind == "rotary":
        at = [(SHOULDER * math.cos(a), SHOULDER * math.sin(a)) for a in CRANKS]
        rods = [
            f"kind=crank x={ax!r} y={ay!r} z={AXLE_HEIGHT} length={FOREARM} crank={CRANK}"
            f" direction={direction!r}"
            for (ax, ay), direction in zip(at, CRANKS)
        ]
        joints = [crank_angle(direction, place) for direction in CRANKS]
    else:
        anchors = ANCHORS[: int(kind[-1])]
        rods = [f"kind=rope x={ax} y={ay} z={az}" for ax, ay, az in anchors]
        joints = [math.dist(anchor, place) for anchor in anchors]
    found = [f"carriage j{i} axis=joint start={at!r}" for i, at in enumerate(joints)]
    found += [stepper(f"j{i}", i) for i in range(len(joints))]
    return found + [f"rod joint=j{i} {rod}" for i, rod in enumerate(rods)]


def stepper(carriage: str, index: int) -> str:
    return (
        f"stepper s{index} mcu=main step_pin={2 * index + 10} dir_pin={2 * index + 11}"
        f" step_dist={STEP} moves={carriage}:1"
    )


def start(folder: Path, described: Sequence[str]) -> wire.Simulation:
    simulation = wire.Simulation(wire.describe(folder, [*described, BED]), folder)
    count = sum(line.startswith("stepper") for line in described)
    config: List[Tuple[wire.Value, ...]] = [
        ("config_stepper", i, 2 * i + 10, 2 * i + 11, 0, 100) for i in range(count)
    ]
    simulation.hosts["main"].configure([*config, ("config_endstop", 19, PROBE, 1)])
    return simulation


def move(simulation: wire.Simulation, steps: Dict[int, int]) -> None:
    host = simulation.hosts["main"]
    clock = host.clock() + 20_000_000
    for oid, count in steps.items():
        host.send("set_next_step_dir", oid, int(count > 0))
        host.send("reset_step_clock", oid, clock)
        host.send("queue_step", oid, 1000, abs(count), 0)
    simulation.run(0.5 + max(map(abs, steps.values())) * 1e-5)


def place_of(simulation: wire.Simulation) -> Place:
    """Return the nozzle's place, with its height over the plane of the bed's centre."""
    x, y, height = (float(word) for word in simulation.ask("carriage"))
    return x, y, height + bed_height(x, y)


def is_triggered(simulation: wire.Simulation) -> bool:
    state = simulation.hosts["main"].ask("endstop_state", "endstop_query_state", 19)
    return bool(state["pin_value"])


@pytest.mark.parametrize("kind", ["delta", "rotary", "rope4"])
@pytest.mark.parametrize("place", [(0.0, 0.0, 0.0), (40.0, -30.0, 90.0), (-50.0, 60.0, 5.0)])
def test_rods_hold_the_toolhead_where_they_meet(tmp_path: Path, kind: str, place: Place) -> None:
    with start(tmp_path, lines(kind, place)) as simulation:
        assert place_of(simulation) == pytest.approx(place, abs=1e-6)


@pytest.mark.parametrize("place", [(0.0, 0.0, -300.0), (40.0, -30.0, -90.0)])
def test_toolhead_hangs_from_three_ropes(tmp_path: Path, place: Place) -> None:
    with start(tmp_path, lines("rope3", place)) as simulation:
        assert place_of(simulation) == pytest.approx(place, abs=1e-6)


@pytest.mark.parametrize("place", [(0.0, 12.0, 0.0), (70.0, 12.0, 40.0), (-90.0, 12.0, 3.0)])
def test_two_rods_hold_it_along_x_and_z_only(tmp_path: Path, place: Place) -> None:
    described = ["carriage y axis=y start=12", stepper("y", 2), *lines("flat", place)]
    with start(tmp_path, described) as simulation:
        assert place_of(simulation) == pytest.approx(place, abs=1e-6)


@pytest.mark.parametrize(
    "kind, scale", [("delta", 1), ("rotary", 0.004), ("rope4", 1), ("flat", 1)]
)
def test_steps_of_the_joints_carry_the_toolhead_along(
    tmp_path: Path, kind: str, scale: float
) -> None:
    begin, end = (20.0, 10.0, 30.0), (-35.0, 10.0 if kind == "flat" else 45.0, 62.0)
    beside = ["carriage y axis=y start=10"] if kind == "flat" else []

    def joints(place: Place) -> List[float]:
        described = [line for line in lines(kind, place) if line.startswith("carriage")]
        return [float(line.split("start=")[1]) for line in described]

    step = STEP * scale
    steps = {i: round((b - a) / step) for i, (a, b) in enumerate(zip(joints(begin), joints(end)))}
    described = [
        line.replace(f"step_dist={STEP}", f"step_dist={step}") for line in lines(kind, begin)
    ]
    with start(tmp_path, [*beside, *described]) as simulation:
        move(simulation, steps)
        assert place_of(simulation) == pytest.approx(end, abs=0.05)


def test_motors_of_one_tower_count_by_their_mean(tmp_path: Path) -> None:
    described = [*lines("delta", (0.0, 0.0, 10.0)), stepper("j0", 3)]
    with start(tmp_path, described) as simulation:
        move(simulation, {0: 200, 1: 100, 2: 100})
        assert place_of(simulation) == pytest.approx((0.0, 0.0, 11.0), abs=1e-6)


def test_fifth_rope_is_fitted_with_the_others(tmp_path: Path) -> None:
    place = (100.0, 50.0, 200.0)
    fifth = (-400.0, -400.0, 1200.0)
    described = [
        *lines("rope4", place),
        f"carriage j4 axis=joint start={math.dist(fifth, place)!r}",
        stepper("j4", 4),
        f"rod joint=j4 kind=rope x={fifth[0]} y={fifth[1]} z={fifth[2]}",
    ]
    with start(tmp_path, described) as simulation:
        assert place_of(simulation) == pytest.approx(place, abs=1e-6)
        move(simulation, {4: 100})
        # One that pays out 1 mm more than the others leave shares it with them
        moved = math.dist(place_of(simulation), place)
        assert 0.1 < moved < 1.0
        got = place_of(simulation)
        misses = [math.dist(a, got) - math.dist(a, place) for a in ANCHORS]
        misses.append(math.dist(fifth, got) - math.dist(fifth, place) - 1.0)
        for axis in range(3):
            # The least sum of squares: no small move makes it less
            nearby = list(got)
            nearby[axis] += 0.01
            worse = [math.dist(a, nearby) - math.dist(a, place) for a in ANCHORS]
            worse.append(math.dist(fifth, nearby) - math.dist(fifth, place) - 1.0)
            assert sum(m * m for m in misses) < sum(m * m for m in worse)


def test_rods_too_short_to_meet_hold_it_between_them(tmp_path: Path) -> None:
    place = (0.0, 10.0, 0.0)
    described = ["carriage y axis=y start=10", *lines("flat", place)]
    with start(tmp_path, described) as simulation:
        move(simulation, {0: 60_000})
        x, _, z = place_of(simulation)
        low, high = (150, math.sqrt(ARM**2 - 150**2)), (-160, math.sqrt(ARM**2 - 160**2) + 600)
        assert math.dist((x, z), low) == pytest.approx(math.dist((x, z), high), abs=0.1)


def test_bed_turns_below_the_arm(tmp_path: Path) -> None:
    described = [
        "carriage bed axis=joint start=0",
        "carriage arm axis=joint start=50",
        "carriage z axis=z start=5 x=0 y=0",
        *[stepper(name, i) for i, name in enumerate(("bed", "arm", "z"))],
        "polar bed=bed arm=arm",
        f"endstop mcu=main pin={PROBE} kind=probe offset_x=10 offset_y=4 trigger_height=0",
    ]
    with start(tmp_path, described) as simulation:
        assert place_of(simulation) == pytest.approx((50.0, 0.0, 5.0))
        move(simulation, {0: 100, 1: 1000})
        angle = 1.0
        expected = (60 * math.cos(angle), 60 * math.sin(angle), 5.0)
        assert place_of(simulation) == pytest.approx(expected)
        # The probe beside the nozzle keeps its direction while the bed turns
        x = 70 * math.cos(angle) - 4 * math.sin(angle)
        y = 70 * math.sin(angle) + 4 * math.cos(angle)
        steps = int((5.0 - bed_height(x, y)) / STEP)
        move(simulation, {2: -steps})
        assert not is_triggered(simulation)
        move(simulation, {2: -1})
        assert is_triggered(simulation)


def test_probe_on_rods_feels_the_bed_beside_the_nozzle(tmp_path: Path) -> None:
    probe = f"endstop mcu=main pin={PROBE} kind=probe offset_x=20 offset_y=-15 trigger_height=1.5"
    with start(tmp_path, [*lines("delta", (10.0, 20.0, 8.005)), probe]) as simulation:
        steps = int((8.005 - bed_height(30, 5) - 1.5) / STEP)
        move(simulation, dict.fromkeys(range(3), -steps))
        assert not is_triggered(simulation)
        move(simulation, dict.fromkeys(range(3), -1))
        assert is_triggered(simulation)


def test_switch_of_a_tower_feels_the_height_of_its_rod(tmp_path: Path) -> None:
    described = lines("delta", (0.0, 0.0, 10.0))
    height = 10.0 + math.sqrt(ARM**2 - RADIUS**2)
    switch = f"endstop mcu=main pin={PROBE} kind=carriage carriage=j1 at={height + 0.5} side=max"
    with start(tmp_path, [*described, switch]) as simulation:
        move(simulation, {0: 100, 1: 49})
        assert not is_triggered(simulation)
        move(simulation, {1: 2})
        assert is_triggered(simulation)


def test_stepper_that_moves_no_carriage_has_a_place_of_its_own(tmp_path: Path) -> None:
    described = [
        "carriage x axis=x start=3",
        stepper("x", 0),
        stepper("x", 1).replace("moves=x:1", "start=7"),
        f"endstop mcu=main pin={PROBE} kind=stepper stepper=s1 at=6 side=min",
    ]
    with start(tmp_path, described) as simulation:
        move(simulation, {1: -99})
        assert simulation.positions()["s1"] == pytest.approx(6.01)
        assert not is_triggered(simulation)
        move(simulation, {1: -2})
        assert is_triggered(simulation)
        assert place_of(simulation)[0] == 3.0


@pytest.mark.parametrize(
    "change, reason",
    [
        (("kind=tower", "kind=spring"), "unknown kind 'spring'"),
        (("rod joint=j2", "rod joint=j9"), "unknown carriage 'j9'"),
        ((f"length={ARM}", "length=0"), "length must be from"),
        ((f"length={ARM}", "length=100"), "the rods do not meet at the toolhead"),
    ],
)
def test_rods_that_cannot_be_are_refused(
    tmp_path: Path, change: Tuple[str, str], reason: str
) -> None:
    text = "\n".join(lines("delta", (0.0, 0.0, 10.0)))
    assert change[0] in text
    with pytest.raises(wire.LoadError, match=reason):
        start(tmp_path, text.replace(*change).split("\n")).close()


def test_rods_from_one_line_are_refused(tmp_path: Path) -> None:
    described = [line for line in lines("rope3", (0.0, 0.0, -9.0)) if "rod" not in line]
    described += [f"rod joint=j{i} kind=rope x={100 * i} y={50 * i} z=0" for i in range(3)]
    with pytest.raises(wire.LoadError, match="the far ends of the rods are in one line"):
        start(tmp_path, described).close()


def test_one_rod_is_not_enough(tmp_path: Path) -> None:
    described = [line for line in lines("delta", (0.0, 0.0, 10.0)) if "0" in line.split()[1]]
    with pytest.raises(wire.LoadError, match="one rod alone does not hold the toolhead"):
        start(tmp_path, described).close()


def test_switch_of_an_unknown_stepper_is_refused(tmp_path: Path) -> None:
    described = [f"endstop mcu=main pin={PROBE} kind=stepper stepper=s9 at=6 side=min"]
    with pytest.raises(wire.LoadError, match="unknown stepper 's9'"):
        start(tmp_path, described).close()
