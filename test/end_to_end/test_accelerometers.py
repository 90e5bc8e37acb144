# Acceleration sensors on real hosts: gravity, and the resonances that the machine has
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
FREEFALL_MM_S2 = 9806.65
RESONANCES = """
[resonance x]
frequency_hz: 48
damping: 0.08

[resonance y]
frequency_hz: 37.5
damping: 0.06
"""
TESTER = """
[input_shaper]

[resonance_tester]
accel_chip: adxl345
probe_points: 150, 150, 20
"""
ADXL345 = "[adxl345]\ncs_pin: toolhead:PB10\naxes_map: -z, y, x\n"
LIS2DW = "[lis2dw]\ncs_pin: toolhead:PB10\n"
MPU9250 = "[mpu9250]\ni2c_mcu: toolhead\n"
ICM20948 = "[icm20948]\ni2c_mcu: toolhead\n"


def start(host, tmp_path, sections):
    return Session(
        hosts.find(host),
        PRINTER.printer_cfg() + "\n" + sections,
        PRINTER.machine_cfg() + RESONANCES,
        work_dir=tmp_path / "session",
    )


@pytest.mark.parametrize(
    ("host", "sections"),
    [
        ("kalico", ADXL345),
        ("kalico", LIS2DW),
        ("kalico", "[lis3dh]\ni2c_mcu: toolhead\ni2c_address: 24\n"),
        ("kalico", MPU9250),
        ("kalico", ICM20948),
        # Before v0.13 the firmware started and stopped a chip by itself
        ("klipper_v0_12", ADXL345),
        ("klipper_v0_12", LIS2DW),
        ("klipper_v0_12", MPU9250),
    ],
)
def test_chip_at_rest_shows_gravity(tmp_path, host, sections):
    chip = re.match(r"\[(\w+)\]", sections).group(1)
    with start(host, tmp_path, sections) as printer:
        for _ in range(2):
            text = "\n".join(printer.gcode("ACCELEROMETER_QUERY CHIP=%s" % (chip,)))
            values = [float(value) for value in re.findall(r"-?\d+\.\d+", text)]
            assert values == pytest.approx([0.0, 0.0, FREEFALL_MM_S2], abs=500.0)


def test_shaper_calibration_finds_the_resonances_of_the_machine(tmp_path):
    with start("kalico", tmp_path, ADXL345 + TESTER) as printer:
        printer.gcode("G28")
        for axis, frequency_hz, ends in (("X", 48.0, (36, 60)), ("Y", 37.5, (27, 48))):
            text = "\n".join(
                printer.gcode(
                    "SHAPER_CALIBRATE AXIS=%s FREQ_START=%d FREQ_END=%d HZ_PER_SEC=2"
                    % (axis, *ends)
                )
            )
            fitted = re.search(r"shaper 'zv' frequency = (\S+) Hz", text)
            assert float(fitted.group(1)) == pytest.approx(frequency_hz, abs=1.0)


def test_chip_that_is_wired_wrong_is_refused(tmp_path):
    with start("kalico", tmp_path, ADXL345) as printer:
        wrong = ADXL345.replace("PB10", "PB11")
        assert wrong != ADXL345
        (printer.work_dir / "printer.cfg").write_text(PRINTER.printer_cfg() + "\n" + wrong)
        printer.restart()
        with pytest.raises(Exception, match="Invalid adxl345 id"):
            printer.gcode("ACCELEROMETER_QUERY")
