# What the status and the log line say of the homing moves of real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import statistics

import pytest
from end_to_end.driving import logged_moves, probe_at_random

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError

MACRO = """
[gcode_macro TELL]
gcode:
  {% set resync = printer.multi_mcu_resync %}
  {action_respond_info("z %s, z1 on %s: %d steps, mean %.6f mm, %.6f ms, limit %.6f" % (
    resync.in_sync.z, resync.mcu.stepper_z1, resync.overshoot_steps.stepper_z1,
    resync.overshoot_mean_mm.stepper_z1, resync.latency_ms.stepper_z1,
    resync.following_error_limit_mm.stepper_z1))}
"""


def stops(printer):
    """Overshoot (mm) and speed of all stops, by stepper, from the log lines."""
    found = {}
    for move in logged_moves(printer):
        for rail in move.rails:
            if rail.triggered and rail.speed_mm_s:
                for name, stepper in rail.steppers.items():
                    found.setdefault(name, []).append((stepper.overshoot_mm, rail.speed_mm_s))
    return found


def figures(values):
    return len(values), statistics.fmean(values), max(values), statistics.pstdev(values)


def test_status_is_what_is_computed_from_the_log_lines(start):
    printer = start(SamplePrinter(x_mcus=("mcu", "x1")))
    printer.gcode("G28")
    probe_at_random(printer, 5)
    status = printer.status("multi_mcu_resync")
    found = stops(printer)
    assert set(found) == {"stepper_x", "stepper_x1", *SamplePrinter().z_names}
    for name, pairs in found.items():
        count, mean, most, deviation = figures([overshoot_mm for overshoot_mm, _ in pairs])
        assert status["overshoot_count"][name] == count
        assert status["overshoot_mean_mm"][name] == pytest.approx(mean, abs=1e-6)
        assert status["overshoot_max_mm"][name] == pytest.approx(most, abs=1e-6)
        assert status["overshoot_stddev_mm"][name] == pytest.approx(deviation, abs=1e-6)
        _, mean, most, deviation = figures([1e3 * mm / speed for mm, speed in pairs])
        assert status["latency_mean_ms"][name] == pytest.approx(mean, abs=1e-3)
        assert status["latency_max_ms"][name] == pytest.approx(most, abs=1e-3)
        assert status["latency_stddev_ms"][name] == pytest.approx(deviation, abs=1e-3)
    # Some stepper went on for longer than another, or this has shown nothing
    assert max(status["latency_mean_ms"].values()) > 0.1
    last = logged_moves(printer)[-1].rails[0]
    for name, stepper in last.steppers.items():
        assert status["mcu"][name] == stepper.mcu
        assert status["overshoot_steps"][name] == stepper.overshoot_steps
        assert status["correction_steps"][name] == stepper.correction_steps
        assert status["overshoot_mm"][name] == pytest.approx(stepper.overshoot_mm, abs=1e-6)
        assert status["residual_mm"][name] == pytest.approx(stepper.residual_mm, abs=1e-6)


def test_speed_in_the_log_is_that_of_the_probe(start):
    printer = start(SamplePrinter())
    printer.gcode("G28\nG1 Z10 F600\nPROBE PROBE_SPEED=4\nG1 Z10 F600\nPROBE PROBE_SPEED=8")
    speeds = [move.rails[0].speed_mm_s for move in logged_moves(printer)][-2:]
    # A step of 2.5 um in 10 ms
    assert speeds == pytest.approx([4.0, 8.0], abs=0.25)


def test_macro_reads_the_fields(start):
    printer = start(SamplePrinter(), sections=MACRO)
    printer.gcode("G28\nG1 Z10 F600\nPROBE\nM400")
    printer.sleep(0.5)
    (line,) = printer.gcode("TELL")
    status = printer.status("multi_mcu_resync")
    assert line == "// z True, z1 on z1: %d steps, mean %.6f mm, %.6f ms, limit 0.000000" % (
        status["overshoot_steps"]["stepper_z1"],
        status["overshoot_mean_mm"]["stepper_z1"],
        status["latency_ms"]["stepper_z1"],
    )


def test_failed_move_ends_its_log_line_with_the_error(start):
    printer = start(SamplePrinter().with_resync(max_correction=0.004))
    with pytest.raises(GCodeError, match="max_correction"):
        printer.gcode("G28 X\nG28 Y\nG28 Z")
    (move,) = logged_moves(printer)
    assert move.error == printer.status("multi_mcu_resync")["error"]
    assert move.error.startswith("stepper 'stepper_z")
    assert not move.rails[0].corrected
    # It was measured all the same
    assert set(printer.status("multi_mcu_resync")["overshoot_count"].values()) == {1}


def test_checked_counts_show_as_following_errors(start):
    printer = start(SamplePrinter())
    assert printer.status("multi_mcu_resync")["following_error_mm"] == {}
    printer.gcode("G28\nM400")
    printer.sleep(0.5)
    printer.gcode("RESYNC_CHECK")
    status = printer.status("multi_mcu_resync")
    assert status["following_error_mm"] == dict.fromkeys(SamplePrinter().z_names, 0.0)
    assert status["following_error_limit_mm"] == dict.fromkeys(SamplePrinter().z_names, 0.0)
