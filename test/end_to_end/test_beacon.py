# The real plugin of Beacon as of 2023, on a virtual one: it calibrates, homes and probes
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
import re

import pytest
from end_to_end.driving import assert_healthy, level_truth

from virtual_printer import hosts
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

# The package speaks to no other host
HOST = "klipper_v0_12"
NAME = "klipper_beacon.beacon"
PAPER_MM = 0.1
# The coil's noise is a fraction of a micrometre, and there are stops of whole steps
NOISE_MM = 0.002
HOMINGS, PROBES = 6, 20
BEACON = """[%s]
serial: /dev/serial/by-id/usb-Beacon_Beacon_RevD_FC26-if00
x_offset: 0
y_offset: 20
speed: 5
mesh_runs: 2

[stepper_z]
homing_retract_dist: 0

[bed_mesh]
speed: 250
horizontal_move_z: 2
mesh_min: 60, 70
mesh_max: 240, 230
probe_count: 3, 3
""" % (NAME,)
CENTER = "G90\nG1 Z5 F600\nG1 X150 Y150 F9000\nM400\n"
ONE_MCU = SamplePrinter(probe=NAME).on_one_mcu().without_section()
FOUR_MCUS = SamplePrinter(probe=NAME)


def start(tmp_path, sample):
    """A printer that has been calibrated by hand, with a sheet of paper."""
    printer_cfg = re.sub(r"\[klipper_beacon.beacon\]\n(.+\n)+", "", sample.printer_cfg())
    machine_cfg = sample.machine_cfg().replace("[probe]\nsection: %s\n" % (NAME,), "")
    session = Session(
        hosts.find(HOST), printer_cfg + BEACON, machine_cfg, work_dir=tmp_path / "session"
    )
    return session


def calibrate(printer):
    printer.gcode("G28 X Y\nG90\nG1 X150 Y150 F9000\nM400\nBEACON_CALIBRATE")
    height_mm = printer.carriage_truth()[2]
    text = "\n".join(printer.gcode("TESTZ Z=-%.4f\nACCEPT" % (height_mm - PAPER_MM,)))
    assert "Beacon calibrated at" in text
    printer.restart("SAVE_CONFIG")


def error_mm(printer):
    """By how much the nozzle is truly higher over the centre of the bed than it is said to be."""
    printer.gcode(CENTER)
    return printer.carriage_truth()[2] - 5.0


def measured(printer):
    """What it homes to, and what it says of the bed (mm)."""
    found = {"home": error_mm(printer)}
    text = "\n".join(printer.gcode("PROBE_ACCURACY SAMPLES=5"))
    found["accuracy"] = float(re.search(r"average (-?[\d.]+)", text).group(1))
    text = "\n".join(printer.gcode("G1 Z8 F600\nG1 X80 Y70 F9000\nPROBE"))
    found["probe"] = float(re.search(r"Result is z=(-?[\d.]+)", text).group(1))
    text = "\n".join(printer.gcode(CENTER + "BEACON_ESTIMATE_BACKLASH SAMPLES=4"))
    found["backlash"] = float(re.search(r"delta (-?[\d.]+)", text).group(1))
    printer.gcode(CENTER + "BED_MESH_CALIBRATE")
    rows = printer.status("bed_mesh")["probed_matrix"]
    found.update({"mesh%d%d" % (i, j): rows[i][j] for i in range(3) for j in range(3)})
    return found


def test_real_plugin_measures_on_four_mcus_what_it_does_on_one(tmp_path):
    found = []
    for name, sample in (("one", ONE_MCU), ("four", FOUR_MCUS)):
        with start(tmp_path / name, sample) as printer:
            calibrate(printer)
            printer.gcode("G28")
            found.append(measured(printer))
    one, four = found
    assert four == pytest.approx(one, abs=2 * NOISE_MM)
    # There is no backlash, and the coil sees the bed beside the nozzle
    assert one["backlash"] == pytest.approx(0.0, abs=NOISE_MM)
    assert one["home"] == pytest.approx(0.0, abs=0.02)


def test_real_plugin_keeps_four_mcus_in_step(tmp_path):
    rng = random.Random(1)
    with start(tmp_path, FOUR_MCUS) as printer:
        calibrate(printer)
        printer.gcode("G28")
        before = level_truth(printer)
        for _ in range(HOMINGS):
            # The bed is near until the lift before is over
            printer.gcode("G28 Z")
        for _ in range(PROBES):
            x_mm, y_mm = rng.uniform(50, 250), rng.uniform(50, 220)
            printer.gcode("G90\nG1 Z6 F600\nG1 X%.3f Y%.3f F9000\nPROBE" % (x_mm, y_mm))
        assert_healthy(printer, before)
        printer.gcode("G28\nQUAD_GANTRY_LEVEL\nG28 Z")
        before = level_truth(printer)
        heights_mm = [truth.position_mm for truth in before.values()]
        # The bed's tilt over the gantry is some 0.2 mm, at the start it was 0.7
        assert max(heights_mm) - min(heights_mm) < 0.35
        printer.gcode("G28 Z")
        assert_healthy(printer, before)
