# Real probes whose sensor fails: what the host says, where the steppers are, and that G28 cures it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from contextlib import ExitStack
from typing import NamedTuple, Tuple

import pytest
from end_to_end import test_beacon as beacon
from end_to_end import test_cartographer as cartographer
from end_to_end import test_own_probes as own_probes
from end_to_end.driving import in_sync, level_truth, skew_gained_mm

from virtual_printer import hosts
from virtual_printer.session import GCodeError, Session

Z_STEP_MM = 0.0025
AT_CENTRE = "G90\nG1 X150 Y150 F9000\nG1 Z10 F600\nM400"
LIFT_AND_PROBE = "G1 Z14 F300\nPROBE"
# The lift before a probe runs still, or a probe is under way
IN_LIFT_S, IN_MOVE_S = 0.75, 1.2
# When counts have been compared after a homing move
CHECKED_S = 0.7
DONE = ""
OUT_OF_RANGE = "Toolhead stopped outside model range"
NO_TRIGGER = "No trigger on probe after full movement"
STOPPED_EARLIER = (
    r"multi_mcu_resync: MCU '\w+' has stopped 'stepper_z\d?' before the homing move began, in the"
    r" one before: .*: lift the toolhead further or check the link to this MCU, and home again"
)


class Fault(NamedTuple):
    """What a sensor does, by requests (each so many s from now), and what the host then says.

    In a request {sensor} is the MCU that reads the sensor. An error is a pattern, on four MCUs
    another one if there is one; without one the command succeeds.
    """

    name: str
    requests: Tuple[Tuple[float, str], ...]
    error: str = DONE
    script: str = "PROBE"
    error_on_four: str = ""


def silent(name, from_s, until_s, error=DONE, script="PROBE"):
    states = ((from_s, "silent"), (until_s, "works"))
    requests = tuple((after_s, "sensor {sensor} state=" + state) for after_s, state in states)
    return Fault(name, requests, error, script)


def near(name, from_s, error=DONE, script="PROBE"):
    return Fault(name, ((from_s, "sensor {sensor} state=near"),), error, script)


def late(response, late_us, error=DONE):
    request = "reply {sensor} %s malformed=late late_us=%d times=100000" % (response, late_us)
    return Fault("late %d" % (late_us,), ((0.0, request),), error)


def missing(response, times, error):
    request = "reply {sensor} %s malformed=missing times=%d" % (response, times)
    return Fault("missing " + response, ((0.0, request),), error)


def outcome(printer, sensor, fault):
    """The error that a fault ends in, empty if there is none."""
    printer.gcode(AT_CENTRE)
    now_s = printer.now_s()
    for after_s, request in fault.requests:
        text = request.format(sensor=sensor)
        printer.call_at(now_s + after_s, lambda text=text: printer.control(text))
    try:
        printer.gcode(fault.script)
    except GCodeError as e:
        return str(e)
    return DONE


def mend(printer, sensor, response):
    printer.sleep(CHECKED_S)
    printer.control("sensor %s state=works" % (sensor,))
    printer.control("reply %s %s malformed=none" % (sensor, response))
    printer.sleep(1.5)


def assert_said(found, error, name):
    assert re.search(error, found) if error else found == DONE, (name, found)


def assert_true(printer, before, name):
    """What is claimed of the axis is so, and nothing has shut down."""
    assert printer.state() == "ready", name
    assert "Traceback" not in printer.log(), name
    moved = {n: t for n, t in printer.stepper_truth().items() if n in before}
    # Steppers of unlike phase are up to a step apart between two whole ones
    is_skewed = skew_gained_mm(before, moved) > Z_STEP_MM
    status = printer.status("multi_mcu_resync")
    if is_skewed or not in_sync(printer):
        assert (in_sync(printer), bool(status["out_of_sync_reason"]["z"])) == (False, True), name


def assert_fails_well(one, four, sensor, response, faults):
    """Each fault on one MCU without our section, where the host is the reference, and on four.

    Returns where the steppers of the latter are at one height.
    """
    for printer in (one, four):
        printer.gcode("G28")
    before = level_truth(four)
    for fault in faults:
        assert_said(outcome(one, sensor, fault), fault.error, fault.name)
        mend(one, sensor, response)
        error = fault.error_on_four or fault.error
        assert_said(outcome(four, sensor, fault), error, fault.name)
        mend(four, sensor, response)
        assert_true(printer, before, fault.name)
        assert_homes_in_step(four, before, fault.name)
    return before


def assert_homes_in_step(printer, before, name):
    printer.gcode("G28")
    assert in_sync(printer) is True, name
    assert skew_gained_mm(before, level_truth(printer)) == 0.0, name


