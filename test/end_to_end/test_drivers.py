# Stepper drivers with registers, and homing without switches, on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from dataclasses import replace

import pytest
from end_to_end.driving import skip_without

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError, Session

PRINTER = SamplePrinter(z_mcus=("z", "z"), resync=None)
RUN_CURRENT = {"run_current": 0.8, "sense_resistor": 0.110}
# Where the stops are (mm), and how exactly a stall finds them: half a full step
END_MM, TOLERANCE_MM = 300.0, 0.1

ON_UART = {"model": "tmc2209", "uart_pin": "^PA0", "tx_pin": "PA1", **RUN_CURRENT}


def with_drivers(printer, drivers):
    """The printer with drivers by the names of their steppers; "model" is the kind of each."""
    more = {name: dict(options) for name, options in printer.more_options.items()}
    for stepper, options in drivers.items():
        options = dict(options)
        more["%s %s" % (options.pop("model"), stepper)] = options
    return replace(printer, more_options=more)


def sensorless(printer, drivers, **options):
    """The printer with drivers that take the place of the switches of X and Y."""
    printer = with_drivers(printer, drivers)
    for axis in "xy":
        stepper = "stepper_%s" % (axis,)
        model = drivers[stepper]["model"]
        printer.more_options[stepper] = {
            "endstop_pin": "%s_%s:virtual_endstop" % (model, stepper),
            "homing_retract_dist": 0,
            "homing_speed": 40,
            **options,
        }
    return printer


def dumped(printer, stepper, field):
    """A field of a driver's registers as DUMP_TMC shows it."""
    for line in printer.gcode("DUMP_TMC STEPPER=%s" % (stepper,)):
        for word in line.split():
            name, _, value = word.partition("=")
            if name.lower().replace("_", "") == field.replace("_", ""):
                return value
    return None


# Registers


def test_drivers_on_one_wire_keep_what_is_written(start):
    drivers = {
        "stepper_%s" % (name,): {**ON_UART, "uart_address": i} for i, name in enumerate(["x", "y"])
    }
    printer = start(with_drivers(PRINTER, drivers))
    assert dumped(printer, "stepper_x", "version") == "0x21"
    assert dumped(printer, "stepper_x", "mres") == "4(16usteps)"
    before = dumped(printer, "stepper_y", "cs_actual")
    printer.gcode("SET_TMC_CURRENT STEPPER=stepper_x CURRENT=0.4")
    assert int(dumped(printer, "stepper_x", "cs_actual")) < int(before)
    assert dumped(printer, "stepper_y", "cs_actual") == before


def test_drivers_behind_a_multiplexer_are_told_apart(start):
    wire = {**ON_UART, "model": "tmc2208"}
    drivers = {
        "stepper_x": {**wire, "select_pins": "PA4, !PA5"},
        "stepper_y": {**wire, "select_pins": "!PA4, PA5"},
    }
    printer = start(with_drivers(PRINTER, drivers))
    printer.gcode("SET_TMC_FIELD STEPPER=stepper_x FIELD=tbl VALUE=1")
    assert [dumped(printer, stepper, "tbl") for stepper in drivers] == ["1", "2"]


@pytest.mark.parametrize("model", ["tmc2130", "tmc2240", "tmc5160"])
def test_driver_on_spi_keeps_what_is_written(start, host, model):
    skip_without(host, model)
    resistor = {"rref": 12000} if model == "tmc2240" else {"sense_resistor": 0.075}
    driver = {"model": model, "cs_pin": "PA2", "run_current": 0.8, **resistor}
    printer = start(with_drivers(PRINTER, {"stepper_x": driver}))
    assert dumped(printer, "stepper_x", "mres") == "4(16usteps)"
    before = dumped(printer, "stepper_x", "cs_actual")
    printer.gcode("SET_TMC_FIELD STEPPER=stepper_x FIELD=ihold VALUE=3")
    assert before != dumped(printer, "stepper_x", "cs_actual") == "3"


def test_drivers_of_a_chain_are_told_apart(start):
    chain = {"model": "tmc5160", "cs_pin": "PA2", "chain_length": 3, "run_current": 0.8}
    chain["sense_resistor"] = 0.075
    drivers = {
        "stepper_x": {**chain, "chain_position": 1},
        "stepper_y": {**chain, "chain_position": 3},
    }
    printer = start(with_drivers(PRINTER, drivers))
    printer.gcode("SET_TMC_FIELD STEPPER=stepper_x FIELD=tbl VALUE=1")
    assert [dumped(printer, stepper, "tbl") for stepper in drivers] == ["1", "2"]


def test_tmc2660_says_which_current_it_has(start):
    driver = {"model": "tmc2660", "cs_pin": "PA2", "run_current": 1.0, "sense_resistor": 0.051}
    printer = start(with_drivers(PRINTER, {"stepper_x": driver}))
    before = int(dumped(printer, "stepper_x", "se"))
    printer.gcode("SET_TMC_CURRENT STEPPER=stepper_x CURRENT=0.5")
    assert before // 2 == pytest.approx(int(dumped(printer, "stepper_x", "se")), abs=1)


def test_place_in_the_sine_wave_is_what_the_host_works_out(start):
    printer = start(with_drivers(PRINTER, {"stepper_x": ON_UART}))
    printer.gcode("G28 X Y\nG1 X123.4 Y98.7 F6000\nM400")
    offset, phases = printer.status("tmc2209 stepper_x")["mcu_phase_offset"], 64
    # Each pulse is one of so many places, counted against the pin's level
    pulses = printer.stepper_truth()["stepper_x"].pulses
    place = 1023 - int(dumped(printer, "stepper_x", "mscnt"))
    assert round(place * phases / 1024) % phases == (offset + pulses) % phases


