# klipper_tmc_autotune: sets the registers of stepper drivers to suit their motors
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from scripts.developer.plugins.common_rows import Accuracy, Endurance
from scripts.developer.plugins.plugin import Plugin, Row
from scripts.developer.plugins.trial import Trial

FILES = ("autotune_tmc.py", "motor_constants.py", "motor_database.cfg")
STEPPERS = ("stepper_x", "stepper_y", "stepper_z", "stepper_z1", "stepper_z2", "stepper_z3")
_PINS = ("mcu:PG0", "mcu:PG1", "{z0}:PG2", "{z1}:PG3", "{z2}:PG4", "{z3}:PG5")
PRINTER_CFG = "".join(
    f"""
[tmc2209 {name}]
uart_pin: {pin}
run_current: 0.8
sense_resistor: 0.110

[autotune_tmc {name}]
motor: ldo-42sth48-2004mah
"""
    for name, pin in zip(STEPPERS, _PINS)
)


def tunes(trial: Trial) -> None:
    """What it sets at the start and when it is told to is in the drivers."""
    trial.gcode("G28")
    for name in STEPPERS:
        trial.gcode(f"AUTOTUNE_TMC STEPPER={name} TUNING_GOAL=performance")
        lines = "\n".join(trial.gcode(f"DUMP_TMC STEPPER={name} REGISTER=GCONF"))
        trial.expect("en_spreadcycle=1" in lines, f"{name} has no spreadCycle: '{lines}'")
    trial.gcode("G28 Z\nG90\nG1 X150 Y150 F9000\nG1 Z10 F600\nM400")
    trial.result("height_mm", trial.printer.carriage_truth()[2])
    for name in STEPPERS[2:]:
        trial.gcode(f"AUTOTUNE_TMC STEPPER={name} TUNING_GOAL=silent")
    trial.gcode("G28 Z\nG90\nG1 X150 Y150 F9000\nG1 Z10 F600\nM400")
    trial.result("silent_height_mm", trial.printer.carriage_truth()[2])


PLUGIN = Plugin(
    name="tmc_autotune",
    marks=("autotune_tmc.py",),
    links={name: f"extras/{name}" for name in FILES},
    links_on_kalico={name: f"plugins/{name}" for name in FILES},
    printer_cfg=PRINTER_CFG,
    rows=(
        Row("tunes all drivers", tunes),
        Row("PROBE_ACCURACY", Accuracy()),
        Row("100 homings, 300 probes", Endurance(), is_long=True),
    ),
)
