# Options, the command and the status of [multi_mcu_resync]
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from end_to_end.driving import STATISTICS_S, logged_moves

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError, Session

pytestmark = pytest.mark.area("start-up")

BAD_OPTIONS = [
    ({"speed": 0}, "speed"),
    ({"speed": -1}, "speed"),
    ({"accel": 0}, "accel"),
    ({"target": "middle"}, "target"),
    ({"correct": "perhaps"}, "correct"),
    ({"max_correction": 0}, "max_correction"),
    ({"axes": "q"}, "axes"),
    ({"axes": "z, y"}, "axes"),
    ({"axes": "z1"}, "axes"),
    ({"axes": ""}, "axes"),
    ({"accel": "inf"}, "accel"),
    ({"speed": "nan"}, "speed"),
    ({"max_correction": "nan"}, "max_correction"),
    ({"include_single_mcu": 2}, "include_single_mcu"),
    ({"spede": 5}, "spede"),
]


@pytest.mark.parametrize("options, option", BAD_OPTIONS, ids=lambda value: str(value))
def test_bad_option_is_a_config_error_that_names_it(start, options, option):
    printer = start(SamplePrinter().with_resync(**options), ready=False)
    assert printer.state() == "error"
    first_line = printer.state_message().splitlines()[0]
    assert option in first_line
    assert "multi_mcu_resync" in first_line


def test_section_without_a_shared_axis_says_so_and_does_nothing(start):
    printer = start(SamplePrinter().on_one_mcu())
    assert "multi_mcu_resync: no axis has steppers on several MCUs" in printer.log()
    printer.gcode("G28")
    assert printer.status("multi_mcu_resync", "homing_moves")["homing_moves"] == 0
    assert "No axis has steppers on several MCUs" in "\n".join(printer.gcode("QUERY_RESYNC"))


@pytest.mark.area("commands")
def test_query_resync_tells_the_last_homing_move(start):
    printer = start(SamplePrinter())
    assert "No homing move yet" in "\n".join(printer.gcode("QUERY_RESYNC"))
    printer.gcode("G28\nG1 Z10 F600\nPROBE")
    lines = "\n".join(printer.gcode("QUERY_RESYNC"))
    assert "stepper_z: probe triggered, corrected" in lines
    status = printer.status("multi_mcu_resync")
    for name in SamplePrinter().z_names:
        expected = "%s: overshoot %d step" % (name, status["overshoot_steps"][name])
        assert expected in lines


def test_with_the_correction_off_that_is_why_nothing_is_known(start):
    printer = start(SamplePrinter().with_resync(correct=False))
    printer.gcode("G28")
    status = printer.status("multi_mcu_resync", "in_sync", "out_of_sync_reason")
    assert status["in_sync"] == {"z": None}
    assert status["out_of_sync_reason"] == {"z": "the correction is off"}
    assert "axis z: not known, the correction is off" in "\n".join(printer.gcode("QUERY_RESYNC"))


@pytest.mark.area("commands")
def test_each_homing_move_writes_one_log_line(start):
    printer = start(SamplePrinter())
    printer.gcode("G28\nG1 Z10 F600\nPROBE")
    moves = logged_moves(printer)
    assert len(moves) == printer.status("multi_mcu_resync", "homing_moves")["homing_moves"] == 3
    for move in moves:
        assert move.error == ""
        assert list(move.rails[0].steppers) == SamplePrinter().z_names
        assert {s.mcu for s in move.rails[0].steppers.values()} == {"z0", "z1", "z2", "z3"}
        assert move.rails[0].triggered and move.rails[0].corrected


@pytest.mark.area("commands")
@pytest.mark.parametrize("end", [Session.emergency_stop, Session.restart])
def test_no_line_of_a_homing_move_is_lost_when_the_printer_ends(start, end):
    printer = start(SamplePrinter())
    printer.gcode("G28\nM400")
    printer.sleep(STATISTICS_S)
    before = printer.log().count("endstop=probe")
    printer.gcode("G1 Z10 F600\nPROBE\nM400")
    end(printer)
    assert printer.log().count("endstop=probe") == before + 1


