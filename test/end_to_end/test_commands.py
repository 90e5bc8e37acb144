# The commands on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
import statistics
from pathlib import Path

import pytest
from end_to_end.driving import level_truth, logged_moves, probe_at_random

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError
from virtual_printer.unusual_samples import SwitchPrinter

ROOT = Path(__file__).resolve().parents[2]
NUMBER = r"(-?\d+\.\d+)"
STEPPER_LINE = re.compile(
    r"// (\w+) on (\w+) \((\d+) moves?\): overshoot maximum N, average N, standard deviation N mm;"
    r" latency maximum N, average N, standard deviation N ms(?:; drift N mm)?".replace("N", NUMBER)
)


def shown_statistics(lines):
    """The figures that a command showed of each stepper: MCU, count and the rest."""
    found = {}
    for line in lines:
        match = STEPPER_LINE.fullmatch(line)
        if match:
            name, mcu, count, *figures = match.groups()
            found[name] = (mcu, int(count), [float(f) for f in figures if f is not None])
    return found


def computed(moves, name):
    """The same figures, without the drift, from logged moves."""
    parts = [move.rails[0] for move in moves]
    overshoots_mm = [part.steppers[name].overshoot_mm for part in parts]
    latencies_ms = [1e3 * part.steppers[name].overshoot_mm / part.speed_mm_s for part in parts]
    return [
        figure
        for values in (overshoots_mm, latencies_ms)
        for figure in (max(values), statistics.fmean(values), statistics.pstdev(values))
    ]


def started(start, **options):
    printer = start(SamplePrinter().with_resync(**options))
    printer.gcode("G28\nG1 Z10 F600")
    return printer


def limits(printer):
    status = printer.status("multi_mcu_resync")
    return [status[f] for f in ("ferror_mm", "min_ferror_mm", "max_correction_mm", "on_ferror")]


def test_help_lists_every_documented_command(start):
    printer = start(SamplePrinter())
    shown = "\n".join(printer.gcode("HELP"))
    reference = (ROOT / "docs" / "G-Codes.md").read_text(encoding="utf-8")
    commands = re.findall(r"^#### (\w+)", reference, re.MULTILINE)
    assert len(commands) == 6
    for command in commands:
        assert re.search(r"^(?:// )?%s *: \w" % (command,), shown, re.MULTILINE), command


def test_query_tells_each_axis_and_why_it_is_not_in_sync(start):
    printer = start(SamplePrinter(x_mcus=("mcu", "x1")))
    shown = printer.gcode("QUERY_RESYNC")
    assert shown == [
        "// axis x: not known, not homed yet",
        "// axis z: not known, not homed yet",
        "// No homing move yet",
    ]
    printer.gcode("G28\nFORCE_MOVE STEPPER=stepper_z1 DISTANCE=0.5 VELOCITY=5")
    shown = printer.gcode("QUERY_RESYNC")
    assert shown[:3] == [
        "// axis x: in sync",
        "// axis z: not in sync, FORCE_MOVE has moved 'stepper_z1' alone",
        "// Last of %d homing moves:" % (len(logged_moves(printer)),),
    ]
    assert re.fullmatch(
        r"// stepper_z: (z|probe) triggered, corrected, speed \d+\.\d mm/s", shown[3]
    )
    assert len(shown) == 8


def test_statistics_are_those_of_the_log_lines_and_start_anew_after_a_reset(start):
    printer = started(start)
    probe_at_random(printer, 3)
    moves = logged_moves(printer)
    shown = shown_statistics(printer.gcode("RESYNC_STATS"))
    assert list(shown) == SamplePrinter().z_names
    for name, (mcu, count, figures) in shown.items():
        assert (mcu, count) == (moves[0].rails[0].steppers[name].mcu, len(moves))
        assert figures == pytest.approx(computed(moves, name), abs=1e-3)
        assert figures[:3] == pytest.approx(computed(moves, name)[:3], abs=1e-6)
    lines = printer.gcode("RESYNC_STATS RESET=1")
    assert shown_statistics(lines) == shown
    assert lines[-1] == "// The statistics have been reset"
    assert printer.gcode("RESYNC_STATS") == ["// No statistics yet"]
    with pytest.raises(GCodeError, match="RESET"):
        printer.gcode("RESYNC_STATS RESET=2")
    status = printer.status("multi_mcu_resync")
    assert set(status["overshoot_count"].values()) == {0}
    assert set(status["latency_max_ms"].values()) == {0.0}
    printer.gcode("G1 Z10 F600\nPROBE")
    assert printer.status("multi_mcu_resync")["homing_moves"] == len(moves) + 1
    shown = shown_statistics(printer.gcode("RESYNC_STATS"))
    assert {count for _, count, _ in shown.values()} == {1}


def test_accuracy_is_probe_accuracy_and_the_figures_of_its_own_moves(start):
    printer = started(start)
    before = len(logged_moves(printer))
    lines = printer.gcode(
        "RESYNC_ACCURACY SAMPLES=5 PROBE_SPEED=4 LIFT_SPEED=12 SAMPLE_RETRACT_DIST=1.5"
    )
    text = "\n".join(lines)
    assert "(samples=5 retract=1.500 speed=4.0 lift_speed=12.0)" in text
    assert len(re.findall("probe accuracy results: ", text)) == 1
    moves = logged_moves(printer)[before:]
    # Kalico probes once more, and leaves that out
    assert len(moves) in (5, 6)
    assert {round(move.rails[0].speed_mm_s) for move in moves} == {4}
    shown = shown_statistics(lines[lines.index("// resync accuracy results:") :])
    assert list(shown) == SamplePrinter().z_names
    for name, (_, count, figures) in shown.items():
        assert count == len(moves)
        assert figures[:3] == pytest.approx(computed(moves, name)[:3], abs=1e-6)
        assert figures[3:6] == pytest.approx(computed(moves, name)[3:], abs=1e-3)
        assert figures[6] == 0.0