def test_host_says_which_driver_has_no_power(host, tmp_path):
    printer_cfg = with_drivers(PRINTER, {"stepper_x": ON_UART}).printer_cfg()
    machine_cfg = PRINTER.machine_cfg() + "\n[tmc2209 stepper_x]\npowered: False\n"
    with Session(host, printer_cfg, machine_cfg, work_dir=tmp_path) as printer:
        assert "Unable to read tmc uart 'stepper_x' register IFCNT" in printer.log()
        with pytest.raises(GCodeError):
            printer.gcode("G28 X")
        assert printer.state() == "shutdown"
        message = printer.state_message()
        assert "Unable to read tmc uart 'stepper_x' register IFCNT" in message


def test_driver_that_loses_its_power_shuts_down(start):
    driver = {"model": "tmc5160", "cs_pin": "PA2", "run_current": 0.8, "sense_resistor": 0.075}
    printer = start(with_drivers(PRINTER, {"stepper_x": driver}))
    printer.gcode("G28 X Y")
    printer.control("driver stepper_x power=0")
    printer.control("driver stepper_x power=1")
    printer.sleep(3.0)
    assert printer.state() == "shutdown"
    assert "TMC 'stepper_x' reports error: GSTAT:      00000001 reset=1(Reset)" in (
        printer.state_message()
    )


# Homing without switches


AWD = SamplePrinter(z_mcus=("z", "z"), x_mcus=("a", "b"), y_mcus=("c", "d"))
STALLING = {"model": "tmc2209", "driver_SGTHRS": 80, **RUN_CURRENT}
AWD_DRIVERS = {
    stepper: {**STALLING, "uart_pin": "%s:PA0" % (mcu,), "diag_pin": "^%s:PB0" % (mcu,)}
    for stepper, mcu in zip(("stepper_x", "stepper_x1", "stepper_y", "stepper_y1"), "abcd")
}
# Away from the stop, so that nothing is pressed while Y is homed
HOME_X_AND_Y = "G28 X\nG1 X280 F3000\nM400\nG28 Y\nG1 Y280 F3000\nM400"


def test_awd_corexy_on_four_boards_is_homed_by_its_drivers(start):
    printer = start(sensorless(AWD, AWD_DRIVERS))
    printer.gcode("G28 X")
    assert printer.carriages_truth()["x"] == pytest.approx(END_MM, abs=1e-6)
    printer.gcode(HOME_X_AND_Y + "\nG28 Z\nG1 X150 Y150 F6000\nM400")
    x_mm, y_mm, _ = printer.carriage_truth()
    assert (x_mm, y_mm) == pytest.approx((150.0, 150.0), abs=TOLERANCE_MM)
    # The motors of a belt have gone together
    truth = printer.stepper_truth()
    for first, second in (("stepper_x", "stepper_x1"), ("stepper_y", "stepper_y1")):
        assert truth[first].position_mm == pytest.approx(truth[second].position_mm)


def test_cartesian_printer_is_homed_by_drivers_that_pull_their_pins_down(start):
    driver = {"model": "tmc5160", "run_current": 0.8, "sense_resistor": 0.075, "driver_SGT": -5}
    drivers = {
        "stepper_x": {**driver, "cs_pin": "PA2", "diag1_pin": "^!PA3"},
        "stepper_y": {**driver, "cs_pin": "PA4", "diag0_pin": "^!PA5"},
    }
    printer = start(sensorless(replace(PRINTER, kinematics="cartesian"), drivers))
    printer.gcode("G28 X Y\nG1 X150 Y150 F6000\nM400")
    x_mm, y_mm, _ = printer.carriage_truth()
    assert (x_mm, y_mm) == pytest.approx((150.0, 150.0), abs=TOLERANCE_MM)


def test_stop_can_be_elsewhere_than_the_host_believes(host, tmp_path):
    printer_cfg = sensorless(replace(AWD, kinematics="cartesian"), AWD_DRIVERS).printer_cfg()
    machine_cfg = AWD.machine_cfg().replace("[gantry]\n", "[gantry]\nstop_x: 302.5\n")
    with Session(host, printer_cfg, machine_cfg, work_dir=tmp_path) as printer:
        printer.gcode("G28 X")
        assert printer.carriages_truth()["x"] == pytest.approx(302.5, abs=1e-6)


def test_driver_that_is_not_sensitive_enough_runs_into_the_stop(start):
    drivers = {name: {**options, "driver_SGTHRS": 1} for name, options in AWD_DRIVERS.items()}
    printer = start(sensorless(AWD, drivers))
    with pytest.raises(GCodeError, match="No trigger on (stepper_)?x after full movement"):
        printer.gcode("G28 X")
    assert printer.carriages_truth()["x"] == pytest.approx(END_MM, abs=0.4)


def test_driver_that_is_too_sensitive_ends_homing_at_once(start):
    drivers = {name: {**options, "driver_SGTHRS": 255} for name, options in AWD_DRIVERS.items()}
    printer = start(sensorless(AWD, drivers))
    before_mm = printer.carriages_truth()["x"]
    try:
        printer.gcode("G28 X")
    except GCodeError as error:
        # Some hosts find that it is triggered before it has moved
        assert "stepper_x" in str(error)
    assert printer.carriages_truth()["x"] < before_mm + 5.0
