# z_calibration: works out the probe's offset from a switch that nozzle and probe both touch
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from scripts.developer.plugins.common_rows import Endurance, number
from scripts.developer.plugins.plugin import Plugin, Row
from scripts.developer.plugins.trial import Trial

PRINTER_CFG = """
[stepper_z]
endstop_pin: mcu:PF0
position_endstop: 0

[probe]
samples: 3
samples_tolerance: 0.02
samples_tolerance_retries: 3

[z_calibration]
nozzle_xy_position: 150, 150
switch_xy_position: 160, 150
bed_xy_position: 150, 150
switch_offset: 0.5
"""
CALIBRATIONS = 10
# Three probings, each to a step of 2.5 um
NOISE_MM = 0.00751


def calibrates(trial: Trial) -> None:
    """The virtual switch does not feel the body of the probe: the nozzle touches it both times."""
    trial.gcode("G28")
    for i in range(CALIBRATIONS):
        trial.gcode("CALIBRATE_Z\nG90\nG1 Z20 F600\nG28 Z")
        offset_mm = trial.status("z_calibration")["last_z_offset"]
        trial.result(f"offset_{i}_mm", offset_mm, NOISE_MM)
    trial.expect(trial.status("z_calibration")["last_query"], "CALIBRATE_Z has not ended")


def is_repeatable(trial: Trial) -> None:
    """The nozzle finds the switch in the same place."""
    lines = trial.gcode("G28\nPROBE_Z_ACCURACY SAMPLES=20")
    trial.result("mean_mm", number(lines, r"average (-?[\d.]+)"))
    range_mm = number(lines, r"range ([\d.]+)")
    trial.expect(range_mm <= 0.0101, f"range {range_mm:g} mm")


PLUGIN = Plugin(
    name="z_calibration",
    marks=("z_calibration.py",),
    links={"z_calibration.py": "extras/z_calibration.py"},
    printer_cfg=PRINTER_CFG,
    rows=(
        Row("CALIBRATE_Z 10 times", calibrates),
        Row("PROBE_Z_ACCURACY", is_repeatable),
        Row("100 homings, 300 probes", Endurance(), is_long=True),
    ),
)
