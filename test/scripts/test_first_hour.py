# The first hour without a printer: answers, verdicts, what outlives a power loss, what is sent in
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import random
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.printer_logs import BAD, good
from printer_config.config import Config
from printer_config.motion import step_distance_mm
from scripts.developer.first_hour import printers
from scripts.owner.first_hour import bundle, command, trial
from scripts.owner.first_hour.console import Console
from scripts.owner.first_hour.context import Context
from scripts.owner.first_hour.errors import CommandFailed, Paused, TrialError
from scripts.owner.first_hour.links import Watch
from scripts.owner.first_hour.machine import Machine, Motor, Switch
from scripts.owner.first_hour.page import page
from scripts.owner.first_hour.progress import Progress, fingerprint
from scripts.owner.first_hour.rows import LOOK, PASSED, STOP, Row
from scripts.owner.first_hour.scrub import scrub, scrub_log
from scripts.owner.first_hour.steps import (
    configuration,
    distance,
    mid_air,
    motors,
    probing,
    trigger,
)
from scripts.owner.report.verdict import findings
from virtual_printer.samples import SamplePrinter

ROOT = Path(__file__).resolve().parents[2]


def rows_of_document(heading):
    """The cells of the table under a title of First_Hour.md."""
    text = (ROOT / "docs" / "First_Hour.md").read_text(encoding="utf-8")
    part = text.split("| %s |" % (heading,))[1].split("\n\n")[0]
    rows = [line.split(" | ") for line in part.splitlines()[2:]]
    return [[cell.strip("| `") for cell in row] for row in rows]


def test_document_has_the_steps_in_their_order():
    assert [row[0] for row in rows_of_document("step")] == [s.names[0] for s in trial.STEPS]


def is_gear_wrong(printer):
    """Whether a step is of another length than printer.cfg says."""
    found = []
    for text in (printer.true_cfg, printer.printer_cfg):
        config = Config("printer.cfg")
        config.add(text.splitlines(), "printer.cfg")
        found.append([step_distance_mm(config.section(n)) for n in printer.sample.z_names])
    return found[0] != found[1]


@pytest.mark.parametrize("seed", range(20))
def test_unlike_gears_are_unlike(seed):
    assert is_gear_wrong(printers.draw(seed, "unlike_gears"))
    assert not is_gear_wrong(printers.draw(seed))


def test_document_has_the_bad_kinds_and_where_each_is_stopped():
    documented = {row[0]: row[2:] for row in rows_of_document("kind")}
    assert list(documented) == printers.kinds()
    for seed, (kind, (step, reasons)) in enumerate(documented.items()):
        expected = printers.draw(seed, kind).expected
        assert expected.step in step
        assert set(expected.reasons) <= set(reasons.replace("`", "").split(" or "))


# What the owner answers


def console(*answers):
    """A console whose owner gives these answers, then hangs up."""
    remaining = list(answers)

    def read(question):
        if not remaining:
            raise EOFError
        return remaining.pop(0)

    return Console(read, lambda line: None)


YES_NO = {"y": "yes", "n": "no"}


@pytest.mark.parametrize("answer", ["y", " Y ", "Y"])
def test_answer_is_taken_whatever_its_case(answer):
    assert console(answer).choose("key", "Well?", YES_NO) == "y"


def test_nonsense_is_asked_again():
    owner = console("maybe", "", "42", "n")
    assert owner.choose("key", "Well?", YES_NO) == "n"
    assert owner.transcript.count("That is no answer to this: Well? [y = yes, n = no]") == 3


def test_owner_who_answers_nothing_but_nonsense_ends_the_trial():
    with pytest.raises(Paused, match="5 answers fitted no question"):
        console(*["?"] * 9).go("key", "Ready?")


@pytest.mark.parametrize("answer", ["stop", "QUIT", "q", "exit"])
def test_owner_can_stop_at_any_question(answer):
    for ask in (
        lambda owner: owner.go("key", "Ready?"),
        lambda owner: owner.is_so("key", "Is it?"),
        lambda owner: owner.numbers("key", "How far?", ["a"]),
    ):
        with pytest.raises(Paused, match="stopped by the owner"):
            ask(console(answer))


def test_terminal_that_is_gone_stops_the_trial():
    with pytest.raises(Paused):
        console().go("key", "Ready?")


