# Klicky macros: a probe that the toolhead fetches from a dock and puts back
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math

from scripts.developer.plugins.common_rows import Accuracy, Endurance, levels
from scripts.developer.plugins.plugin import Plugin, Row
from scripts.developer.plugins.trial import Trial
from virtual_printer.firmware.chips import PIN_NUMBERS

DOCK_MM = (50.0, 295.0)
PRINTER_CFG = """
[include klicky-variables.cfg]
[include klicky-macros.cfg]
[include klicky-bed-mesh-calibrate.cfg]
[include klicky-quad-gantry-level.cfg]

[gcode_macro _User_Variables]
variable_docklocation_x: 50
variable_docklocation_y: 295
variable_dockmove_x: 40
variable_attachmove_x: 0
variable_attachmove_y: 40
variable_z_endstop_x: 0
variable_z_endstop_y: 0
variable_max_bed_x: 300
variable_max_bed_y: 300

[bed_mesh]
speed: 200
mesh_min: 30, 40
mesh_max: 270, 260
probe_count: 5, 5
"""
DOCKINGS = 10


class Dock:
    """Holds the probe until the toolhead comes to it and leaves it forwards.

    A probe that is not at the toolhead shows as triggered. The toolhead leaves sideways to have
    the probe stay.
    """

    LOOK_S = 0.02
    # Faster than which the toolhead never comes
    SPEED_MM_S = 300.0
    AT_MM = 0.5
    AWAY_MM = 5.0

    def __init__(self, trial: Trial) -> None:
        self._printer = trial.printer
        self._is_at_dock = False
        self.fetched = self.returned = 0
        self._set_attached(False)
        self._look()

    def _set_attached(self, is_attached: bool) -> None:
        force = "none" if is_attached else "1"
        self._printer.control(f"endstop toolhead {PIN_NUMBERS['PB6']} force={force}")
        self.fetched += is_attached
        self.returned += not is_attached

    def _look(self) -> None:
        x_mm, y_mm, _ = self._printer.carriage_truth()
        dx_mm, dy_mm = x_mm - DOCK_MM[0], y_mm - DOCK_MM[1]
        away_mm = math.hypot(dx_mm, dy_mm)
        if away_mm < self.AT_MM:
            self._is_at_dock = True
        elif self._is_at_dock and away_mm > self.AWAY_MM:
            self._is_at_dock = False
            self._set_attached(abs(dy_mm) > abs(dx_mm))
        wait_s = max(self.LOOK_S, (away_mm - self.AWAY_MM) / self.SPEED_MM_S)
        self._printer.call_at(self._printer.now_s() + wait_s, self._look)


def fetch_and_return(trial: Trial) -> None:
    """Each G28 Z fetches the probe and puts it back."""
    dock = Dock(trial)
    trial.gcode("G28")
    for _ in range(DOCKINGS):
        trial.gcode("G28 Z")
    trial.expect(dock.fetched == DOCKINGS + 1, f"fetched {dock.fetched} times")
    # At the start it is in the dock
    trial.expect(dock.returned == DOCKINGS + 2, f"put back {dock.returned - 1} times")
    trial.result("height_mm", _height_mm(trial))


def _height_mm(trial: Trial) -> float:
    trial.gcode("G90\nG1 X150 Y150 F9000\nG1 Z10 F600\nM400")
    return trial.printer.carriage_truth()[2]


def is_accurate(trial: Trial) -> None:
    """PROBE_ACCURACY is a macro of Klicky's, too."""
    Dock(trial)
    Accuracy(place="G90\nG1 Z30 F600\nG1 X150 Y120 F9000")(trial)


def levels_docked(trial: Trial) -> None:
    """QUAD_GANTRY_LEVEL with the probe fetched before and put back after it."""
    Dock(trial)
    levels(trial)


def meshes(trial: Trial) -> None:
    """BED_MESH_CALIBRATE with the probe fetched before and put back after it."""
    Dock(trial)
    trial.gcode("G28\nBED_MESH_CALIBRATE", timeout_s=3600.0)
    rows = trial.status("bed_mesh")["probed_matrix"]
    for i in range(5):
        trial.result(f"mesh_{i}_mm", rows[i][i])
    trial.gcode("BED_MESH_CLEAR")


def lasts(trial: Trial) -> None:
    """With the probe locked, as for a print."""
    Dock(trial)
    Endurance(start="G28\nAttach_Probe_Lock")(trial)


PLUGIN = Plugin(
    name="Klicky macros",
    marks=("Klipper_macros/klicky-macros.cfg",),
    config_files={
        f"Klipper_macros/{name}": name
        for name in (
            "klicky-variables.cfg",
            "klicky-macros.cfg",
            "klicky-bed-mesh-calibrate.cfg",
            "klicky-quad-gantry-level.cfg",
        )
    },
    printer_cfg=PRINTER_CFG,
    without=("safe_z_home",),
    rows=(
        Row("fetches and returns the probe", fetch_and_return),
        Row("PROBE_ACCURACY", is_accurate),
        Row("levels the gantry", levels_docked),
        Row("meshes", meshes),
        Row("100 homings, 300 probes", lasts, is_long=True),
    ),
)
