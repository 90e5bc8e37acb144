# Every kinematics with rails, its steppers spread over MCUs, on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
import re

import pytest
from end_to_end.driving import log_of_moves, mapping_skew_mm

from virtual_printer.unusual_samples import DUAL, GenericPrinter, SwitchPrinter

pytestmark = pytest.mark.area("homing")

X, Y, Z = ("mcu", "x1"), ("mcu", "y1"), ("mcu", "z1")
RESYNC = {"max_correction": 2.0}
# Each printer with the groups of steppers that have to stay in step
PRINTERS = {
    "cartesian": (
        SwitchPrinter("cartesian", {"x": X, "y": Y, "z": Z}, resync=RESYNC),
        [("stepper_x", "stepper_x1"), ("stepper_y", "stepper_y1"), ("stepper_z", "stepper_z1")],
    ),
    "corexy": (
        SwitchPrinter("corexy", {"x": X, "y": Y, "z": Z}, resync=RESYNC),
        [("stepper_x", "stepper_x1"), ("stepper_y", "stepper_y1"), ("stepper_z", "stepper_z1")],
    ),
    "corexz": (
        SwitchPrinter("corexz", {"x": X, "y": Y, "z": Z}, resync=RESYNC),
        [("stepper_x", "stepper_x1"), ("stepper_y", "stepper_y1"), ("stepper_z", "stepper_z1")],
    ),
    "hybrid_corexy": (
        SwitchPrinter("hybrid_corexy", {"y": Y, "z": Z}, resync=RESYNC),
        [("stepper_y", "stepper_y1"), ("stepper_z", "stepper_z1")],
    ),
    "hybrid_corexz": (
        SwitchPrinter("hybrid_corexz", {"y": Y, "z": Z}, resync=RESYNC),
        [("stepper_y", "stepper_y1"), ("stepper_z", "stepper_z1")],
    ),
    "idex": (
        SwitchPrinter("cartesian", {"x": X, DUAL: ("mcu", "d1")}, resync=RESYNC),
        [("stepper_x", "stepper_x1"), (DUAL, DUAL + "1")],
    ),
}
GENERIC = GenericPrinter(
    {
        "a": ("mcu", "x+y"),
        "a1": ("x1", "x+y"),
        "b": ("mcu", "x-y"),
        "b1": ("y1", "x-y"),
        "z": ("mcu", "z"),
        "z1": ("z1", "z"),
    },
    lifts=("stepper_z", "stepper_z1"),
    resync=RESYNC,
)
GENERIC_GROUPS = [
    ("stepper_a", "stepper_a1"),
    ("stepper_b", "stepper_b1"),
    ("stepper_z", "stepper_z1"),
]


def skews_mm(printer, groups):
    printer.gcode("M400")
    printer.sleep(0.5)
    return [mapping_skew_mm(printer, group)[-1] for group in groups]


def home_from_anywhere(printer):
    rng = random.Random(1)
    for axis in "XYZ" * 4:
        x, y, z = rng.uniform(50, 250), rng.uniform(50, 250), rng.uniform(5, 20)
        printer.gcode("G90\nG1 X%.4f Y%.4f Z%.4f F9000\nG28 %s" % (x, y, z, axis))


def check_stays_in_step(printer, groups):
    printer.gcode("G28")
    before_mm = skews_mm(printer, groups)
    home_from_anywhere(printer)
    assert skews_mm(printer, groups) == pytest.approx(before_mm, abs=2e-6)
    lines = [
        line for line in log_of_moves(printer).splitlines() if "multi_mcu_resync: rail=" in line
    ]
    assert lines and all("corrected=1" in line and "corrected=0" not in line for line in lines)
    for group in groups:
        # Steppers of another MCU than the endstop's have something to correct
        name = group[-1].replace("stepper_", "stepper[ _]")
        assert any(re.search(name + r"=\w+,[+-]\d+,[^,]+,[+-][1-9]", line) for line in lines), name


@pytest.mark.parametrize("name", PRINTERS)
def test_shared_rails_of_a_kinematics_stay_in_step(start, name):
    sample, groups = PRINTERS[name]
    printer = start(sample, ready=False)
    if name == "corexz" and "'stepper_x1' is not a valid config" in printer.state_message():
        pytest.skip("corexz has one stepper per rail on hosts before v0.12")
    assert printer.state() == "ready", printer.state_message()
    check_stays_in_step(printer, groups)