@pytest.fixture
def start(tmp_path):
    """start(sample, host_name) starts a host."""
    with ExitStack() as stack:

        def start_session(sample, host_name="kalico"):
            folder = tmp_path / ("session%d" % (len(list(tmp_path.iterdir())),))
            texts = (sample.printer_cfg(), sample.machine_cfg())
            return stack.enter_context(Session(hosts.find(host_name), *texts, work_dir=folder))

        yield start_session


def on_one(sample):
    return sample.on_one_mcu().without_section()


def test_cartographer_that_fails(start):
    sample = cartographer.FOUR_MCUS
    printers = [start(on_one(sample)), start(sample)]
    for printer in printers:
        cartographer.calibrate_by_hand(printer)
    faults = (
        # Its plugin waits for samples as long as there are none
        silent("silent before", 0.0, 3.0),
        silent("silent in the move", IN_MOVE_S, 6.0, NO_TRIGGER),
        near("near in the lift before", IN_LIFT_S, OUT_OF_RANGE, LIFT_AND_PROBE),
        late("cartographer_data", 600_000),
    )
    assert_fails_well(*printers, "cartographer", "cartographer_data", faults)


def test_beacon_of_2023_that_fails(tmp_path):
    with beacon.start(tmp_path / "one", beacon.ONE_MCU) as one, beacon.start(
        tmp_path / "four", beacon.FOUR_MCUS
    ) as four:
        for printer in (one, four):
            beacon.calibrate(printer)
        faults = (
            silent("silent before", 0.0, 1.2),
            silent("silent in the move", IN_MOVE_S, 6.0, NO_TRIGGER),
            near("near in the lift before", IN_LIFT_S, DONE, LIFT_AND_PROBE),
            late("beacon_data", 600_000),
        )
        assert_fails_well(one, four, beacon.NAME, "beacon_data", faults)


def test_probe_eddy_current_that_fails(start):
    sample = own_probes.eddy_sample()
    one = start(on_one(sample))
    coil = {
        **sample.more_options[own_probes.EDDY],
        "calibrate": own_probes.calibration(one),
    }
    sample = own_probes.with_options(sample, own_probes.EDDY, **coil)
    one.write("printer.cfg", on_one(sample).printer_cfg())
    one.restart()
    trip = ((IN_LIFT_S, "mcu {sensor} trip reason=1"),)
    too_early = "Probe triggered prior to movement"
    faults = (
        # It may notice up to a second late that it works again, in time or not
        silent("silent before", 0.0, 2.5, "^$|Unable to obtain probe_eddy_current sensor readings"),
        silent("silent in the move", IN_MOVE_S, 6.0, NO_TRIGGER),
        near("near in the lift before", IN_LIFT_S, too_early, LIFT_AND_PROBE),
        # On one MCU the probe passes for done, wherever the lift was cut short
        Fault("stopped in the lift before", trip, DONE, LIFT_AND_PROBE, STOPPED_EARLIER),
        missing("sensor_bulk_data", 1000, "probe_eddy_current sensor outage"),
    )
    four = start(sample)
    before = assert_fails_well(one, four, "toolhead", "sensor_bulk_data", faults)
    # Kalico leaves the move then without asking the MCUs for their counts
    unanswered = missing("ldc1612_home_state", 6, "Unable to obtain 'ldc1612_home_state' response")
    assert_said(outcome(four, "toolhead", unanswered), unanswered.error, unanswered.name)
    four.sleep(CHECKED_S)
    assert in_sync(four) is False
    assert "counted" in four.status("multi_mcu_resync")["out_of_sync_reason"]["z"]
    # What it has left behind ends the next move, on one MCU too
    with pytest.raises(GCodeError):
        four.gcode("G28")
    assert_homes_in_step(four, before, unanswered.name)


def test_load_cell_probe_that_fails(start):
    sample = own_probes.load_cell_sample()
    faults = (
        silent("silent before", 0.0, 3.0, "LoadCellSampleCollector timed out!"),
        silent("silent in the move", IN_MOVE_S, 3.0, "timed out waiting for sensor data"),
        # It is tared away
        near("near in the lift before", 0.0, NO_TRIGGER, LIFT_AND_PROBE),
        late("sensor_bulk_data", 3_000_000, "LoadCellSampleCollector timed out!"),
        missing("load_cell_probe_state", 6, "Unable to obtain 'load_cell_probe_state' response"),
    )
    assert_fails_well(start(on_one(sample)), start(sample), "toolhead", "sensor_bulk_data", faults)