@pytest.mark.parametrize("answer", ["10 9.5", "10; 9,5", " 10\t9.5 ", "1e1 9.5"])
def test_numbers_are_read_as_people_write_them(answer):
    assert console(answer).numbers("key", "How far?", ["a", "b"]) == [10.0, 9.5]


@given(st.text(max_size=20))
def test_no_text_is_an_error_where_numbers_are_wanted(text):
    try:
        found = console(text, "1 2").numbers("key", "How far?", ["a", "b"])
    except Paused:
        return
    assert len(found) == 2
    assert all(abs(number) < 1e4 for number in found)


# Verdicts

SAMPLE = SamplePrinter()


def config_of(sample):
    found = Config("printer.cfg")
    found.add(sample.printer_cfg().splitlines(), "printer.cfg")
    return found


def machine_of(sample):
    status = {"axes": ["z"], "mcu": dict(zip(sample.z_names, sample.z_mcus))}
    return Machine(config_of(sample), status)


def test_machine_has_shared_motors_first_and_says_where_they_are():
    found = machine_of(SAMPLE).motors
    assert [motor.name for motor in found] == [*SAMPLE.z_names, "stepper_x", "stepper_y"]
    assert [motor.is_shared for motor in found] == [True] * 4 + [False] * 2
    assert found[1] == Motor(
        "stepper_z1",
        "z1",
        "rear left",
        True,
        "nozzle and bed apart",
        "nozzle and bed together",
    )
    # Either motor of a CoreXY pulls the head to the right
    assert {motor.direction for motor in found[4:]} == {"towards higher x"}


def test_nozzle_probes_where_the_levelling_command_does():
    assert machine_of(SAMPLE).probing_area() == ((50.0, 25.0), (250.0, 225.0))


@pytest.mark.parametrize("section", ["z_tilt", "z_tilt_ng"])
def test_motors_stand_where_the_levelling_command_has_them(section):
    text = SAMPLE.printer_cfg().replace(
        "[quad_gantry_level]",
        "[%s]\nz_positions:\n    %s"
        % (section, "\n    ".join(("-56,-17", "-56,322", "311,322", "311,-17"))),
    )
    found = Config("printer.cfg")
    found.add(text.splitlines(), "printer.cfg")
    motors = Machine(found, {"axes": ["z"], "mcu": {}}).motors
    places = {motor.name: motor.place for motor in motors if motor.name.startswith("stepper_z")}
    assert places["stepper_z1"] == "at x -56, y 322"
    assert len(set(places.values())) == 4


def test_what_can_be_triggered_by_hand():
    found, left_out = machine_of(SAMPLE).switches()
    assert [(one.name, one.pin) for one in found] == [
        ("endstop of x", "mcu:PC15"),
        ("endstop of y", "mcu:PD15"),
        ("probe", "toolhead:PB6"),
    ]
    assert left_out == []
    text = SAMPLE.printer_cfg().replace("endstop_pin: mcu:PC15", "endstop_pin: tmc:virtual_endstop")
    found = Config("printer.cfg")
    found.add(text.replace("pin: toolhead:PB6\n", "").splitlines(), "printer.cfg")
    switches, left_out = Machine(found, {"axes": ["z"], "mcu": {}}).switches()
    assert [one.name for one in switches] == ["endstop of y"]
    assert left_out == ["axis x: its driver feels the stop", "[probe]: it has no pin"]


def test_axis_of_generic_cartesian_homes_as_its_carriage_says():
    found = Config("printer.cfg")
    text = """
[printer]
kinematics: generic_cartesian
max_velocity: 300
max_accel: 3000
[carriage x]
endstop_pin: PA0
[carriage y]
endstop_pin: PA1
[carriage z]
endstop_pin: PA2
homing_speed: 7
homing_retract_dist: 0
"""
    for name, carriages, pin in (
        ("x", "x", "PB0"),
        ("y", "y", "PB1"),
        ("z", "z", "PB2"),
        ("z1", "z", "z1:PB2"),
    ):
        text += (
            "[stepper %s]\ncarriages: %s\nstep_pin: %s\nmicrosteps: 16\nrotation_distance: 8\n"
            % (name, carriages, pin)
        )
    found.add(text.splitlines(), "printer.cfg")
    machine = Machine(found, {"axes": ["z", "u"], "mcu": {"stepper z": "mcu", "stepper z1": "z1"}})
    assert (machine.axes, machine.other_axes) == (["z"], ["u"])
    assert (machine.homing_speed_mm_s("z"), machine.is_second_touch("z")) == (7.0, False)
    assert machine.names_of("z") == ["stepper z", "stepper z1"]
    assert [one.pin for one in machine.switches()[0]] == ["PA0", "PA1", "PA2"]


