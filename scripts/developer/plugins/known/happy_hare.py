# Happy Hare: a changer of filament with motors of its own, on an MCU of its own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from scripts.developer.plugins.common_rows import Accuracy, Endurance, levels
from scripts.developer.plugins.plugin import Plugin, Row
from scripts.developer.plugins.printers import EXTRUDER
from scripts.developer.plugins.trial import Trial

EXTRAS = (
    *("mmu_encoder.py", "mmu_espooler.py", "mmu_led_effect.py", "mmu_leds.py", "mmu_machine.py"),
    *("mmu_sensors.py", "mmu_servo.py", "mmu"),
)
PRINTER_CFG = (
    EXTRUDER
    + """
[mcu mmu]
serial: /tmp/virtual_printer/mmu
restart_method: command

[extruder]
max_extrude_only_distance: 200
min_extrude_temp: 0

[virtual_sdcard]
path: .

[pause_resume]

[display_status]

[respond]

[save_variables]
filename: mmu_vars.cfg

[mmu_machine]
num_gates: 4
mmu_vendor: Other
mmu_version: 1.0
selector_type: LinearSelector
variable_rotation_distances: 0
filament_always_gripped: 1

[mmu_sensors]
gate_switch_pin: ^!mmu:PC0

[include mmu_parameters.cfg]

[mmu]
happy_hare_version: 3.42
log_file_level: -1
gate_homing_endstop: mmu_gate
extruder_homing_endstop: none
sync_to_extruder: 0
print_start_detection: 0
cad_gate0_pos: 4.2
cad_gate_width: 21.0

[stepper_mmu_selector]
step_pin: mmu:PA0
dir_pin: mmu:PA1
enable_pin: !mmu:PA2
rotation_distance: 40
microsteps: 16
endstop_pin: mmu:PA3
endstop_name: mmu_sel_home

[stepper_mmu_gear]
step_pin: mmu:PB0
dir_pin: mmu:PB1
enable_pin: !mmu:PB2
rotation_distance: 22.7316868
gear_ratio: 80:20
microsteps: 16
"""
)
# What MMU_CALIBRATE_... would have saved
VARIABLES = """[Variables]
mmu__revision = 0
mmu_selector_offsets = [4.2, 25.2, 46.2, 67.2]
mmu_gear_rotation_distances = [22.73, 22.73, 22.73, 22.73]
mmu_calibration_bowden_lengths = [500.0, 500.0, 500.0, 500.0]
mmu_calibration_bowden_home = 'mmu_gate'
"""
SELECTIONS = 5


def homes_its_selector(trial: Trial) -> None:
    """Between homings and probes of Z, which it does not disturb."""
    trial.gcode("G28")
    for i in range(SELECTIONS):
        trial.gcode("MMU_HOME TOOL=0")
        trial.gcode("MMU_SELECT GATE=2\nG28 Z\nG90\nG1 X150 Y150 F9000\nG1 Z10 F600\nM400")
        trial.result(f"height_{i}_mm", trial.printer.carriage_truth()[2])
        selector_mm = trial.printer.stepper_truth()["stepper_mmu_selector"].position_mm
        trial.result(f"selector_{i}_mm", selector_mm, within=0.2)
        trial.expect(abs(selector_mm - 46.2) < 0.5, f"the selector is at {selector_mm:.2f} mm")


def moves_its_gear(trial: Trial) -> None:
    """Moves of the gear, then probes."""
    trial.gcode("G28\nMMU_HOME TOOL=0")
    before_mm = trial.printer.stepper_truth()["stepper_mmu_gear"].position_mm
    trial.gcode("MMU_TEST_MOVE MOVE=30\nM400\nG4 P1000")
    moved_mm = trial.printer.stepper_truth()["stepper_mmu_gear"].position_mm - before_mm
    trial.result("gear_mm", moved_mm, within=0.1)
    trial.expect(abs(moved_mm - 30.0) < 0.2, f"the gear moved by {moved_mm:.2f} mm")
    Accuracy()(trial)


PLUGIN = Plugin(
    name="Happy Hare",
    marks=("extras/mmu/mmu.py", "extras/mmu_machine.py"),
    links={f"extras/{name}": f"extras/{name}" for name in EXTRAS},
    config_files={"config/base/mmu_parameters.cfg": "mmu_parameters.cfg"},
    files={"mmu_vars.cfg": VARIABLES},
    printer_cfg=PRINTER_CFG,
    rows=(
        Row("homes its selector", homes_its_selector),
        Row("moves its gear", moves_its_gear),
        Row("levels the gantry", levels),
        Row("100 homings, 300 probes", Endurance(), is_long=True),
    ),
)
