# KAMP: macros that mesh, purge and park where the print is
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from scripts.developer.plugins.plugin import Plugin, Row
from scripts.developer.plugins.printers import EXTRUDER
from scripts.developer.plugins.trial import Trial

FILES = (
    *("KAMP_Settings.cfg", "Adaptive_Meshing.cfg", "Line_Purge.cfg", "Smart_Park.cfg"),
    "Voron_Purge.cfg",
)
PRINTER_CFG = (
    "".join(f"[include {name}]\n" for name in FILES)
    + EXTRUDER
    + """
[exclude_object]

[bed_mesh]
speed: 200
mesh_min: 30, 40
mesh_max: 270, 260
probe_count: 7, 7
algorithm: bicubic

[extruder]
max_extrude_cross_section: 5
max_extrude_only_distance: 200
min_extrude_temp: 0
"""
)
OBJECTS = (
    "EXCLUDE_OBJECT_DEFINE NAME=a CENTER=120,120 POLYGON=[[100,100],[140,100],[140,140],[100,140]]",
    "EXCLUDE_OBJECT_DEFINE NAME=b CENTER=190,160 POLYGON=[[180,150],[200,150],[200,170],[180,170]]",
)


def meshes_the_print(trial: Trial) -> None:
    """The mesh is as large as the print, and has what it has on one MCU."""
    trial.gcode("G28\nQUAD_GANTRY_LEVEL\nG28 Z")
    trial.levelled()
    trial.gcode("\n".join(OBJECTS))
    trial.gcode("BED_MESH_CALIBRATE")
    mesh = trial.status("bed_mesh")
    trial.result("mesh_min_x_mm", mesh["mesh_min"][0])
    trial.result("mesh_max_y_mm", mesh["mesh_max"][1])
    trial.expect(mesh["mesh_min"][0] < 120 < mesh["mesh_max"][0] < 260, f"{mesh['mesh_min']}")
    for i, row in enumerate(mesh["probed_matrix"]):
        for j, height_mm in enumerate(row):
            # Two levellings do not end alike
            trial.result(f"mesh_{i}_{j}_mm", height_mm, within=0.02)


def parks_and_purges(trial: Trial) -> None:
    """On a mesh of the print."""
    trial.gcode("G28\n" + "\n".join(OBJECTS) + "\nBED_MESH_CALIBRATE\nSMART_PARK")
    x_mm, y_mm = trial.status("toolhead")["position"][:2]
    trial.expect(x_mm < 100 and y_mm < 100, f"parked at {x_mm}, {y_mm}")
    trial.gcode("LINE_PURGE\nVORON_PURGE\nBED_MESH_CLEAR\nM400")
    trial.result("height_mm", trial.printer.carriage_truth()[2], within=0.02)


PLUGIN = Plugin(
    name="KAMP",
    marks=("Configuration/KAMP_Settings.cfg",),
    config_files={f"Configuration/{name}": name for name in FILES},
    printer_cfg=PRINTER_CFG,
    rows=(
        Row("meshes the print", meshes_the_print),
        Row("parks and purges", parks_and_purges),
    ),
)
