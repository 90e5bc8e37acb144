# eddy-ng: a coil over the bed that homes, scans and feels a tap
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
from typing import List

from scripts.developer.plugins.common_rows import Endurance, levels
from scripts.developer.plugins.install import is_kalico
from scripts.developer.plugins.plugin import Edit, Need, Plugin, Row
from scripts.developer.plugins.trial import Trial
from virtual_printer.session import GCodeError

PRINTER_CFG = """
[probe_eddy_ng coil]
sensor_type: ldc1612
i2c_mcu: toolhead
x_offset: 0
y_offset: 20
debug: False

[quad_gantry_level]
horizontal_move_z: 2

[bed_mesh]
speed: 200
horizontal_move_z: 2
mesh_min: 30, 40
mesh_max: 270, 260
probe_count: 5, 5
"""
MACHINE_CFG = """
[probe_eddy_ng coil]
coil_height_mm: 2.75
"""
CENTER = "G90\nG1 Z5 F600\nG1 X150 Y130 F9000\nM400"
TAPS = 20
# The coil's own noise is 20 Hz, which is so much where it homes
NOISE_MM = 0.02


def set_up(trial: Trial) -> None:
    """The nozzle touches a paper of no thickness; the coil calibrates itself from there."""
    trial.gcode("G28 X Y\nG90\nG1 X150 Y150 F9000\nM400")
    trial.gcode("PROBE_EDDY_NG_SETUP")
    height_mm = trial.printer.carriage_truth()[2]
    lines = trial.gcode(f"TESTZ Z=-{height_mm:.4f}\nACCEPT")
    text = "\n".join(lines)
    trial.expect("Setup success" in text, f"no success of the set-up in '{text[-200:]}'")
    trial.save_config()


def homes_on_the_true_bed(trial: Trial) -> None:
    """The height that it homes to is that over the bed under the coil."""
    errors_mm = []
    for _ in range(10):
        trial.gcode("G28\n" + CENTER)
        errors_mm.append(trial.printer.carriage_truth()[2] - 5.0)
    mean_mm = sum(errors_mm) / len(errors_mm)
    trial.expect(max(errors_mm) - min(errors_mm) < 0.1, f"homes to {errors_mm}")
    trial.result("error_mm", mean_mm, NOISE_MM)


def measures(trial: Trial) -> None:
    """PROBE_EDDY_NG_PROBE_STATIC and PROBE_ACCURACY of the host agree with one MCU."""
    trial.gcode("G28\n" + CENTER + "\nPROBE_EDDY_NG_PROBE_STATIC HOME_Z=1")
    trial.result("static_mm", trial.printer.carriage_truth()[2], NOISE_MM)
    lines = trial.gcode("PROBE_EDDY_NG_PROBE_ACCURACY")
    trial.expect(bool(lines), "PROBE_EDDY_NG_PROBE_ACCURACY says nothing")


def taps(trial: Trial) -> None:
    """All taps succeed, and the nozzle is then where it says."""
    trial.gcode("G28")
    rng = random.Random(1)
    failures: List[str] = []
    for _ in range(TAPS):
        x_mm, y_mm = rng.uniform(80, 220), rng.uniform(60, 220)
        trial.gcode(f"G90\nG1 Z5 F600\nG1 X{x_mm:.2f} Y{y_mm:.2f} F9000")
        try:
            trial.gcode("PROBE_EDDY_NG_TAP SAMPLES=1 MAX_SAMPLES=1")
        except GCodeError as error:
            failures.append(str(error).splitlines()[0])
    first = failures[0] if failures else ""
    trial.expect(not failures, f"{len(failures)} of {TAPS} taps fail: {first}")
    trial.gcode("G90\nG1 Z5 F600\nG1 X150 Y150 F9000\nPROBE_EDDY_NG_TAP\nG1 Z5 F600")
    trial.gcode("G1 X150 Y150 F9000\nM400")
    trial.result("height_mm", trial.printer.carriage_truth()[2], within=0.02)


def meshes(trial: Trial) -> None:
    """A mesh, by stops and in passing; Kalico's own meshing knows stops only."""
    trial.gcode("G28\n" + CENTER)
    for method in ("automatic",) if is_kalico(trial.host) else ("scan", "rapid_scan"):
        trial.gcode(f"BED_MESH_CALIBRATE METHOD={method}")
        rows = trial.status("bed_mesh")["probed_matrix"]
        trial.expect(len(rows) == 5, f"the mesh has {len(rows)} rows")
        for i, j in ((0, 0), (2, 2), (4, 4)):
            trial.result(f"{method}_{i}_{j}_mm", rows[i][j], within=0.04)


PLUGIN = Plugin(
    name="eddy-ng",
    marks=("probe_eddy_ng.py", "ldc1612_ng.py"),
    links={"probe_eddy_ng.py": "extras/probe_eddy_ng.py", "ldc1612_ng.py": "extras/ldc1612_ng.py"},
    links_on_kalico={".": "plugins/probe_eddy_ng"},
    edits=(
        Edit(
            "extras/bed_mesh.py",
            'probe_name.startswith("probe_eddy_current")',
            '"eddy" in probe_name',
        ),
    ),
    needs=(Need("mcu.py", "class TriggerDispatch", "Klipper of 2024 or newer"),),
    printer_cfg=PRINTER_CFG,
    machine_cfg=MACHINE_CFG,
    without=("probe",),
    prepare=set_up,
    rows=(
        Row("homes on the true bed", homes_on_the_true_bed),
        Row("measures at rest", measures),
        Row("taps", taps),
        Row("meshes", meshes),
        Row("levels the gantry", levels),
        Row("100 homings, 300 probes", Endurance(probe="PROBE_EDDY_NG_PROBE"), is_long=True),
    ),
)