@pytest.mark.area("commands")
def test_line_of_a_move_that_failed_stands_before_what_comes_of_it(start):
    printer = start(SamplePrinter().with_resync(max_correction=0.001))
    with pytest.raises(GCodeError, match="max_correction"):
        printer.gcode("G28")
    assert "error=stepper 'stepper_z" in printer.log()


@pytest.mark.area("corrections")
def test_speed_and_accel_limit_the_correction(start):
    durations_s = []
    for options in ({}, {"speed": 0.02}, {"accel": 0.1}):
        printer = start(SamplePrinter().with_resync(**options))
        printer.gcode("G28\nG1 Z10 F600\nM400")
        started_s = printer.now_s()
        printer.gcode("PROBE\nG1 Z10 F600\nM400")
        durations_s.append(printer.now_s() - started_s)
    assert min(durations_s[1:]) > durations_s[0] + 0.2


@pytest.mark.area("corrections")
def test_rails_that_are_corrected_together_take_the_time_of_the_longest_way(start):
    speed_mm_s = 0.05
    awd = SamplePrinter(x_mcus=("a", "b"), y_mcus=("c", "d"))
    took_s = []
    for sample in (awd, awd.with_resync(speed=speed_mm_s)):
        printer = start(sample)
        # One rail has far longer to go back than the other
        printer.control("link d delay_us=8000 direction=to_mcu")
        started_s = printer.now_s()
        printer.gcode("G28 X\nM400")
        took_s.append(printer.now_s() - started_s)
    moves = logged_moves(printer)
    steps = [[s.correction_steps for r in m.rails for s in r.steppers.values()] for m in moves]
    longest_mm = sum(max(map(abs, of_move)) for of_move in steps) / 80.0
    assert all(len(move.rails) == 2 for move in moves)
    assert took_s[1] - took_s[0] > longest_mm / speed_mm_s


# Where [printer] bounds Z of the sample printer, and the finest of its usual steps
Z_SPEED, Z_ACCEL = 30, 350
FINE = ("microsteps: 16", "microsteps: 128")


@pytest.mark.area("corrections")
@pytest.mark.parametrize("speed, accel", [(1000, 1000000), (30.001, 350.001), (1e9, 0.5)])
def test_correction_faster_than_its_axis_is_bounded_and_said_so(start, speed, accel):
    printer = start(SamplePrinter().with_resync(speed=speed, accel=accel), replace=[FINE])
    text = "multi_mcu_resync: axis z: option '%s' is above what [printer] allows this axis"
    assert (text % ("speed",) in printer.log()) == (speed > Z_SPEED)
    assert (text % ("accel",) in printer.log()) == (accel > Z_ACCEL)
    printer.gcode("G28\nG1 Z10 F600")
    for _ in range(5):
        printer.gcode("PROBE\nG1 Z10 F600\nM400")
    assert printer.state() == "ready"
    assert all(move.rails[0].corrected for move in logged_moves(printer))


@pytest.mark.area("corrections")
@pytest.mark.parametrize("options", [{}, {"speed": Z_SPEED, "accel": Z_ACCEL}])
def test_correction_as_fast_as_its_axis_is_nothing_to_mention(start, options):
    printer = start(SamplePrinter().with_resync(**options), replace=[FINE])
    assert "is above what" not in printer.log()
    printer.gcode("G28\nG1 Z10 F600\nPROBE\nG1 Z10 F600\nM400")
    assert all(move.rails[0].corrected for move in logged_moves(printer))


def test_section_given_twice_is_one_and_its_last_options_hold(start):
    sample = SamplePrinter().with_resync(target="least_travel", correct=False)
    printer = start(sample, sections="[multi_mcu_resync]\ncorrect: True\n")
    settings = printer.status("configfile", "settings")["settings"]["multi_mcu_resync"]
    assert (settings["target"], settings["correct"]) == ("least_travel", True)
    printer.gcode("G28")
    assert printer.status("multi_mcu_resync", "corrected")["corrected"]


@pytest.mark.parametrize("section", ["multi_mcu_resync stepper_z", "stepper_q"])
def test_section_for_a_stepper_that_there_cannot_be_is_a_config_error(start, section):
    printer = start(SamplePrinter(), sections="[%s]\n" % (section,), ready=False)
    assert printer.state() == "error"
    first_line = printer.state_message().splitlines()[0]
    assert first_line == "Section '%s' is not a valid config section" % (section,)