@pytest.mark.parametrize(
    "status, reason",
    [
        ({"multi_mcu_resync": {}}, "not_loaded"),
        ({}, "not_loaded"),
        ({"print_stats": {"state": "printing"}}, "printing"),
    ],
)
def test_printer_that_is_not_to_be_tried_is_stopped_at_once(status, reason):
    context = SimpleNamespace(printer=SimpleNamespace(status=lambda *names: status))
    rows = list(configuration.run(context))
    assert (rows[0].verdict, rows[0].reason) == (STOP, reason)


def buzzed(*answers):
    """The rows of the step in which each motor turns, of a printer with two of them."""
    sample = SamplePrinter(z_mcus=("z0", "z1"), x_mcus=("z0",), y_mcus=("z0",))
    machine = machine_of(sample)
    machine.motors = [motor for motor in machine.motors if motor.is_shared]
    said = []
    printer = SimpleNamespace(run=lambda *commands: said.extend(commands))
    context = SimpleNamespace(
        machine=machine,
        printer=printer,
        console=console("", *answers),
        ensure_correct=lambda correct: None,
    )
    rows = list(motors.run(context))
    buzzes = [line for line in said if line.startswith("STEPPER_BUZZ")]
    assert buzzes[0] == "STEPPER_BUZZ STEPPER=stepper_z"
    return rows


GO = ""


@pytest.mark.parametrize(
    "answers, verdict, reason",
    [
        ((GO, "1", "a", GO, "2", "a"), PASSED, ""),
        ((GO, "r", GO, "1", "a", GO, "2", "a"), PASSED, ""),
        ((GO, "1", "a", GO, "2", "b"), STOP, "reversed"),
        ((GO, "0", GO, "2", "a"), STOP, "no_motor"),
        ((GO, "m", GO, "2", "a"), STOP, "several_motors"),
        ((GO, "2", "a", GO, "1", "a", "1"), STOP, "swapped"),
        ((GO, "2", "b", GO, "1", "a", "1"), STOP, "swapped"),
        ((GO, "2", "a", GO, "1", "a", "2"), STOP, "boards_exchanged"),
        ((GO, "2", "a", GO, "2", "a", "2"), STOP, "boards_exchanged"),
    ],
)
def test_motors_are_judged_by_what_the_owner_saw(answers, verdict, reason):
    (row,) = buzzed(*answers)
    assert (row.verdict, row.reason) == (verdict, reason)


@pytest.mark.parametrize(
    "before, held, after, reason",
    [
        (False, True, False, ""),
        (True, True, True, "stuck_pin"),
        (True, True, False, "stuck_pin"),
        (False, True, True, "stuck_pin"),
        (True, False, True, "inverted_pin"),
        (True, False, False, "inverted_pin"),
        (False, False, False, "wrong_pin"),
        (False, False, True, "wrong_pin"),
    ],
)
def test_pins_are_judged_by_what_they_read(before, held, after, reason):
    readings = [before, held, after]
    printer = SimpleNamespace(run=lambda *commands: [], probe_is_triggered=lambda: readings.pop(0))
    switch = Switch("", "probe", "toolhead:PB6", "probe")
    context = SimpleNamespace(
        printer=printer,
        console=console(GO, GO, GO),
        machine=SimpleNamespace(switches=lambda: ([switch], [])),
    )
    (row,) = trigger.run(context)
    assert (row.verdict, row.reason) == (STOP if reason else PASSED, reason)


