# Probes of all kinds on a shared axis, on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import re
from dataclasses import replace

import pytest
from end_to_end.driving import LEVEL_HEIGHT_MM, level_truth, logged_moves, probed_height_mm

from virtual_printer.samples import SamplePrinter

SECTION = "[multi_mcu_resync]"
SHARED_AXIS_ERROR = "Multi-mcu homing not supported on multi-mcu shared axis"
HOMED_AT = "G90\nG1 Z%.3f F600\nG1 X150 Y150 F9000\n" % (LEVEL_HEIGHT_MM,)
TRIGGER_HEIGHT_MM = 1.0
Z_STEP_MM = 0.0025


def before_ours(name):
    """Replacements for a printer.cfg in which a section comes before ours."""
    return [(SECTION, "[%s]\n\n%s" % (name, SECTION))]


def standin_probe(printer, contact=0):
    """Probe with a stand-in where the printer was homed; the trigger's height (mm)."""
    text = "\n".join(printer.gcode(HOMED_AT + "STANDIN_PROBE CONTACT=%d" % (contact,)))
    return float(re.search(r"standin z=(\S+)", text).group(1))


def last_move(printer):
    """Target (mm) and overshoots (steps) of the last homing move."""
    rail = logged_moves(printer)[-1].rails[0]
    return rail.target_mm, [s.overshoot_steps for s in rail.steppers.values()]


# Probes that measure, with copies of the check of their own


@pytest.mark.parametrize(
    "name, is_first",
    [
        ("standin_beacon", False),
        ("standin_beacon", True),
        ("standin_own_dispatch", False),
    ],
)
def test_probe_with_a_check_of_its_own_is_resynced_and_exact(start, name, is_first):
    moved = before_ours(name) if is_first else []
    printer = start(SamplePrinter(probe=name), replace=moved)
    printer.gcode("G28")
    before = level_truth(printer)
    results_mm = [standin_probe(printer) for _ in range(5)]
    assert level_truth(printer) == before
    status = printer.status("multi_mcu_resync")
    assert (status["triggered"], status["corrected"]) == (True, True)
    # Where the printer was homed, and by a sensor without any noise
    assert results_mm[0] == pytest.approx(TRIGGER_HEIGHT_MM, abs=Z_STEP_MM)
    assert max(results_mm) - min(results_mm) < 1e-6


def test_move_end_given_for_the_trigger_time_takes_nothing_further_down(start):
    printer = start(SamplePrinter(probe="standin_beacon"))
    printer.gcode("G28")
    standin_probe(printer)
    corrections = printer.status("multi_mcu_resync")["correction_steps"].values()
    assert min(corrections) == 0 < max(corrections)
    assert last_move(printer)[1] == [0, 0, 0, 0]


@pytest.mark.parametrize("target", ["auto", "trigger", "least_travel"])
def test_contact_probe_returns_the_trigger_height(start, target):
    printer = start(SamplePrinter(probe="standin_beacon").with_resync(target=target))
    printer.gcode("G28")
    before = level_truth(printer)
    for _ in range(3):
        result_mm = standin_probe(printer, contact=1)
        target_mm, overshoots = last_move(printer)
        assert min(overshoots) > 0
        # Where it stands: a sensor's host expects it to have gone on
        below_steps = 0 if target == "trigger" else min(overshoots)
        assert result_mm - target_mm == pytest.approx(below_steps * Z_STEP_MM, abs=2e-6)
    assert level_truth(printer) == before


def test_gantry_is_levelled_by_a_probe_with_a_check_of_its_own(start):
    printer = start(SamplePrinter(probe="standin_beacon"))
    printer.gcode("G28\nQUAD_GANTRY_LEVEL\nG28 Z")
    before = level_truth(printer)
    # The bed's tilt over the gantry is some 0.2 mm, at the start it was 0.7
    heights_mm = [t.position_mm for t in before.values()]
    assert max(heights_mm) - min(heights_mm) < 0.35
    standin_probe(printer)
    assert level_truth(printer) == before


