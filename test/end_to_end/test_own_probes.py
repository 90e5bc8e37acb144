# The hosts' own probes: on four boards what they are on one, and no stepper out of step
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from dataclasses import replace
from statistics import fmean

import pytest
from end_to_end.driving import (
    LEVEL_HEIGHT_MM,
    level_truth,
    logged_moves,
    skew_gained_mm,
    skip_without,
)
from end_to_end.test_drivers import HOME_X_AND_Y, STALLING, sensorless

from virtual_printer.samples import SamplePrinter, config_text
from virtual_printer.session import GCodeError

Z_STEP_MM = 0.0025
HOMED_AT = "G90\nG1 Z%.3f F600\nG1 X150 Y150 F9000\nM400" % (LEVEL_HEIGHT_MM,)
ACCURACY = "PROBE_ACCURACY SAMPLES=5"


class UnlikeLinks(SamplePrinter):
    """A sample all of whose boards but the first stop their steppers some 12 um later."""

    delay_us = {"delay_to_mcu_us": 2500, "delay_to_host_us": 2500}

    def on_one_late_mcu(self):
        return replace(self, z_mcus=("z1",) * len(self.z_mcus), resync=None)

    def machine_cfg(self):
        slow = sorted(set(self.z_mcus) - {"z0"})
        return super().machine_cfg() + config_text({"mcu " + name: self.delay_us for name in slow})


def with_options(sample, name, **options):
    """The sample with more options of one of its sections."""
    return replace(sample, more_options={**sample.more_options, name: options})


def probed_mm(printer, script=ACCURACY):
    """True heights (mm) of the bed that a command probes where the printer was homed."""
    printer.gcode(HOMED_AT)
    error_mm = printer.carriage_truth()[2] - LEVEL_HEIGHT_MM
    text = "\n".join(printer.gcode(script))
    heights_mm = [float(z) for z in re.findall(r"(?:is|contact at) z=(-?[\d.]+)", text)]
    return [z_mm + error_mm for z_mm in heights_mm]


def spread_mm(heights_mm):
    return max(heights_mm) - min(heights_mm)


def assert_alike(one_mm, four_mm, count, noise_mm):
    """As many results on four boards as on one, no further from these than their noise."""
    assert len(one_mm) == len(four_mm) == count
    assert four_mm == pytest.approx(one_mm, abs=noise_mm)
    assert spread_mm(four_mm) <= spread_mm(one_mm) + noise_mm


def target_of(printer):
    """Where the steppers went back to in the last move: by the status, and by the log."""
    target = printer.status("multi_mcu_resync")["target"]["z"]
    endstop = logged_moves(printer)[-1].rails[0].endstop
    assert "multi_mcu_resync: endstop '%s': target %s, since" % (endstop, target) in printer.log()
    return target


def assert_in_step(printer, before):
    """Neither shut down nor out of step, though the boards have not stopped together."""
    overshoots = printer.status("multi_mcu_resync")["overshoot_max_mm"].values()
    assert max(overshoots) - min(overshoots) > Z_STEP_MM
    assert skew_gained_mm(before, level_truth(printer)) == 0.0
    assert printer.status("multi_mcu_resync")["in_sync"]["z"] is True
    assert printer.state() == "ready"
    assert "Traceback" not in printer.log()


def assert_same_as_on_one(start, sample, count, noise_mm, script=ACCURACY, target="trigger"):
    """A probe on four boards with our section against the same on one without it."""
    one = start(sample.on_one_mcu().without_section())
    one.gcode("G28")
    expected_mm = probed_mm(one, script)
    four = start(sample)
    four.gcode("G28")
    before = level_truth(four)
    assert_alike(expected_mm, probed_mm(four, script), count, noise_mm)
    assert target_of(four) == target
    assert_in_step(four, before)
    return four


# Switches


@pytest.mark.parametrize("touch_mode", [False, True], ids=["pulse", "touch_mode"])
def test_bltouch(start, touch_mode):
    options = {"stow_on_each_sample": False, "probe_with_touch_mode": True} if touch_mode else {}
    sample = with_options(UnlikeLinks(probe="bltouch"), "bltouch", **options)
    four = assert_same_as_on_one(start, sample, 5, Z_STEP_MM)
    assert "BLTouch failed" not in four.log()


def smart_effector(host, sample):
    """A sample with that probe, and with what the host wants to know of it."""
    sample = with_options(
        sample, "smart_effector", control_pin="toolhead:PB7", probe_accel=500, recovery_time=0.1
    )
    source = (host.klippy / "extras" / "smart_effector.py").read_text(encoding="utf-8")
    if "get_position_endstop" not in source and "HomingViaProbeHelper" not in source:
        # Until 2025 (after v0.12) it leaves that to the user
        sample = with_options(sample, "stepper_z", position_endstop=1.0)
    return sample