@pytest.mark.parametrize(
    "ways, verdict",
    [("10 10", PASSED), ("11 9", PASSED), ("10 8", STOP), ("12.5 10", STOP), ("-10 10", PASSED)],
)
def test_a_motor_that_goes_too_far_is_found_with_a_ruler(ways, verdict):
    toolhead = {"homed_axes": "xyz", "position": [0, 0, 1], "axis_maximum": [300, 300, 250]}
    printer = SimpleNamespace(run=lambda *commands: [], status=lambda name: {"toolhead": toolhead})
    context = SimpleNamespace(
        printer=printer,
        console=console(GO, ways),
        machine=machine_of(SamplePrinter(z_mcus=("z0", "z1"))),
        homed=lambda: "xyz",
        measured=[],
    )
    (row,) = distance.run(context, "z")
    assert row.verdict == verdict


class Sleeper:
    """A printer whose motors go off while its owner thinks about a question."""

    def __init__(self, question):
        self.said = []
        self.homed = "xyz"
        self._question = question
        self._is_over = False

    def read(self, question):
        if question.key == self._question and not self._is_over:
            self.homed, self._is_over = "", True
        return {"together": "n", "distance": "10 10"}.get(question.key, "")

    def run(self, *commands):
        self.said += commands
        for line in commands:
            if line.startswith("G28"):
                self.homed += line[3:].replace(" ", "").lower() or "xyz"
            elif line.startswith("RESYNC_ACCURACY"):
                assert set(self.homed) == set("xyz"), "it would be refused"
        return []

    def status(self, *names):
        return {"toolhead": {"homed_axes": self.homed, "position": [0, 0, 5]}}

    def resync(self):
        moves = self.said.count("G28 Z")
        return {
            "correct": True,
            "homing_moves": moves,
            "triggered": True,
            "latency_ms": {"stepper_z": 1.0, "stepper_z1": 1.0},
        }

    def config(self):
        return config_of(SamplePrinter(z_mcus=("z0", "z1")))


def asleep(question):
    """A sleeper, and what a step is given."""
    printer = Sleeper(question)
    context = Context(printer, Console(printer.read, lambda line: None), 1)
    context._machine = machine_of(SamplePrinter(z_mcus=("z0", "z1")))
    return printer, context


def test_printer_is_homed_again_when_its_motors_went_off_before_it_probes():
    printer, context = asleep("probe")
    list(probing.accuracy(context))
    assert printer.said[:2] == ["G28", "RESYNC_ACCURACY SAMPLES=20"]


def test_first_homing_begins_anew_when_motors_went_off_before_it():
    printer, context = asleep("mid_air")
    rows = list(mid_air.run(context, "z"))
    assert printer.said == ["M84", "G28 X Y", "M400", "G28 X Y", "G28 Z", "M400"]
    assert [row.reason for row in rows] == ["", "no_stop"]


@pytest.mark.parametrize(
    "ways, reasons, measured",
    [("10 10.5", [""], ["z"]), ("10 12.5", ["gears"], ["z"]), ("0 0", [], [])],
)
def test_hop_of_z_shows_gears_before_anything_else_does(ways, reasons, measured):
    said = []
    context = SimpleNamespace(
        printer=SimpleNamespace(run=lambda *commands: said.extend(commands)),
        console=console(GO, ways),
        machine=machine_of(SamplePrinter(z_mcus=("z0", "z1"))),
        measured=[],
    )
    assert [row.reason for row in distance.hop(context)] == reasons
    assert (said, context.measured) == (["G28 X Y", "M400"], measured)


def test_motors_that_went_off_in_a_long_silence_have_the_step_begin_anew():
    toolhead = {"homed_axes": "", "position": [0, 0, 1], "axis_maximum": [300, 300, 250]}
    said = []
    context = SimpleNamespace(
        printer=SimpleNamespace(
            run=lambda *commands: said.extend(commands), status=lambda name: {"toolhead": toolhead}
        ),
        console=console(GO),
        machine=machine_of(SamplePrinter(z_mcus=("z0", "z1"))),
        homed=lambda: "",
        measured=[],
    )
    with pytest.raises(Paused, match="not homed any more"):
        list(distance.run(context, "z"))
    assert said == []


