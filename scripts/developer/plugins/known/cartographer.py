# Cartographer's plugin: its own calibration, then scan and touch
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from scripts.developer.plugins.common_rows import Accuracy, Endurance, levels, number
from scripts.developer.plugins.plugin import Need, Plugin, Row
from scripts.developer.plugins.trial import Trial

_CENTRE = "G90\nG1 Z5 F600\nG1 X150 Y125 F6000\n"
_PRINTER_CFG = """
[mcu cartographer]
serial: /tmp/virtual_printer/cartographer
restart_method: command

[cartographer]
mcu: cartographer
x_offset: 0
y_offset: 25

[stepper_z]
homing_retract_dist: 0

[bed_mesh]
mesh_min: 30, 50
mesh_max: 270, 270
probe_count: 5, 5
zero_reference_position: 150, 150
speed: 200

[extruder]
step_pin: toolhead:PA0
dir_pin: toolhead:PA1
enable_pin: !toolhead:PA2
microsteps: 16
rotation_distance: 20
nozzle_diameter: 0.4
filament_diameter: 1.75
heater_pin: toolhead:PA3
sensor_type: ATC Semitec 104GT-2
sensor_pin: toolhead:PA4
control: pid
pid_kp: 22
pid_ki: 1
pid_kd: 114
min_temp: 0
max_temp: 300
"""


# A checkout has no version to save its models with: they hold until the next restart
_CALIBRATE = "\n".join(
    (
        "CARTOGRAPHER_TOUCH_CALIBRATE VERIFICATION_SAMPLES=3",
        "CARTOGRAPHER_TOUCH_HOME",
        "CARTOGRAPHER_SCAN_CALIBRATE METHOD=TOUCH",
    )
)


def _calibrate(trial: Trial) -> None:
    """Leave a printer that homes by scan."""
    # By itself 1.9 cannot say to newer Kalicos that Z may move
    trial.gcode("G28 X Y\nSET_KINEMATIC_POSITION X=300 Y=300 Z=100\n" + _CALIBRATE)


def _calibrates_from_nothing(trial: Trial) -> None:
    trial.printer.restart()
    trial.gcode("G28 X Y\n" + _CALIBRATE + "\nG28\n" + _CENTRE + "M400")
    trial.result("height_mm", trial.printer.carriage_truth()[2], within=0.01)


def _touches(trial: Trial) -> None:
    trial.gcode("G28\n" + _CENTRE)
    lines = trial.gcode("CARTOGRAPHER_TOUCH_ACCURACY SAMPLES=5")
    trial.result("mean_mm", number(lines, r"average (-?[\d.]+)"), within=0.01)
    range_mm = number(lines, r"range ([\d.]+)")
    trial.expect(range_mm <= 0.015, f"range {range_mm:g} mm of touches")


def _homes_by_touch(trial: Trial) -> None:
    trial.gcode("G28")
    for _ in range(5):
        trial.gcode("CARTOGRAPHER_TOUCH_HOME")
    trial.gcode(_CENTRE + "M400")
    trial.result("height_mm", trial.printer.carriage_truth()[2], within=0.02)


def _scans_a_mesh(trial: Trial) -> None:
    trial.gcode("G28\nBED_MESH_CALIBRATE")
    mesh = trial.status("bed_mesh")["probed_matrix"]
    for y, row in enumerate(mesh):
        for x, height_mm in enumerate(row):
            trial.result(f"mesh {x},{y}", height_mm, within=0.01)


PLUGIN = Plugin(
    name="cartographer3d-plugin",
    marks=("src/cartographer/extra.py",),
    # Its installer has pip install the package and writes a file that imports extra.py
    links={
        "src/cartographer": "../cartographer",
        "src/cartographer/extra.py": "extras/cartographer.py",
    },
    links_on_kalico={
        "src/cartographer": "../cartographer",
        "src/cartographer/extra.py": "plugins/cartographer.py",
    },
    packages=("numpy==2.2.6", "typing_extensions==4.16.0"),
    needs=(Need("mcu.py", "class MCU_trsync", "Klipper of 2021 or newer"),),
    printer_cfg=_PRINTER_CFG,
    without=("probe",),
    prepare=_calibrate,
    rows=(
        Row("calibrates from nothing", _calibrates_from_nothing),
        Row("scans: PROBE_ACCURACY", Accuracy()),
        Row("touches: TOUCH_ACCURACY", _touches),
        Row("homes by touch", _homes_by_touch),
        Row("scans a mesh", _scans_a_mesh),
        Row("levels", levels),
        Row("100 homings, 300 probes", Endurance()),
    ),
)
