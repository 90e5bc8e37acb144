# Hard stops and motors without power: where a carriage is that several motors pull
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import random
from pathlib import Path
from typing import Dict, Sequence, Tuple

import pytest

from helpers import wire

FULL_STEP_MM = 0.2
STEP_MM = FULL_STEP_MM / 16
INTERVAL_TICKS = 50_000
STEPPERS = {"a": (0, 1), "b": (1, 3), "a1": (2, 5)}
CARRIAGES = ("carriage x axis=x start=10", "carriage y axis=y start=10")
COREXY = {"a": "x:1,y:1", "b": "x:1,y:-1"}
STOP_X = "stop carriage=x at=9 side=min"
STOP_Y = "stop carriage=y at=10.5 side=max"


def motor(name: str, moves: str) -> str:
    """Return the description of a stepper."""
    pin = STEPPERS[name][1]
    keys = f"step_pin={pin} dir_pin={pin + 1} step_dist={STEP_MM} microsteps=16"
    return f"stepper {name} mcu=main {keys} moves={moves}"


class Machine:
    """Steppers of one MCU that a test moves by some pulses each."""

    def __init__(self, folder: Path, motors: Dict[str, str], stops: Sequence[str]) -> None:
        lines = [*CARRIAGES, *(motor(*item) for item in motors.items()), *stops]
        self.simulation = wire.Simulation(wire.describe(folder, lines), folder)
        self.host = self.simulation.hosts["main"]
        self.host.configure(
            [
                (
                    "config_stepper",
                    STEPPERS[name][0],
                    STEPPERS[name][1],
                    STEPPERS[name][1] + 1,
                    0,
                    0,
                )
                for name in motors
            ]
        )

    def move(self, **ways: Tuple[int, ...]) -> None:
        """Make steppers take runs of pulses, one run behind the other; nobody looks meanwhile."""
        clock = self.host.clock() + 5_000_000
        for name in ways:
            self.host.send("reset_step_clock", STEPPERS[name][0], clock)
        for name, pulses in ways.items():
            for count in pulses:
                if count:
                    self.host.send("set_next_step_dir", STEPPERS[name][0], int(count > 0))
                    self.host.send("queue_step", STEPPERS[name][0], INTERVAL_TICKS, abs(count), 0)
        longest = max(sum(abs(count) for count in pulses) for pulses in ways.values())
        self.simulation.run(0.08 + longest * INTERVAL_TICKS / wire.FREQUENCY_HZ)

    def carriages(self) -> Dict[str, float]:
        """Return where the carriages are (mm)."""
        words = (word.split(":") for word in self.simulation.ask("carriages"))
        return {name: float(position) for name, position in words}


def test_carriage_across_a_stop_goes_on_along_it(tmp_path: Path) -> None:
    machine = Machine(tmp_path, COREXY, [STOP_X])
    with machine.simulation:
        # Both coordinates by 1.2 mm, of which x has but 1 mm
        machine.move(a=(-192,))
        assert machine.carriages() == pytest.approx({"x": 9.0, "y": 8.8})
        # Neither motor has lost a step
        machine.move(a=(192,))
        assert machine.carriages() == pytest.approx({"x": 10.0, "y": 10.0})


def test_both_motors_of_a_corexy_fall_behind_alike(tmp_path: Path) -> None:
    machine = Machine(tmp_path, COREXY, [STOP_X])
    with machine.simulation:
        machine.move(a=(-400, 400), b=(-400, 400))
        # 4 mm beyond the stop are 20 full steps, of which 20 are lost
        found = machine.carriages()
        assert found["y"] == pytest.approx(10.0)
        assert (found["x"] - 10.0) / (4 * FULL_STEP_MM) == pytest.approx(5.0)


