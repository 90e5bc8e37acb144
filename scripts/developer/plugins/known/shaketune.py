# Shake&Tune: measures how the toolhead swings, and draws graphs of it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from scripts.developer.plugins.common_rows import Endurance
from scripts.developer.plugins.plugin import Plugin, Row
from scripts.developer.plugins.trial import Trial

PRINTER_CFG = """
[adxl345]
cs_pin: toolhead:PA4

[resonance_tester]
accel_chip: adxl345
probe_points: 150, 150, 20

[shaketune]
result_folder: results
show_macros_in_webui: False
"""
PACKAGES = (
    *("contourpy==1.3.0", "cycler==0.12.1", "fonttools==4.60.1", "kiwisolver==1.4.7"),
    *("matplotlib==3.9.4", "pillow==11.3.0", "pyparsing==3.2.5", "python-dateutil==2.9.0.post0"),
    *("six==1.17.0", "scipy==1.13.1", "PyWavelets==1.6.0", "zstandard==0.23.0"),
    *("GitPython==3.1.41", "gitdb==4.0.12", "smmap==5.0.2"),
)


def excites_an_axis(trial: Trial) -> None:
    """Graphs are drawn by processes of their own, which virtual time does not wait for."""
    trial.gcode("G28")
    for axis in "xyab":
        trial.gcode(f"EXCITATE_AXIS_AT_FREQ FREQUENCY=40 DURATION=5 AXIS={axis}")
        # It moves nothing but X and Y
        trial.gcode("G28 Z\nG90\nG1 X150 Y150 F9000\nG1 Z10 F600\nM400")
        trial.result(f"height_{axis}_mm", trial.printer.carriage_truth()[2])


PLUGIN = Plugin(
    name="Shake&Tune",
    marks=("shaketune/shaketune.py",),
    links={"shaketune": "extras/shaketune"},
    packages=PACKAGES,
    printer_cfg=PRINTER_CFG,
    rows=(
        Row("EXCITATE_AXIS_AT_FREQ", excites_an_axis),
        Row("100 homings, 300 probes", Endurance(), is_long=True),
    ),
)