# Steppers of one rail whose steps are not alike, so that each step has its own place
UNLIKE = "[stepper_x1]\nrotation_distance: 38.5\n[%s1]\nrotation_distance: 41.7\n" % (DUAL,)
MODES = ("0", "1", "1 MODE=COPY", "0", "1 MODE=MIRROR")


def switch_carriages(printer, count):
    """Move each carriage to random places, in all modes that the host has."""
    rng = random.Random(1)
    has_modes = "SAVE_DUAL_CARRIAGE_STATE" in "\n".join(printer.gcode("HELP"))
    for mode in (MODES if has_modes else "01") * count:
        if "MODE" in mode:
            # Where both of them have room
            printer.gcode("SET_DUAL_CARRIAGE CARRIAGE=1\nG1 X%.4f F9000" % rng.uniform(230, 240))
            printer.gcode("SET_DUAL_CARRIAGE CARRIAGE=0\nG1 X%.4f" % rng.uniform(50, 60))
        printer.gcode("SET_DUAL_CARRIAGE CARRIAGE=%s" % (mode,))
        for _ in range(2):
            x_mm = rng.uniform(200, 300) if mode == "1" else rng.uniform(50, 80)
            printer.gcode("G1 X%.4f Y%.4f F9000" % (x_mm, rng.uniform(50, 250)))
            # Homing another axis gives no carriage another place
            printer.gcode("G28 Y")


@pytest.mark.area("mapping kept")
@pytest.mark.parametrize("sections", ["", UNLIKE], ids=["like", "unlike"])
def test_carriages_keep_their_mapping_when_they_are_switched(start, sections):
    sample, groups = PRINTERS["idex"]
    check_switching(start(sample, sections=sections), groups)


def check_switching(printer, groups):
    printer.gcode("G28\nG90")
    before_mm = skews_mm(printer, groups)
    switch_carriages(printer, 6)
    printer.gcode("G28 X")
    switch_carriages(printer, 1)
    assert skews_mm(printer, groups) == pytest.approx(before_mm, abs=2e-6)
    assert "mapping was not restored" not in printer.log()
    assert set(printer.status("multi_mcu_resync")["in_sync"].values()) == {True}


def start_generic(start, sample, sections=""):
    printer = start(sample, sections=sections, ready=False)
    if "generic_cartesian" in printer.state_message() and printer.state() == "error":
        pytest.skip("this host has no generic_cartesian")
    return printer


def test_shared_carriages_of_generic_cartesian_stay_in_step(start):
    printer = start_generic(start, GENERIC)
    assert printer.state() == "ready", printer.state_message()
    check_stays_in_step(printer, GENERIC_GROUPS)


def test_carriage_of_any_name_is_moved_no_faster_than_its_axis(start):
    sample = GenericPrinter(
        {"x": ("mcu", "x"), "y": ("mcu", "y"), "l": ("mcu", "lift"), "l1": ("z1", "lift")},
        carriages={"x": "x", "y": "y", "lift": "z"},
        lifts=("stepper_l", "stepper_l1"),
        resync={"speed": 300},
    )
    printer = start_generic(start, sample)
    assert printer.state() == "ready", printer.state_message()
    assert "axis lift has stepper l on mcu, stepper l1 on z1; ferror 0.75" in printer.log()
    assert "axis lift: option 'speed' is above what [printer] allows" in printer.log()
    check_stays_in_step(printer, [("stepper_l", "stepper_l1")])


@pytest.mark.area("mapping kept")
def test_carriages_of_generic_cartesian_keep_their_mapping_when_they_are_switched(start):
    sample = GenericPrinter(
        {
            "x": ("mcu", "x"),
            "x1": ("x1", "x"),
            "u": ("mcu", "u"),
            "u1": ("d1", "u"),
            "y": ("mcu", "y"),
            "z": ("mcu", "z"),
        },
        duals={"u": "x"},
        resync=RESYNC,
    )
    unlike = UNLIKE.replace("_x1", " x1").replace(DUAL + "1", "stepper u1")
    printer = start_generic(start, sample, unlike)
    assert printer.state() == "ready", printer.state_message()
    check_switching(printer, [("stepper_x", "stepper_x1"), ("stepper_u", "stepper_u1")])


@pytest.mark.area("start-up")
def test_carriage_of_generic_cartesian_that_is_left_out_is_refused_as_shipped(start):
    sample = GenericPrinter(GENERIC.steppers, lifts=GENERIC.lifts, resync={"axes": "z"})
    printer = start_generic(start, sample)
    assert printer.state() == "error"
    assert "multi-mcu shared carriage" in printer.state_message()