def test_smart_effector(start, host):
    sample = smart_effector(host, UnlikeLinks(probe="smart_effector"))
    four = assert_same_as_on_one(start, sample, 5, Z_STEP_MM)
    four.gcode("SET_SMART_EFFECTOR SENSITIVITY=50\nRESET_SMART_EFFECTOR")
    probed_mm(four, "PROBE")
    assert four.state() == "ready"


DOCK = {
    "dock_position": "150, 295",
    "approach_position": "150, 260",
    "detach_position": "190, 295",
    "check_open_attach": True,
    "z_hop": 15,
    "travel_speed": 150,
    "attach_speed": 100,
    "detach_speed": 100,
}


def docked_sample():
    sample = UnlikeLinks(probe="dockable_probe")
    # It has a way of its own to get to where it probes
    return with_options(sample, "dockable_probe", **DOCK)


def test_dockable_probe(start, host):
    skip_without(host, "dockable_probe")
    four = assert_same_as_on_one(start, docked_sample(), 5, Z_STEP_MM)
    assert "DOCKED" in "\n".join(four.gcode("QUERY_DOCKABLE_PROBE"))
    before = level_truth(four)
    # Each of them fetches the probe and takes it back
    for _ in range(3):
        four.gcode("G1 X150 Y150 F9000\nPROBE")
    assert_in_step(four, before)
    four.gcode("ATTACH_PROBE")
    assert "ATTACHED" in "\n".join(four.gcode("QUERY_DOCKABLE_PROBE"))


# Load cells

LOAD_CELL = {
    "sensor_type": "ads1220",
    "cs_pin": "toolhead:PJ2",
    "data_ready_pin": "toolhead:PJ3",
    "counts_per_gram": 500,
    "reference_tare_counts": 20000,
    "z_offset": 0,
    "lift_speed": 10,
    "sample_retract_dist": 2,
}
# What a tap differs by on one board
LOAD_CELL_NOISE_MM = 0.003


# What the MCU has the steppers stopped for when no sample comes any more
SILENCE = "mcu toolhead trip reason=7"


def load_cell_sample():
    sample = UnlikeLinks(probe="load_cell_probe", probe_speed_mm_s=3.0)
    return with_options(sample, "load_cell_probe", **LOAD_CELL)


def test_load_cell_probe(start, host):
    skip_without(host, "load_cell_probe")
    four = assert_same_as_on_one(
        start, load_cell_sample(), 5, LOAD_CELL_NOISE_MM, target="least_travel"
    )
    assert "Tap failed" not in four.log()


def test_load_cell_that_falls_silent_fails_the_move_and_keeps_the_steppers_in_step(start, host):
    skip_without(host, "load_cell_probe")
    printer = start(load_cell_sample())
    printer.gcode("G28")
    before = level_truth(printer)
    printer.gcode(HOMED_AT)
    printer.call_at(printer.now_s() + 2.5, lambda: printer.control(SILENCE))
    with pytest.raises(GCodeError, match="(?i)timed out waiting for sensor data|monitor"):
        printer.gcode("PROBE")
    assert_in_step(printer, before)
    printer.gcode("PROBE")
    assert_in_step(printer, before)


# Eddy current

EDDY = "probe_eddy_current coil"
EDDY_NOISE_MM = 0.004
# Taps of one board have a standard deviation of 3 um
TAP_NOISE_MM = 0.01
# The frequency falls by some 50 kHz in the first mm over the bed
TAP = "METHOD=tap TAP_THRESHOLD=2000"


class LateLinks(UnlikeLinks):
    """Until they are corrected, steppers are some 30 um too low: a coil would see that."""

    delay_us = {"delay_to_mcu_us": 6000, "delay_to_host_us": 500}


def eddy_sample():
    options = {
        "sensor_type": "ldc1612",
        "i2c_mcu": "toolhead",
        "lift_speed": 10,
        "sample_retract_dist": 2,
    }
    mesh = {
        "speed": 200,
        "horizontal_move_z": 1.5,
        "mesh_min": "50, 50",
        "mesh_max": "250, 250",
        "probe_count": "3, 3",
    }
    sample = LateLinks(probe=EDDY, probe_speed_mm_s=5.0)
    return replace(sample, more_options={EDDY: options, "bed_mesh": mesh})