def test_check_of_a_probe_refuses_as_shipped_without_the_section(start):
    sample = SamplePrinter(probe="standin_beacon")
    printer = start(sample)
    for is_there in (False, True):
        present = sample if is_there else sample.without_section()
        printer.write("printer.cfg", present.printer_cfg())
        printer.restart(ready=is_there)
    printer.gcode("G28")
    printer.write("printer.cfg", sample.without_section().printer_cfg())
    printer.restart(ready=False)
    assert printer.state() == "error"
    assert SHARED_AXIS_ERROR in printer.state_message()


def test_check_of_a_probe_refuses_an_axis_that_is_left_out(start):
    sample = replace(SamplePrinter(probe="standin_own_dispatch"), x_mcus=("mcu", "x1"))
    printer = start(sample.with_resync(axes="x"), ready=False)
    assert printer.state() == "error"
    assert SHARED_AXIS_ERROR in printer.state_message()


# Analysis of a tap


def tapped_moves(printer):
    """Duration, acceleration and z at the start of each move of the toolhead's."""
    text = "\n".join(printer.gcode(HOMED_AT + "G1 Z3\nM400\nSTANDIN_TAP"))
    return json.loads(re.search(r"standin moves=(.*)", text).group(1))


def test_history_of_a_tap_has_the_same_moves_with_and_without_correction(start):
    tapped = []
    for options in ({"target": "trigger"}, {}, {"correct": False}):
        printer = start(SamplePrinter(probe="standin_beacon").with_resync(**options))
        printer.gcode("G28")
        moves = tapped_moves(printer)
        # Hosts until v0.12 keep several halts, but have nothing that analyses taps
        moves = [m for m, later in zip(moves, [*moves[1:], None]) if m[0] or not later or later[0]]
        # Accelerate, cruise, halt; accelerate, cruise, decelerate
        signs = [(duration > 0, (accel > 0) - (accel < 0)) for duration, accel, _ in moves]
        assert signs == [(True, 1), (True, 0), (False, 0), (True, 1), (True, 0), (True, -1)]
        halt_mm, pullback_mm = moves[2][2], moves[3][2]
        assert halt_mm == pullback_mm
        tapped.append(pullback_mm)
    # From the trigger only where that is wanted, not from where the toolhead came to stand
    from_trigger_mm, chosen_mm, uncorrected_mm = tapped
    assert from_trigger_mm > chosen_mm >= uncorrected_mm > from_trigger_mm - 20 * Z_STEP_MM


# BLTouch


@pytest.mark.parametrize(
    "options",
    [{}, {"stow_on_each_sample": "False", "probe_with_touch_mode": "True"}],
    ids=["pulse", "touch_mode"],
)
def test_bltouch_is_resynced(start, options):
    text = "".join("%s: %s\n" % option for option in options.items())
    printer = start(SamplePrinter(probe="bltouch"), replace=[("[bltouch]\n", "[bltouch]\n" + text)])
    printer.gcode("G28")
    before = level_truth(printer)
    heights_mm = []
    for _ in range(3):
        heights_mm.append(probed_height_mm(printer.gcode(HOMED_AT + "PROBE")))
        target_mm, overshoots = last_move(printer)
        assert max(overshoots) > 0
        assert heights_mm[-1] == pytest.approx(target_mm, abs=2e-6)
    assert level_truth(printer) == before
    assert heights_mm[0] == pytest.approx(TRIGGER_HEIGHT_MM, abs=6 * Z_STEP_MM)
    printer.gcode(HOMED_AT + "PROBE_ACCURACY SAMPLES=3")
    assert level_truth(printer) == before
    assert "BLTouch" not in "\n".join(re.findall("Failed.*|.*failed.*", printer.log()))


# Other extras that patch the same check


@pytest.mark.parametrize(
    "way, is_first",
    [("replace", True), ("wrap", True), ("swallow", True), ("swap", False), ("copy", False)],
)
def test_other_extra_that_patches_the_same_check_is_no_obstacle(start, way, is_first):
    printer = start(
        SamplePrinter(),
        sections="[rival_patch]\nway: %s\n" % (way,),
        replace=before_ours("rival_patch") if is_first else [],
    )
    printer.restart()
    printer.gcode("G28")
    before = level_truth(printer)
    printer.gcode(HOMED_AT + "PROBE")
    assert level_truth(printer) == before