def test_one_motor_of_a_belt_holds_the_other_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path, {"a": "x:1", "a1": "x:1", "b": "y:1"}, [STOP_X])
    with machine.simulation:
        # They are 0.3 mm apart, and the belt is at their mean
        machine.move(a=(-90,), a1=(-66,))
        assert machine.carriages()["x"] == pytest.approx(10.0 - 78 * STEP_MM)
        # The one ahead is the one that slips
        machine.move(a=(-16, 16), a1=(-16, 16))
        lost_mm = machine.carriages()["x"] - (10.0 - 78 * STEP_MM)
        assert lost_mm == pytest.approx(0.0)
        machine.move(a=(-32, 32), a1=(-32, 32))
        lost_mm = machine.carriages()["x"] - (10.0 - 78 * STEP_MM)
        assert lost_mm == pytest.approx(2 * FULL_STEP_MM)


@pytest.mark.parametrize("seed", range(5))
def test_carriages_stay_between_their_stops_and_fit_their_belts(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    machine = Machine(tmp_path, COREXY, [STOP_X, STOP_Y])
    with machine.simulation:
        for _ in range(15):
            machine.move(
                **{name: (draw.randint(-300, 300), draw.randint(-300, 300)) for name in COREXY}
            )
            found, motors = machine.carriages(), machine.simulation.positions()
            assert found["x"] > 9.0 - 1e-6
            assert found["y"] < 10.5 + 1e-6
            assert motors["a"] == pytest.approx(found["x"] + found["y"])
            assert motors["b"] == pytest.approx(found["x"] - found["y"])


# Motors whose drivers have no power


BELT = {"a": "x:1", "a1": "x:1", "b": "y:1"}
DRIVERS = [f"driver {name} model=tmc2209 mcu=main uart_pin=20 address={i}" for i, name in
           enumerate(BELT)]  # fmt: skip


def set_power(machine: Machine, power: int, *names: str) -> None:
    """Switch the motor power of drivers."""
    for name in names:
        machine.simulation.ask(f"driver {name} power={power}")


def test_motor_without_power_is_pulled_along_by_the_other(tmp_path: Path) -> None:
    machine = Machine(tmp_path, BELT, DRIVERS)
    with machine.simulation:
        set_power(machine, 0, "a1")
        machine.move(a=(80,))
        assert machine.carriages()["x"] == pytest.approx(11.0)
        assert machine.simulation.positions()["a1"] == pytest.approx(11.0)
        # From here on it counts again, from where it is
        set_power(machine, 1, "a1")
        assert machine.carriages()["x"] == pytest.approx(11.0)
        machine.move(a=(80,), a1=(80,))
        assert machine.carriages()["x"] == pytest.approx(12.0)


def test_carriage_stays_while_none_of_its_motors_has_power(tmp_path: Path) -> None:
    machine = Machine(tmp_path, BELT, DRIVERS)
    with machine.simulation:
        machine.move(a=(80,), a1=(80,))
        set_power(machine, 0, "a", "a1")
        machine.move(a=(160,), a1=(160,), b=(80,))
        assert machine.carriages() == pytest.approx({"x": 11.0, "y": 11.0})
        set_power(machine, 1, "a")
        machine.move(a=(80,), a1=(80,))
        assert machine.carriages()["x"] == pytest.approx(12.0)
        assert machine.simulation.pulses() == {"a": 320, "a1": 320, "b": 80}


def test_motor_that_loses_its_power_at_a_stop_has_lost_what_was_beyond(tmp_path: Path) -> None:
    machine = Machine(tmp_path, {"a": "x:1", "b": "y:1"}, [STOP_X, DRIVERS[0]])
    with machine.simulation:
        machine.move(a=(-100,))
        set_power(machine, 0, "a")
        set_power(machine, 1, "a")
        machine.move(a=(80,))
        assert machine.carriages()["x"] == pytest.approx(10.0)


def test_stop_of_a_carriage_that_nothing_moves_is_refused(tmp_path: Path) -> None:
    lines = [*CARRIAGES, motor("a", "x:1"), STOP_Y]
    with pytest.raises(wire.LoadError, match="a stop is for a carriage that no stepper moves"):
        wire.Simulation(wire.describe(tmp_path, lines), tmp_path)