def calibration(printer):
    """What the printer's coil calibrates itself to, as text for printer.cfg."""
    printer.gcode("G28 X Y\nG0 X150 Y150 F6000\nM400")
    # The nozzle touches a sheet of paper of no thickness
    printer.gcode("SET_KINEMATIC_POSITION Z=%.6f" % (printer.carriage_truth()[2],))
    printer.gcode("G1 Z5 F600\nPROBE_EDDY_CURRENT_CALIBRATE CHIP=coil\nTESTZ Z=-5\nACCEPT")
    pending = printer.status("configfile")["save_config_pending_items"]
    return pending[EDDY]["calibrate"].replace("\n", "\n ")


def mesh_mm(printer, method):
    """Heights (mm) of the bed that a scan finds, row after row."""
    printer.gcode(HOMED_AT)
    error_mm = printer.carriage_truth()[2] - LEVEL_HEIGHT_MM
    printer.gcode("BED_MESH_CALIBRATE METHOD=%s" % (method,))
    rows = printer.status("bed_mesh")["probed_matrix"]
    printer.gcode("BED_MESH_CLEAR")
    return [z_mm + error_mm for row in rows for z_mm in row]


def eddy_results_mm(printer, has_more):
    """Heights (mm) by way of measuring."""
    printer.gcode("G28")
    results_mm = {"descending": probed_mm(printer)}
    if has_more:
        results_mm["scan"] = mesh_mm(printer, "scan")
        results_mm["rapid_scan"] = mesh_mm(printer, "rapid_scan")
        results_mm["tap"] = tapped_mm(printer)
    return results_mm


def tapped_mm(printer):
    return probed_mm(printer, "PROBE_ACCURACY SAMPLES=5 " + TAP)


def expected_taps_mm(start, sample, prompt_mm):
    """What taps find where three of four steppers stop late.

    The analysis fits a curve to what follows the contact, the overshoot too: on one late board
    without the section it finds the bed some 13 um higher than on a prompt one.
    """
    late = start(sample.on_one_late_mcu())
    late.gcode("G28")
    late_mm = tapped_mm(late)
    return [0.25 * fmean(prompt_mm) + 0.75 * fmean(late_mm)] * len(prompt_mm)


def test_probe_eddy_current(start, host):
    skip_without(host, "probe_eddy_current")
    source = (host.klippy / "extras" / "probe_eddy_current.py").read_text(encoding="utf-8")
    sample = eddy_sample()
    one = start(sample.on_one_mcu().without_section())
    coil = {**sample.more_options[EDDY], "calibrate": calibration(one)}
    sample = with_options(sample, EDDY, **coil)
    one.write("printer.cfg", sample.on_one_mcu().without_section().printer_cfg())
    one.restart()
    expected_mm = eddy_results_mm(one, "METHOD" in source)
    if "tap" in expected_mm:
        expected_mm["tap"] = expected_taps_mm(start, sample, expected_mm["tap"])
    four = start(sample)
    four.gcode("G28")
    before = level_truth(four)
    found_mm = eddy_results_mm(four, "METHOD" in source)
    for way, heights_mm in expected_mm.items():
        noise_mm = TAP_NOISE_MM if way == "tap" else EDDY_NOISE_MM
        assert_alike(heights_mm, found_mm[way], len(heights_mm), noise_mm)
    assert target_of(four) == "least_travel"
    assert_in_step(four, before)


# No probe, and no switch


def stalled_mm(start, sample):
    """Where sensorless homing has left the toolhead, and the printer."""
    printer = start(sensorless(sample, drivers_of(sample)))
    printer.gcode(HOME_X_AND_Y + "\nG28 Z\nG1 X150 Y150 F6000\nM400")
    return printer.carriage_truth()[:2], printer


def drivers_of(sample):
    """A driver for each stepper of the sample's X and Y."""
    names = ("stepper_x", "stepper_x1", "stepper_y", "stepper_y1")
    return {
        name: {**STALLING, "uart_pin": "%s:PA%d" % (mcu, 2 * i), "diag_pin": "^%s:PB%d" % (mcu, i)}
        for i, (name, mcu) in enumerate(zip(names, sample.x_mcus + sample.y_mcus))
    }


def test_sensorless_homing(start):
    four = SamplePrinter(z_mcus=("z", "z"), x_mcus=("a", "b"), y_mcus=("c", "d"))
    one = replace(four, x_mcus=("a", "a"), y_mcus=("c", "c"), resync=None)
    expected_mm, _ = stalled_mm(start, one)
    found_mm, printer = stalled_mm(start, four)
    # A stall is felt to half a full step
    assert found_mm == pytest.approx(expected_mm, abs=0.1)
    status = printer.status("multi_mcu_resync")
    assert status["in_sync"] == {"x": True, "y": True}
    assert status["target"] == {"x": "trigger", "y": "trigger"}
    truth = printer.stepper_truth()
    for name in ("stepper_x", "stepper_y"):
        assert truth[name].position_mm == truth[name + "1"].position_mm
