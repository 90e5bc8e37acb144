# An eddy current probe on a real host: it calibrates and homes on the true bed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re

import pytest

from virtual_printer import hosts
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

NAME = "probe_eddy_current coil"
PRINTER = SamplePrinter(z_mcus=("mcu",) * 4, resync=None, probe=NAME, probe_speed_mm_s=5.0)
Y_OFFSET_MM = 20.0
PROBE = """[%s]
sensor_type: ldc1612
i2c_mcu: mcu
z_offset: 1.0
x_offset: 0
y_offset: %g
speed: 5
lift_speed: 10
sample_retract_dist: 2
%s
"""
CENTER = "G0 X150 Y150 F6000\nM400\n"


def bed_mm(x_mm, y_mm):
    """Height of the bed that the sample's machine file has."""
    dx, dy = x_mm - 150.0, y_mm - 150.0
    return 0.0004 * dx - 0.0003 * dy + 0.05 * (dx * dx + dy * dy) / 150.0**2


def start(tmp_path, name, options):
    printer_cfg = re.sub(
        r"\[probe_eddy_current coil\]\n(.+\n)+",
        lambda found: PROBE % (NAME, Y_OFFSET_MM, options),
        PRINTER.printer_cfg(),
    )
    machine_cfg = PRINTER.machine_cfg().replace("[probe]\nsection: %s\n" % (NAME,), "")
    return Session(hosts.find("kalico"), printer_cfg, machine_cfg, work_dir=tmp_path / name)


@pytest.mark.parametrize("pin", ["", "intb_pin: PJ5\n"], ids=["polled", "with a pin"])
def test_probe_calibrates_and_homes_on_the_true_bed(tmp_path, pin):
    with start(tmp_path, "calibration", pin) as printer:
        printer.gcode("G28 X Y\n" + CENTER)
        # The nozzle touches a sheet of paper of no thickness
        printer.gcode("SET_KINEMATIC_POSITION Z=%.6f" % (printer.carriage_truth()[2],))
        printer.gcode("G1 Z5 F600\nPROBE_EDDY_CURRENT_CALIBRATE CHIP=coil\nTESTZ Z=-5\nACCEPT")
        pending = printer.status("configfile")["save_config_pending_items"]
    calibration = pending[NAME]["calibrate"].replace("\n", "\n ")
    with start(tmp_path, "homing", pin + "calibrate: " + calibration) as printer:
        printer.gcode("G28\n" + CENTER + "G1 Z5 F600\nM400")
        # The coil sees the bed beside the nozzle
        error_mm = printer.carriage_truth()[2] - 5.0 - bed_mm(150.0, 150.0 + Y_OFFSET_MM)
        assert error_mm == pytest.approx(0.0, abs=0.03)
        text = "\n".join(printer.gcode("PROBE_ACCURACY SAMPLES=5"))
        heights_mm = [float(z) for z in re.findall(r"is z=(\S+)", text)]
        # Where the coil is 1 mm above the bed
        assert [z + error_mm for z in heights_mm] == pytest.approx([1.0] * 5, abs=0.01)
