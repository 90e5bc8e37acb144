# Every kinematics that has rails: printer.cfg to carriages, and homing on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Dict, List, Optional, Tuple, Union

import pytest

from printer_config.section import ConfigError
from virtual_printer import hosts, machine
from virtual_printer.model import CarriageEndstop, Machine, ProbeEndstop
from virtual_printer.session import Session
from virtual_printer.unusual_samples import DUAL, GenericPrinter, SwitchPrinter

Printer = Union[SwitchPrinter, GenericPrinter]

# Two steppers on each rail wherever the kinematics lets there be two
TWO = ("mcu", "mcu")
PRINTERS: Dict[str, Printer] = {
    "cartesian": SwitchPrinter("cartesian", {"x": TWO, "y": TWO, "z": TWO}),
    "cartesian_own_switches": SwitchPrinter(
        "cartesian", {"x": TWO, "y": TWO, "z": TWO}, own_switches=("x", "y", "z")
    ),
    "corexy": SwitchPrinter("corexy", {"x": TWO, "y": TWO, "z": TWO}),
    "corexz": SwitchPrinter("corexz", {"x": TWO, "y": TWO, "z": TWO}),
    "hybrid_corexy": SwitchPrinter("hybrid_corexy", {"y": TWO, "z": TWO}),
    "hybrid_corexz": SwitchPrinter("hybrid_corexz", {"y": TWO, "z": TWO}),
    "idex": SwitchPrinter("cartesian", {"x": TWO, DUAL: TWO}),
    "idex_hybrid_corexy": SwitchPrinter("hybrid_corexy", {DUAL: ("mcu",)}),
    "idex_hybrid_corexz": SwitchPrinter("hybrid_corexz", {DUAL: ("mcu",)}),
    "generic": GenericPrinter(
        {
            "a": ("mcu", "x+y"),
            "a1": ("mcu", "x+y"),
            "b": ("mcu", "x-y"),
            "z": ("mcu", "z"),
            "z1": ("mcu", "z"),
        },
        lifts=("stepper_z", "stepper_z1"),
    ),
    "generic_extras": GenericPrinter(
        {
            "x": ("mcu", "x+y"),
            "u": ("mcu", "u-y1"),
            "y": ("mcu", "1*y+0.5*z"),
            "y1": ("mcu", "y1-0.5*z1"),
            "z": ("mcu", "z"),
            "z1": ("mcu", "-1*z1"),
        },
        extras={"y1": "y", "z1": "z"},
        duals={"u": "x"},
        lifts=("stepper_z", "stepper_z1"),
    ),
}


def load(folder: Path, printer_cfg: str) -> Machine:
    (folder / "printer.cfg").write_text(printer_cfg)
    return machine.load(folder / "printer.cfg")


def moves(found: Machine) -> Dict[str, Dict[str, float]]:
    return {one.name: dict(one.moves) for one in found.steppers}


def starts(found: Machine) -> Dict[str, float]:
    return {one.name: one.start_mm for one in found.carriages}


def switched(found: Machine) -> List[str]:
    """Return what each switch feels."""
    return [
        one.carriage if isinstance(one, CarriageEndstop) else "nozzle"
        for one in found.endstops
        if not isinstance(one, ProbeEndstop)
    ]


# What a printer.cfg means


@pytest.mark.parametrize(
    "name, expected",
    [
        ("cartesian", {"stepper_x": {"x": 1}, "stepper_z": {"stepper_z": 1}}),
        ("corexy", {"stepper_x1": {"x": 1, "y": 1}, "stepper_y": {"x": 1, "y": -1}}),
        ("corexz", {"stepper_x": {"x": 1, "z": 1}, "stepper_z1": {"x": 1, "z": -1}}),
        ("hybrid_corexy", {"stepper_x": {"x": 1, "y": -1}, "stepper_y1": {"y": 1}}),
        (
            "hybrid_corexz",
            {
                "stepper_x": {"x": 1, "stepper_z": -0.5, "stepper_z1": -0.5},
                "stepper_z1": {"stepper_z1": 1},
            },
        ),
        ("idex", {"dual_carriage1": {DUAL: 1}, "stepper_x1": {"x": 1}}),
        ("idex_hybrid_corexy", {DUAL: {DUAL: 1, "y": 1}}),
        ("generic", {"stepper_a1": {"x": 1, "y": 1}, "stepper_z1": {"stepper_z1": 1}}),
        (
            "generic_extras",
            {
                "stepper_y": {"y": 1, "stepper_z": 0.5},
                "stepper_u": {"u": 1, "y1": -1},
                "stepper_z1": {"stepper_z1": -1},
            },
        ),
    ],
)
def test_steppers_move_what_the_kinematics_says(
    tmp_path: Path, name: str, expected: Dict[str, Dict[str, float]]
) -> None:
    got = moves(load(tmp_path, PRINTERS[name].printer_cfg()))
    assert {stepper: got[stepper] for stepper in expected} == expected