def test_drift_that_accuracy_tells_is_the_true_one(start):
    printer = started(start, correct=False)
    before = level_truth(printer)
    shown = shown_statistics(printer.gcode("RESYNC_ACCURACY SAMPLES=10"))
    after = level_truth(printer)
    gained_mm = {name: after[name].position_mm - before[name].position_mm for name in before}
    drifts_mm = {name: figures[6] for name, (_, _, figures) in shown.items()}
    assert max(map(abs, drifts_mm.values())) > 0.005
    for name, drift_mm in drifts_mm.items():
        assert drift_mm == pytest.approx(gained_mm[name] - gained_mm["stepper_z"], abs=2e-6)


def test_accuracy_ends_with_the_error_of_the_probe(start):
    printer = start(SamplePrinter())
    with pytest.raises(GCodeError, match="[Mm]ust home"):
        printer.gcode("RESYNC_ACCURACY")
    printer.gcode("G28\nG1 Z10 F600\nPROBE")
    assert printer.gcode("RESYNC_STATS")


SWITCH_PRINTER = SwitchPrinter("cartesian", {"x": ("mcu", "x1"), "y": ("mcu", "y1")}, resync={})


def test_printer_without_a_probe_says_so_and_has_the_other_commands(start):
    printer = start(SWITCH_PRINTER)
    with pytest.raises(GCodeError, match="this printer has no PROBE_ACCURACY"):
        printer.gcode("RESYNC_ACCURACY")
    printer.gcode("G28 X Y\nSET_RESYNC_LIMITS AXIS=x MIN_FERROR=0.3")
    ferror, min_ferror, *_ = limits(printer)
    assert min_ferror["x"] == 0.3 != min_ferror["y"]
    assert ferror["x"] == ferror["y"]
    assert [line[:10] for line in printer.gcode("SET_RESYNC_LIMITS AXIS=Y")] == [
        "// axis y:",
        "// max_cor",
        "// on_ferr",
    ]
    shown = shown_statistics(printer.gcode("RESYNC_STATS"))
    assert list(shown) == ["stepper_x", "stepper_x1", "stepper_y", "stepper_y1"]


def test_limits_are_told_without_parameters(start):
    printer = start(SamplePrinter().with_resync(ferror=0.06, min_ferror=0.02))
    assert printer.gcode("SET_RESYNC_LIMITS") == [
        "// axis z: ferror 0.060000 mm at 30.0 mm/s, min_ferror 0.020000 mm",
        "// max_correction 1.000000 mm",
        "// on_ferror error",
    ]


def test_changed_limits_take_effect_at_the_next_move(start):
    printer = started(start)
    printer.gcode("PROBE\nG1 Z10 F600")
    assert limits(printer) == [{"z": 0.75}, {"z": 0.005}, 1.0, "error"]
    # At 10 of 30 mm/s the steppers go on for more than that
    printer.gcode("SET_RESYNC_LIMITS AXIS=Z FERROR=0.005 MIN_FERROR=0.005")
    assert limits(printer) == [{"z": 0.005}, {"z": 0.005}, 1.0, "error"]
    with pytest.raises(GCodeError, match="has a following error of .* more than 0.005000 mm"):
        printer.gcode("PROBE")
    printer.gcode("RESYNC\nSET_RESYNC_LIMITS ON_FERROR=warn\nG1 Z10 F600\nPROBE")
    assert printer.status("multi_mcu_resync")["in_sync"] == {"z": True}
    printer.gcode("SET_RESYNC_LIMITS FERROR=0.75 MAX_CORRECTION=0.004\nG1 Z10 F600")
    assert limits(printer) == [{"z": 0.75}, {"z": 0.005}, 0.004, "warn"]
    with pytest.raises(GCodeError, match="more than max_correction 0.004"):
        printer.gcode("PROBE")


BAD_LIMITS = {
    "MIN_FERROR=0.004": "axis z: 'min_ferror' must be at least 0.005000, two steps",
    "FERROR=0.004": "axis z: 'ferror' must be at least 0.005000",
    "FERROR=0.1 MIN_FERROR=0.2": "'ferror' must be at least 0.200000",
    # Kalico itself refuses to parse these
    "FERROR=nan": "FERROR must be a finite number|unable to parse nan",
    "MIN_FERROR=inf": "MIN_FERROR must be a finite number|unable to parse inf",
    "MAX_CORRECTION=nan": "MAX_CORRECTION must be a finite number|unable to parse nan",
    "MAX_CORRECTION=0": "MAX_CORRECTION must have minimum of 0.001",
    "FERROR=-1": "FERROR must have minimum of 0",
    "FERROR=much": "unable to parse",
    "ON_FERROR=panic": "ON_FERROR must be one of error, shutdown, warn",
    "AXIS=q FERROR=1": r"axis 'q' is not resynced \(those that are: z\)",
}


def test_bad_limit_is_refused_and_changes_nothing(start):
    printer = start(SamplePrinter())
    before = limits(printer)
    for parameters, message in BAD_LIMITS.items():
        with pytest.raises(GCodeError, match=message):
            printer.gcode("SET_RESYNC_LIMITS MAX_CORRECTION=2 ON_FERROR=warn %s" % (parameters,))
        assert limits(printer) == before, parameters
    assert printer.state() == "ready"
