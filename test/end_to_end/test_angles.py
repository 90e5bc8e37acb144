# Angle sensors on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re

import pytest

from virtual_printer import hosts
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

PRINTER = SamplePrinter(resync=None).on_one_mcu()


@pytest.mark.parametrize(
    ("host", "kinds"),
    [
        ("kalico", ("a1333", "as5047d", "tle5012b", "mt6816", "mt6826s")),
        ("klipper_v0_12", ("a1333", "as5047d", "tle5012b")),
    ],
)
def test_printer_with_angle_sensors_is_ready(tmp_path, host, kinds):
    sections = "".join(
        "[angle %s]\nsensor_type: %s\ncs_pin: toolhead:PJ%d\n\n" % (kind, kind, i)
        for i, kind in enumerate(kinds)
    )
    printer_cfg = PRINTER.printer_cfg() + "\n" + sections
    work_dir = tmp_path / "session"
    with Session(
        hosts.find(host), printer_cfg, PRINTER.machine_cfg(), work_dir=work_dir
    ) as printer:
        assert printer.state() == "ready"


TLE5012B = """
[tmc2130 stepper_x]
cs_pin: toolhead:PJ8
run_current: 0.5
sense_resistor: 0.11
[angle shaft]
sensor_type: tle5012b
cs_pin: toolhead:PJ9
stepper: stepper_x
"""


def test_host_calibrates_a_sensor_that_counts_time_by_itself(start):
    with start(PRINTER, sections=TLE5012B) as printer:
        printer.gcode("G28 X\nG1 X150 F6000\nM400")
        said = " ".join(printer.gcode("ANGLE_CALIBRATE CHIP=shaft"))
        deviation, queries = re.search(r"stddev=([0-9.]+) .* in (\d+) queries", said).groups()
        assert float(deviation) < 20.0 and int(queries) > 1000
        shown = printer.status("angle shaft")
        assert shown["temperature"] == pytest.approx(25.0, abs=0.5)
        # Its mode is that of frames which take 42.7 us
        said = " ".join(printer.gcode("ANGLE_DEBUG_READ CHIP=shaft REG=0x06"))
        assert "ANGLE REG[0x06] = 0x4000" in said
