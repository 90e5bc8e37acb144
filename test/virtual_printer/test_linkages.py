# Linkages and steppers without carriages: printer.cfg to joints and rods, and real hosts on them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import math
import re
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import pytest

from helpers.linkage_printers import (
    DELTA,
    DELTESIAN,
    NONE,
    POLAR,
    PRINTERS,
    ROTARY_DELTA,
    TOLERANCE_MM,
    WINCH,
    machine_cfg,
    printer_cfg,
)
from printer_config.section import ConfigError
from virtual_printer import hosts, machine
from virtual_printer.model import (
    CarriageEndstop,
    CrankRod,
    Machine,
    Polar,
    ProbeEndstop,
    Rod,
    StepperEndstop,
)
from virtual_printer.samples import Section, config_text, motor_options
from virtual_printer.session import Session

Sections = Dict[str, Section]


def load(folder: Path, sections: Sections, truth: Optional[str] = None) -> Machine:
    (folder / "printer.cfg").write_text(printer_cfg(sections))
    (folder / "machine.cfg").write_text(machine_cfg() if truth is None else truth)
    return machine.load(folder / "printer.cfg", folder / "machine.cfg")


def changed(sections: Sections, name: str, **options: object) -> Sections:
    return {**sections, name: {**sections[name], **options}}


def switches(found: Machine) -> Dict[str, Tuple[float, str]]:
    return {
        one.carriage: (one.at_mm, one.side)
        for one in found.endstops
        if isinstance(one, CarriageEndstop)
    }


def starts(found: Machine) -> Dict[str, float]:
    return {one.name: one.start_mm for one in found.carriages}


# What a printer.cfg means


def test_towers_of_a_delta_stand_around_its_centre(tmp_path: Path) -> None:
    found = load(tmp_path, changed(DELTA, "stepper_b", arm_length=331, angle=329))
    angles = [math.radians(degrees) for degrees in (210, 329, 90)]
    for part, angle, length_mm in zip(found.linkage, angles, (330, 331, 330)):
        assert isinstance(part, Rod)
        assert (part.x_mm, part.y_mm) == pytest.approx(
            (170 * math.cos(angle), 170 * math.sin(angle))
        )
        assert part.length_mm == length_mm


def test_switch_of_a_tower_is_where_its_carriage_has_the_nozzle_at_that_height(
    tmp_path: Path,
) -> None:
    found = load(tmp_path, changed(DELTA, "stepper_c", position_endstop=291))
    up = math.sqrt(330**2 - 170**2)
    assert switches(found) == pytest.approx(
        {"a": (290 + up, "max"), "b": (290 + up, "max"), "c": (291 + up, "max")}
    )


def test_machine_file_knows_the_true_geometry(tmp_path: Path) -> None:
    truth = machine_cfg(delta_radius=171, arm_length_a=332, angle_b=331, position_endstop_c=289)
    found = load(tmp_path, DELTA, truth)
    rods = [part for part in found.linkage if isinstance(part, Rod)]
    assert [rod.length_mm for rod in rods] == [332, 330, 330]
    assert rods[1].x_mm == pytest.approx(171 * math.cos(math.radians(331)))
    assert switches(found)["c"][0] == pytest.approx(289 + math.sqrt(330**2 - 171**2))


def test_machine_file_says_where_the_toolhead_starts(tmp_path: Path) -> None:
    found = load(tmp_path, DELTESIAN, machine_cfg(start_x=20, start_y=60, start_z=100))
    at = starts(found)
    assert at["y"] == 60
    assert at["left"] == pytest.approx(100 + math.sqrt(210**2 - 175**2))
    assert at["right"] == pytest.approx(100 + math.sqrt(210**2 - 135**2))


def test_bed_of_a_polar_printer_starts_at_angle_zero_unless_the_machine_file_turns_it(
    tmp_path: Path,
) -> None:
    found = load(tmp_path, POLAR)
    assert found.linkage == (Polar("bed", "arm"),)
    assert starts(found)["bed"] == 0.0
    assert 112 <= starts(found)["arm"] <= 168
    assert starts(load(tmp_path, POLAR, machine_cfg(start_bed=1.5)))["bed"] == 1.5


def test_steps_of_what_turns_are_angles(tmp_path: Path) -> None:
    steps = {one.name: one.step_distance_mm for one in load(tmp_path, POLAR).steppers}
    assert steps["stepper_bed"] == pytest.approx(2 * math.pi / 200 / 16 / 5)
    assert steps["stepper_arm"] == 40 / 200 / 16
    found = load(tmp_path, ROTARY_DELTA)
    turn = 2 * math.pi / 200 / 16 / (107 / 16) / (60 / 16)
    assert [one.step_distance_mm for one in found.steppers] == pytest.approx([turn] * 3)
    assert all(isinstance(part, CrankRod) for part in found.linkage)