def test_further_stepper_of_a_hybrid_rail_pulls_the_other_end(tmp_path: Path) -> None:
    printer = SwitchPrinter("hybrid_corexy", {"x": TWO, DUAL: TWO})
    got = moves(load(tmp_path, printer.printer_cfg()))
    assert got["stepper_x1"] == {"x": 1, "y": 1}
    assert got["dual_carriage1"] == {DUAL: 1, "y": -1}
    inverted = printer.printer_cfg().replace("[printer]", "[printer]\ninvert_kinematics: True")
    got = moves(load(tmp_path, inverted))
    assert got["stepper_x"] == {"x": 1, "y": 1}
    assert got["stepper_x1"] == {"x": 1, "y": -1}


@pytest.mark.parametrize(
    "name, expected",
    [
        ("cartesian", ["x", "y", "nozzle"]),
        (
            "cartesian_own_switches",
            ["x", "stepper_x1", "y", "stepper_y1", "stepper_z", "stepper_z1"],
        ),
        ("corexz", ["x", "y", "nozzle"]),
        ("idex", ["x", "y", "nozzle", DUAL]),
        ("generic", ["x", "y", "nozzle"]),
        ("generic_extras", ["x", "y", "y1", "stepper_z", "stepper_z1", "u"]),
    ],
)
def test_switches_feel_their_own_carriage(tmp_path: Path, name: str, expected: List[str]) -> None:
    assert switched(load(tmp_path, PRINTERS[name].printer_cfg())) == expected


def test_belt_with_several_switches_is_one_belt(tmp_path: Path) -> None:
    printer = SwitchPrinter("corexz", {"x": TWO, "z": TWO}, own_switches=("x", "z"))
    got = load(tmp_path, printer.printer_cfg())
    assert list(starts(got)) == ["x", "y", "z"]
    assert switched(got) == ["x", "x", "y", "nozzle", "nozzle"]


def test_switch_shared_by_two_steppers_of_a_beam_makes_it_one(tmp_path: Path) -> None:
    printer = SwitchPrinter("cartesian", {"y": TWO}, own_switches=("y",))
    shared = printer.printer_cfg().replace("mcu:PD14", "mcu:PD15")
    assert shared != printer.printer_cfg()
    got = load(tmp_path, shared)
    assert moves(got)["stepper_y1"] == {"y": 1}
    assert switched(got) == ["x", "y", "nozzle"]


def test_both_ends_of_a_beam_start_level(tmp_path: Path) -> None:
    got = starts(load(tmp_path, PRINTERS["cartesian_own_switches"].printer_cfg()))
    assert got["stepper_y1"] == got["y"] and got["stepper_x1"] == got["x"]


GENERIC = PRINTERS["generic_extras"].printer_cfg()


@pytest.mark.parametrize(
    "change, problem",
    [
        (
            ("carriages: x+y", "carriages: x+w"),
            "option 'carriages' in section [stepper x] names a carriage that is not there: 'w'",
        ),
        (
            ("carriages: x+y", "carriages: x y"),
            "option 'carriages' in section [stepper x] is not a sum of carriages: 'x y'",
        ),
        (
            ("carriages: x+y", "carriages: 2**x"),
            "option 'carriages' in section [stepper x] is not a sum of carriages: '2**x'",
        ),
        (
            ("carriages: x+y", "carriages:"),
            "option 'carriages' in section [stepper x] is empty",
        ),
        (
            ("[extra_carriage y1]\nprimary_carriage: y", "[extra_carriage y1]\nprimary_carriage: "),
            "option 'primary_carriage' in section [extra_carriage y1] is not there",
        ),
        (
            ("[carriage x]\naxis: x", "[carriage x]\naxis: w"),
            "option 'axis' in section [carriage x] must be x, y or z",
        ),
        (
            ("[carriage z]\naxis: z", "[carriage z]\naxis: y"),
            "option 'kinematics' in section [printer] has no carriage for z",
        ),
    ],
)
def test_bad_generic_printer_is_one_line(
    tmp_path: Path, change: Tuple[str, str], problem: str
) -> None:
    changed = GENERIC.replace(*change)
    assert changed != GENERIC
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, changed)
    assert str(caught.value) == f"{tmp_path}/printer.cfg: {problem}"


