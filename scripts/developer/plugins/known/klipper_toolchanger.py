# klipper-toolchanger: tools that each have a probe of their own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from scripts.developer.plugins.common_rows import Accuracy, Endurance, levels
from scripts.developer.plugins.plugin import Need, Plugin, Row
from scripts.developer.plugins.printers import EXTRUDER
from scripts.developer.plugins.trial import Trial

EXTRAS = (
    *("bed_thermal_adjust.py", "manual_rail.py", "multi_fan.py", "rounded_path.py", "tool.py"),
    *("tool_probe.py", "tool_probe_endstop.py", "toolchanger.py", "tools_calibrate.py"),
)
PRINTER_CFG = (
    EXTRUDER
    + """
[virtual_sdcard]
path: .

[toolchanger]
initialize_on: first-use
params_park_z: 30
pickup_gcode:
    G0 X{tool.params_park_x} Y200 F9000
    G0 Y280 F3000
    G0 Y200 F9000
dropoff_gcode:
    G0 X{tool.params_park_x} Y200 F9000
    G0 Y280 F3000
    G0 Y200 F9000

[tool T0]
tool_number: 0
tool_probe: tool_probe T0
params_park_x: 40

[tool_probe T0]
pin: ^toolhead:PB6
x_offset: 0
y_offset: 25
z_offset: 1.0
speed: 10
sample_retract_dist: 2.0

[tool T1]
tool_number: 1
tool_probe: tool_probe T1
gcode_x_offset: 1.5
gcode_z_offset: 0.2
params_park_x: 240

# The same switch, as long as nobody models a second tool
[tool_probe T1]
pin: ^toolhead:PB6
x_offset: 0
y_offset: 25
z_offset: 1.2
speed: 10

[rounded_path]
resolution: 0.2
replace_g0: False
"""
)
MACHINE_CFG = """
[probe]
section: tool_probe T0
"""
CHANGES = 5


def prepare(trial: Trial) -> None:
    """Tool 0 is at the toolhead."""
    trial.gcode("INITIALIZE_TOOLCHANGER T=0")


def changes_tools(trial: Trial) -> None:
    """After each change Z is homed with the other tool's probe."""
    trial.gcode("G28\nG90\nG1 Z30 F600")
    for i in range(CHANGES):
        for tool in (1, 0):
            trial.gcode(f"SELECT_TOOL T={tool}\nG28 Z\nG1 Z30 F600\nM400")
            trial.result(f"height_{tool}_{i}_mm", trial.printer.carriage_truth()[2])
    status = trial.status("toolchanger")
    trial.expect(status["status"] == "ready", f"the toolchanger is {status['status']}")


PLUGIN = Plugin(
    name="klipper-toolchanger",
    marks=("klipper/extras/toolchanger.py",),
    links={f"klipper/extras/{name}": f"extras/{name}" for name in EXTRAS},
    needs=(
        Need("extras/probe.py", "create_probe_result", "Klipper of 2026 or newer"),
        Need("extras/probe.py", "class HomingViaProbeHelper", "Klipper of 2024 or newer"),
    ),
    printer_cfg=PRINTER_CFG,
    machine_cfg=MACHINE_CFG,
    without=("probe",),
    prepare=prepare,
    rows=(
        Row("PROBE_ACCURACY", Accuracy()),
        Row("changes tools", changes_tools),
        Row("levels the gantry", levels),
        Row("100 homings, 300 probes", Endurance(), is_long=True),
    ),
)