def test_further_stepper_of_a_tower_moves_the_same(tmp_path: Path) -> None:
    second = {**motor_options("mcu", "D", 1), "microsteps": 16, "rotation_distance": 40}
    found = load(tmp_path, {**DELTA, "stepper_a1": second})
    assert [one.name for one in found.steppers if dict(one.moves) == {"a": 1.0}] == [
        "stepper_a",
        "stepper_a1",
    ]


def test_steppers_of_extruders_and_manual_ones_move_no_carriage(tmp_path: Path) -> None:
    motors = [
        {**motor_options("mcu", "DE"[i // 4], i % 4), "microsteps": 16, "rotation_distance": 8}
        for i in range(6)
    ]
    names = ("extruder", "extruder1", "extruder_stepper belted", "manual_stepper by hand")
    sections: Sections = dict(zip(names, motors))
    sections["manual_stepper low"] = {**motors[4], "endstop_pin": "PB3", "position_endstop": 2}
    sections["manual_stepper high"] = {
        **motors[5],
        "endstop_pin": "PB4",
        "homing_positive_dir": True,
    }
    sections["extruder2"] = {"shared_heater": "extruder"}
    sections["manual_stepper low"]["homing_positive_dir"] = False
    found = load(tmp_path, {**NONE, **sections}, machine_cfg(start_manual_stepper_low=20))
    lone = {one.name: one.start_mm for one in found.steppers}
    assert lone["extruder"] == lone["extruder1"] == lone["extruder_stepper_belted"] == 0.0
    assert lone["manual_stepper_by_hand"] == 0.0
    assert lone["manual_stepper_low"] == 20.0
    assert -10 <= lone["manual_stepper_high"] <= -3
    assert all(not one.moves for one in found.steppers)
    felt = {
        one.stepper: (one.at_mm, one.side)
        for one in found.endstops
        if isinstance(one, StepperEndstop)
    }
    assert felt["manual_stepper_low"] == (2.0, "min")
    assert felt["manual_stepper_high"] == (0.0, "max")
    assert "extruder2" not in lone


def test_motors_of_a_filament_changer_have_positions_and_a_switch(tmp_path: Path) -> None:
    selector, gear = (
        {**motor_options("mcu", "D", i), "microsteps": 16, "rotation_distance": 40}
        for i in range(2)
    )
    selector["endstop_pin"] = "PB3"
    sections = {"stepper_mmu_selector": selector, "stepper_mmu_gear": gear}
    found = load(tmp_path, {**NONE, **sections}, machine_cfg())
    moves = {one.name: one.moves for one in found.steppers}
    assert moves["stepper_mmu_selector"] == moves["stepper_mmu_gear"] == ()
    felt = {
        one.stepper: (one.at_mm, one.side)
        for one in found.endstops
        if isinstance(one, StepperEndstop)
    }
    assert felt["stepper_mmu_selector"] == (0.0, "min")
    assert "stepper_mmu_gear" not in felt


def test_each_probe_of_several_triggers_at_its_own_height(tmp_path: Path) -> None:
    other: Section = {"pin": "PA5", "z_offset": 3, "x_offset": -20}
    sections = {**DELTA, "dockable_probe": other, "probe_eddy_current coil": {"z_offset": 1}}
    truth = machine_cfg() + config_text({"probe": {"trigger_height": 1.7, "noise_um": 2}})
    found = load(tmp_path, sections, truth).endstops
    probes = [one for one in found if isinstance(one, ProbeEndstop)]
    # The machine file speaks of the first; the third has no pin that shows its state
    assert [(one.pin.name, one.trigger_height_mm, one.noise_um) for one in probes] == [
        ("PA0", 1.7, 2.0),
        ("PA5", 3.0, 0.0),
    ]


def test_documented_options_of_joints_are_known(tmp_path: Path) -> None:
    document = (hosts.ROOT / "docs" / "Virtual_Printer.md").read_text(encoding="utf-8")
    (block,) = [part for part in document.split("```") if part.startswith("\n[gantry]")]
    documented = re.findall(r"^#(\w+):", block, re.MULTILINE)
    assert len(documented) > 10
    for option in documented:
        refusals = []
        for sections in PRINTERS.values():
            try:
                load(tmp_path, sections, machine_cfg(**{option: 200}))
            except ConfigError as error:
                refusals.append(str(error))
        unknown = [one for one in refusals if one.endswith("is not known")]
        assert len(unknown) < len(PRINTERS), option


@pytest.mark.parametrize("name", ["cartesian", "corexy", "corexz"])
def test_limited_kinematics_moves_as_that_without_a_limit(tmp_path: Path, name: str) -> None:
    rails: Sections = {
        f"stepper_{axis}": {
            **motor_options("mcu", "D", i),
            "microsteps": 16,
            "rotation_distance": 40,
            "endstop_pin": f"PB{i}",
            "position_endstop": 0,
            "position_max": 200,
        }
        for i, axis in enumerate("xyz")
    }
    plain = {**NONE, **rails}
    moves = [
        [one.moves for one in load(tmp_path, changed(plain, "printer", kinematics=kind)).steppers]
        for kind in (name, f"limited_{name}")
    ]
    assert moves[0] == moves[1]


@pytest.mark.parametrize(
    "sections, truth, problem",
    [
        (
            changed(DELTA, "stepper_a", arm_length=160),
            {},
            "option 'arm_length' in section [stepper_a] must be above 170",
        ),
        (
            changed(DELTA, "printer", delta_radius=0),
            {},
            "option 'delta_radius' in section [printer] must be above 0",
        ),
        (DELTA, {"start_x": 500}, "in section [gantry] is out of reach of 'stepper_a'"),
        (
            changed(ROTARY_DELTA, "stepper_c", position_endstop=900),
            {},
            "option 'position_endstop' in section [stepper_c] is out of reach of its arms",
        ),
        (
            changed(POLAR, "stepper_bed", gear_ratio="80:0"),
            {},
            "option 'gear_ratio' in section [stepper_bed] must be pairs of positive numbers,"
            " as in 80:16",
        ),
        (WINCH, {"anchor_x_e": 5}, "option 'anchor_x_e' in section [gantry] is not known"),
        (
            changed(WINCH, "stepper_b", anchor_z="high"),
            {},
            "option 'anchor_z' in section [stepper_b] is not a number: 'high'",
        ),
    ],
)
def test_bad_linkage_is_one_line(
    tmp_path: Path, sections: Sections, truth: Dict[str, object], problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, sections, machine_cfg(**truth))
    assert str(caught.value).endswith(problem)
    assert "\n" not in str(caught.value)


# On real hosts


@pytest.fixture(params=hosts.available(), ids=lambda host: host.name)
def host(request: pytest.FixtureRequest) -> hosts.Host:
    return request.param


def check_truth(running: Session) -> None:
    running.gcode("M400")
    said = running.status("toolhead", "position")["position"]
    assert running.carriage_truth() == pytest.approx(tuple(said[:3]), abs=TOLERANCE_MM)


@pytest.mark.parametrize("name", PRINTERS)
def test_toolhead_is_where_klippy_says(host: hosts.Host, tmp_path: Path, name: str) -> None:
    with Session(host, printer_cfg(PRINTERS[name]), machine_cfg(), work_dir=tmp_path) as running:
        # Kalico mistakes the height of a deltesian by its retraction if it homes Y last
        for command in ("G28 Y", "G28 X Z") if name == "deltesian" else ("G28",):
            running.gcode(command)
        check_truth(running)
        for place in ("X12 Y40 Z60", "X-40 Y20 Z90", "X40 Y10 Z10"):
            running.gcode(f"G1 {place} F6000")
            check_truth(running)
        if "probe" in PRINTERS[name]:
            running.gcode("PROBE")
            check_truth(running)


def calibrated(lines: List[str]) -> Dict[str, float]:
    """Return what DELTA_CALIBRATE has found."""
    found = {}
    for line in lines:
        of = re.search(r"stepper_([abc])", line)
        for name, value in re.findall(r"(\w+): ([-\d.]+)", line):
            found[f"{name}_{of.group(1)}" if of else name] = float(value)
    return found


def test_delta_calibrate_finds_the_true_geometry(host: hosts.Host, tmp_path: Path) -> None:
    truth = {"delta_radius": 170.8, "position_endstop_b": 290.4, "angle_a": 210.5}
    sections = printer_cfg(DELTA)
    with Session(host, sections, machine_cfg(**truth), work_dir=tmp_path) as running:
        found = calibrated([*running.gcode("G28"), *running.gcode("DELTA_CALIBRATE")])
    # Seven points of one height do not tell a radius from a scale much better
    assert found["delta_radius"] == pytest.approx(170.8, abs=0.25)
    assert found["position_endstop_a"] == pytest.approx(290.0, abs=0.03)
    assert found["position_endstop_b"] == pytest.approx(290.4, abs=0.03)
    assert found["angle_a"] == pytest.approx(210.5, abs=0.1)


def test_manual_stepper_homes_to_its_own_switch(host: hosts.Host, tmp_path: Path) -> None:
    truth = machine_cfg(start_manual_stepper_belt=6)
    with Session(host, printer_cfg(NONE), truth, work_dir=tmp_path) as running:
        running.gcode("MANUAL_STEPPER STEPPER=belt SET_POSITION=0 MOVE=-30 STOP_ON_ENDSTOP=1")
        running.gcode("MANUAL_STEPPER STEPPER=lift MOVE=3")
        running.gcode("M400")
        where = running.stepper_truth()
    assert where["manual_stepper_belt"].position_mm == pytest.approx(0.0, abs=0.05)
    assert where["manual_stepper_lift"].position_mm == pytest.approx(3.0, abs=0.01)