def test_dual_carriage_of_an_axis_that_has_none_is_refused(tmp_path: Path) -> None:
    found = PRINTERS["idex_hybrid_corexy"].printer_cfg().replace("axis: x", "axis: y")
    with pytest.raises(ConfigError, match="'axis' in section .dual_carriage. is not simulated"):
        load(tmp_path, found)


# On real hosts


@pytest.fixture(params=hosts.available(), ids=lambda host: host.name)
def host(request: pytest.FixtureRequest) -> hosts.Host:
    return request.param


def needed(name: str, host: hosts.Host) -> Optional[str]:
    """Return why a host cannot run a printer."""
    generic = name.startswith("generic")
    if generic and not (host.klippy / "kinematics" / "generic_cartesian.py").exists():
        return f"{host.name} has no generic_cartesian"
    return None


@pytest.fixture(params=list(PRINTERS))
def running(request: pytest.FixtureRequest, host: hosts.Host, tmp_path: Path) -> Session:
    reason = needed(request.param, host)
    if reason:
        pytest.skip(reason)
    printer = PRINTERS[request.param]
    with Session(host, printer.printer_cfg(), printer.machine_cfg(), work_dir=tmp_path) as session:
        yield session


# The second approach to a switch is at 25 mm/s (Z: 5), and its pin is read about once a step
STEP_MM = 40 / 200 / 16


def check_truth(running: Session) -> None:
    running.gcode("M400")
    said = running.status("toolhead", "position")["position"]
    assert running.carriage_truth() == pytest.approx(tuple(said[:3]), abs=2 * STEP_MM)


def test_homing_ends_where_klippy_says(running: Session) -> None:
    running.gcode("G28")
    check_truth(running)
    running.gcode("G90\nG1 X60 Y200 Z20 F6000")
    check_truth(running)
    # Once more from elsewhere, one axis after the other
    running.gcode("G28 Z\nG28 Y\nG28 X")
    check_truth(running)


@pytest.mark.parametrize("running", [n for n in PRINTERS if "idex" in n], indirect=True)
def test_both_toolheads_go_where_klippy_says(running: Session) -> None:
    running.gcode("G28\nG90\nG1 X50 Y100 Z10 F6000")
    check_truth(running)
    running.gcode("SET_DUAL_CARRIAGE CARRIAGE=1")
    said_mm = running.status("toolhead", "position")["position"][0]
    assert running.carriages_truth()[DUAL] == pytest.approx(said_mm, abs=2 * STEP_MM)
    running.gcode("G1 X200 Y80 F6000\nM400")
    truth = running.carriages_truth()
    assert truth[DUAL] == pytest.approx(200.0, abs=2 * STEP_MM)
    assert truth["x"] == pytest.approx(50.0, abs=2 * STEP_MM)
    assert truth["y"] == pytest.approx(80.0, abs=2 * STEP_MM)


@pytest.mark.parametrize("running", ["cartesian_own_switches"], indirect=True)
def test_switches_of_their_own_square_a_beam(running: Session) -> None:
    running.gcode("G28")
    running.gcode("FORCE_MOVE STEPPER=stepper_y1 DISTANCE=-3 VELOCITY=10\nM400")
    truth = running.carriages_truth()
    assert truth["y"] - truth["stepper_y1"] == pytest.approx(3.0, abs=2 * STEP_MM)
    running.gcode("G28")
    truth = running.carriages_truth()
    assert truth["y"] - truth["stepper_y1"] == pytest.approx(0.0, abs=2 * STEP_MM)
    assert truth["stepper_z"] - truth["stepper_z1"] == pytest.approx(0.0, abs=2 * STEP_MM)