def link_rows(seconds, change):
    """The rows of a watch of a board that change(stats, second) has changed."""
    now = [0]

    def mcus():
        found = {}
        for name, rate_hz in (("mcu", 180000000), ("z1", 64000000)):
            stats = {
                "srtt": 0.001,
                "bytes_write": 1000 * now[0],
                "bytes_retransmit": 9,
                "bytes_invalid": 0,
                "freq": round(rate_hz * (1.0 + 20e-6)),
            }
            if name != "mcu":
                stats["adj"] = rate_hz
            if name == "z1":
                change(stats, now[0])
            found[name] = {"last_stats": stats, "mcu_constants": {"CLOCK_FREQ": rate_hz}}
        now[0] += 1
        return found

    watch = Watch(SimpleNamespace(mcus=mcus, pause=lambda seconds: None))
    watch.watch(seconds)
    return list(watch.rows("links"))


def rate(ppm, offset_us=0.0):
    """What Klippy says of a clock of 64 MHz that is so fast, and so far off the main MCU's."""
    freq = 64000000 * (1.0 + ppm * 1e-6)
    adj = freq / (1.0 + 20e-6) * (1.0 + offset_us / 4e6)
    return {"freq": round(freq), "adj": round(adj)}


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda stats, s: None, None),
        (lambda stats, s: stats.update(srtt=0.004), None),
        (lambda stats, s: stats.update(srtt=0.012), "slow_link"),
        # A block that was lost once
        (lambda stats, s: stats.update(bytes_retransmit=9 + 64 * (s > 7)), None),
        (lambda stats, s: stats.update(bytes_retransmit=9 + 20 * (s // 5)), "loose_cable"),
        (lambda stats, s: stats.update(bytes_invalid=s // 5), "loose_cable"),
        (lambda stats, s: stats.update(rate(90.0, 20.0)), None),
        (lambda stats, s: stats.update(rate(3000.0)), "drifting_clock"),
        (lambda stats, s: stats.update(rate(8.0 * s)), "drifting_clock"),
        (lambda stats, s: stats.update(rate(20.0, 400.0 * (-1) ** s)), "drifting_clock"),
        # Klippy is still learning
        (lambda stats, s: stats.update(rate(200.0 * (s < 24))), None),
        (lambda stats, s: stats.update(freq="?", srtt=None), "drifting_clock"),
    ],
)
def test_links_are_judged_by_what_klippy_counts(change, reason):
    rows = link_rows(45, change)
    assert [row.reason for row in rows] == [reason] * (reason is not None)
    assert all("z1" in row.what and row.verdict == STOP for row in rows)


# What outlives a power loss


def fake_steps(ran, crash_at="", stop_at=""):
    """Steps of which one may be cut off, and one may stop the printer."""

    def step(name):
        def run(context):
            ran.append(name)
            if name == crash_at:
                raise CommandFailed("the power is gone")
            yield Row(name, STOP if name == stop_at else PASSED, "what %s has seen" % (name,))

        return trial.Step((name,), "", run)

    return tuple(step(name) for name in ("configuration", "b", "c", "d"))


class StandIn:
    """As much of a printer as the order of steps takes."""

    def __init__(self, sample):
        self.sample = sample

    def require_ready(self):
        pass

    def config(self):
        return config_of(self.sample)

    def versions(self):
        return {"klipper": "v0.12.0-1-g0123abcd"}

    def log(self):
        return b"Start printer at now\nStats 1.0: gcodein=0\n"


def conduct(folder, monkeypatch, sample=SAMPLE, **what):
    ran = []
    monkeypatch.setattr(trial, "STEPS", fake_steps(ran, **what))
    error = None
    try:
        command.conduct(StandIn(sample), console(), folder, False)
    except TrialError as e:
        error = str(e)
    return ran, error


def test_trial_goes_on_after_a_power_loss_with_the_step_that_was_cut_off(tmp_path, monkeypatch):
    ran, error = conduct(tmp_path, monkeypatch, crash_at="c")
    assert ran == ["configuration", "b", "c"]
    assert error == "Klipper refused a command: the power is gone"
    ran, error = conduct(tmp_path, monkeypatch)
    # Looking moves nothing, and is done each time
    assert (ran, error) == (["configuration", "c", "d"], None)
    progress = Progress(tmp_path / command.STATE)
    progress.load()
    assert [row.step for row in progress.rows] == ["configuration", "b", "c", "d"]


def test_trial_that_stopped_repeats_its_last_step_and_forgets_the_verdict(tmp_path, monkeypatch):
    ran, _ = conduct(tmp_path, monkeypatch, stop_at="c")
    assert ran == ["configuration", "b", "c"]
    conduct(tmp_path, monkeypatch)
    progress = Progress(tmp_path / command.STATE)
    progress.load()
    assert STOP not in [row.verdict for row in progress.rows]


def test_trial_begins_anew_when_the_printer_was_changed(tmp_path, monkeypatch):
    conduct(tmp_path, monkeypatch, crash_at="d")
    ran, _ = conduct(tmp_path, monkeypatch, sample=SamplePrinter(z_dir_inverted=(True,)))
    assert ran == ["configuration", "b", "c", "d"]


def test_option_that_the_trial_asks_to_change_is_no_change_of_the_printer():
    plain = fingerprint(config_of(SAMPLE))
    assert fingerprint(config_of(SAMPLE.with_resync(correct=False))) == plain
    assert fingerprint(config_of(SAMPLE.with_resync(ferror=1.0))) != plain
    macro = SamplePrinter(more_options={"gcode_macro HELLO": {"gcode": "G28"}})
    assert fingerprint(config_of(macro)) == plain


def test_state_that_was_cut_off_anywhere_begins_anew_and_says_so(tmp_path):
    path = tmp_path / "state"
    progress = Progress(path)
    progress.done = ["configuration", "links"]
    progress.rows = [Row("links", LOOK, "slow", "fix it", "slow_link")]
    progress.save()
    whole = path.read_bytes()
    assert Progress(path).load() == "taken up again after 2 steps"
    for end in range(len(whole) - 1):
        path.write_bytes(whole[:end])
        cut = Progress(path)
        assert "the trial begins anew" in cut.load()
        assert (cut.rows, cut.done) == ([], [])


@given(
    st.recursive(
        st.one_of(st.none(), st.integers(), st.text(max_size=5)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(["format", "rows", "done", "figures", "machine"]), inner
            ),
        ),
    )
)
def test_no_state_is_an_error(tmp_path_factory, kept):
    path = tmp_path_factory.mktemp("state") / "state"
    path.write_text(json.dumps(kept))
    Progress(path).load()


# What is sent in

SECRETS = (
    "192.168.7.31",
    "fe80:0:0:0:1ff:fe23:4567:890a",
    "02:42:ac:11:00:02",
    "usb-Klipper_stm32f446xx_2F0041000F51303532373438-if00",
    "0e0d81e4210c",
    "123456789012",
    "/home/someone",
    "someone@example.org",
    "https://example.org/hook",
    "0123456789abcdef0123456789abcdef",
    "voronica",
    "tell_nobody",
    "secret_print.gcode",
)


def telling_log():
    """A log in which all secrets stand, each where it might."""
    lines = [
        "Args: ['/home/someone/klipper/klippy/klippy.py', '-a', '/tmp/klippy_uds']",
        "Start printer at Sat Nov 28 08:00:00 2026 (1.0 1.0)",
        "===== Config file =====",
        "[mcu]",
        "serial = /dev/serial/by-id/usb-Klipper_stm32f446xx_2F0041000F51303532373438-if00",
        "[mcu z1]",
        "canbus_uuid = 0e0d81e4210c",
        "[mcu z2]",
        "canbus_uuid = 123456789012",
        "[stepper_z]",
        "step_pin = z1:PB1",
        "[gcode_macro CALL_HOME]",
        "gcode = ",
        "\taction_call_remote_method url=https://example.org/hook tell_nobody",
        "[virtual_sdcard]",
        "path = /home/someone/printer_data/gcodes",
        "=======================",
        "Loaded MCU 'z1' 120 commands (v0.12.0-dirty-20260101_120000-voronica / gcc: 12)",
        "MCU 'z1' config: CLOCK_FREQ=64000000 MCU=rp2040",
        "mcu 'z2': Unable to find 123456789012",
        "mcu 'z1': Unable to open /dev/serial/by-id/usb-Klipper_stm32f446xx_"
        "2F0041000F51303532373438-if00 for someone@example.org",
        "Unable to reach fe80:0:0:0:1ff:fe23:4567:890a and 192.168.7.31, 02:42:ac:11:00:02",
        "Unable to use 0123456789abcdef0123456789abcdef on voronica",
        "Starting SD card print of secret_print.gcode",
        "Stats 1.0: gcodein=0  mcu: mcu_awake=0.001",
    ]
    return "\n".join(lines).encode()


def test_bundle_has_no_name_key_or_address():
    text, left_out = scrub_log(telling_log(), ["voronica"])
    for secret in SECRETS:
        assert secret not in text, secret
    assert left_out > 0
    for kept in ("step_pin = z1:PB1", "Stats 1.0: gcodein=0", "CLOCK_FREQ=64000000"):
        assert kept in text


def test_words_of_a_log_are_no_secrets():
    for text in (
        "multi_mcu_resync: axis z has stepper_z on z0, stepper_z1 on z1; ferror 0.75 at 30.0 mm/s",
        "v0.12.0-85-gd785b396 / gcc: (GCC) 12.2.0",
        "Stats 1234567.8: bytes_write=123456789012 freq=179998723 adj=179998724",
        "points = 50, 25",
        "2026-11-28 08:03:34",
    ):
        assert scrub(text, ["pi3", "ender"]) == text


KINDS = ("good", "lost blocks", "following error", "count is off", "internal error", "shutdown")


@pytest.mark.parametrize("kind", KINDS)
def test_report_finds_in_the_bundle_what_it_finds_in_the_log(kind, read):
    log = good(3) if kind == "good" else BAD[kind][0](3)
    whole = log.text()
    shown, _ = scrub_log(whole.encode(), [])
    assert [f.what for f in findings(read(shown))] == [f.what for f in findings(read(whole))]


@given(st.binary(max_size=300))
def test_no_log_is_an_error(log):
    scrub_log(log, ["someone"])


def test_bundle_is_whole_and_its_page_has_every_row(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "private_words", lambda: ["voronica"])
    printer = StandIn(SAMPLE)
    printer.log = telling_log
    progress = Progress(tmp_path / "state")
    progress.rows = [
        Row("links", PASSED, "all is well"),
        Row("motors", STOP, "<b>voronica</b> & co", "turn it", "reversed"),
    ]
    path = bundle.write(tmp_path, printer, progress, ["Which?", "> voronica"], False)
    with zipfile.ZipFile(str(path)) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(texts) == {"first_hour.html", "first_hour.json", "transcript.txt", "klippy.log"}
    for text in texts.values():
        assert not [secret for secret in SECRETS if secret in text]
    shown = (tmp_path / bundle.PAGE).read_text()
    assert shown == texts["first_hour.html"]
    assert "all is well" in shown
    assert "&lt;b&gt;&lt;hidden&gt;&lt;/b&gt; &amp; co" in shown
    assert "Stop: correct what is marked" in shown
    assert json.loads(texts["first_hour.json"])["rows"][1]["reason"] == "reversed"


def test_bundle_is_written_when_the_printer_is_down(tmp_path):
    def down(*arguments):
        raise TrialError("no Moonraker answers at http://printer.local:7125")

    printer = SimpleNamespace(versions=down, log=down)
    progress = Progress(tmp_path / "state")
    progress.rows = [Row("links", PASSED, "all is well")]
    path = bundle.write(tmp_path, printer, progress, [], False)
    with zipfile.ZipFile(str(path)) as archive:
        assert archive.read("klippy.log").decode().startswith("not read: ")


def test_page_begins_with_what_is_to_be_done_the_worst_first():
    rows = [
        Row("configuration", PASSED, "well"),
        Row("configuration", LOOK, "some boards on CAN", "connect them alike", "buses"),
        Row("motors", STOP, "motors are swapped", "exchange the plugs", "swapped"),
    ]
    text = page(rows, {"klipper": "?", "moonraker": "0.11.0"}, False)
    findings, _, table = text.partition("<table>")
    places = [
        findings.index(word) for word in ("Stop: motors", "exchange the plugs", "Look at this")
    ]
    assert places == sorted(places)
    assert "well" not in findings
    assert [table.count(row.what) for row in rows] == [1, 1, 1]
    assert "exchange the plugs" not in table
    assert "klipper not known, moonraker 0.11.0" in text


def test_page_needs_nothing_else():
    rows = [Row("s%d" % (i,), random.Random(i).choice((PASSED, LOOK)), "w") for i in range(9)]
    text = page(rows, {}, True)
    assert "default-src 'none'" in text
    assert "src=" not in text.replace("default-src=", "")
    assert "The printer works; look at what is marked." in text
