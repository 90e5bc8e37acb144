# A probe or endstop whose signal reaches every MCU that it stops
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from dataclasses import replace

import pytest
from end_to_end.driving import level_truth, probe_at_random, pulses, skip_without
from end_to_end.test_own_probes import smart_effector

from virtual_printer.firmware.chips import PIN_NUMBERS
from virtual_printer.samples import SamplePrinter, config_text
from virtual_printer.session import GCodeError

PINS = "mcu:PB6, z1:PB6, z2:PB6, z3:PB6"
OWN_PIN = "toolhead:PB6"
PIN = PIN_NUMBERS["PB6"]
Z_MCUS = ("mcu", "z1", "z2", "z3")
SAMPLE = SamplePrinter(z_mcus=Z_MCUS, probe_speed_mm_s=20.0)
FANNED = SAMPLE.with_resync(probe_pins=PINS)


def overshoot_steps(printer):
    return list(printer.status("multi_mcu_resync")["overshoot_steps"].values())


class SlowPrinter(SamplePrinter):
    """All links but those of the probe and of the main MCU take 3 ms each way."""

    def machine_cfg(self):
        delays = {"delay_to_mcu_us": 3000, "delay_to_host_us": 3000}
        names = ("x1", "z1", "z2", "z3")
        slow = {"mcu " + name: delays for name in names if name in self.printer_cfg()}
        return super().machine_cfg() + "\n" + config_text(slow)


def force(printer, mcu, value):
    printer.control("endstop %s %d force=%s" % (mcu, PIN, value))


@pytest.mark.parametrize(
    "probe,command", [("probe", "PROBE"), ("probe", "G28 Z"), ("bltouch", "PROBE")]
)
def test_steppers_stop_at_their_own_pins_however_slow_the_links_are(start, probe, command):
    sample = SlowPrinter(z_mcus=Z_MCUS, probe=probe, probe_speed_mm_s=20.0)
    overshoots = []
    for options in ({}, {"probe_pins": PINS}):
        # Homing is done twice, the second time at 3 mm/s
        printer = start(
            sample.with_resync(**options),
            replace=[("second_homing_speed: 3", "second_homing_speed: 20")],
        )
        printer.gcode("G28\nG1 Z5 F600")
        printer.gcode(command)
        overshoots.append(overshoot_steps(printer))
    relayed, fanned = overshoots
    # 3 ms at 20 mm/s are 24 steps
    assert max(relayed) > 24
    assert max(fanned) - min(fanned) <= 1
    assert max(map(abs, fanned)) <= 3


def test_smart_effector_has_pins_of_its_own_too(start, host):
    sample = SamplePrinter(z_mcus=Z_MCUS, probe="smart_effector", probe_speed_mm_s=20.0)
    printer = start(smart_effector(host, sample.with_resync(probe_pins=PINS)))
    printer.gcode("G28\nG1 Z5 F600\nPROBE")
    assert max(map(abs, overshoot_steps(printer))) <= 3
    force(printer, "z1", 0)
    with pytest.raises(GCodeError, match="z1:PB6"):
        printer.gcode("G1 Z5 F600\nPROBE")


def test_levelling_and_probing_stay_in_step(start):
    printer = start(FANNED)
    printer.gcode("G28")
    before = level_truth(printer)
    probe_at_random(printer, 5)
    assert level_truth(printer) == before
    printer.gcode("QUAD_GANTRY_LEVEL\nPROBE_ACCURACY SAMPLES=3")
    assert printer.status("multi_mcu_resync")["in_sync"] == {"z": True}


def test_probe_result_is_that_of_the_relayed_stop(start):
    results = []
    for sample in (SAMPLE.with_resync(), FANNED):
        printer = start(sample)
        printer.gcode("G28\nG1 Z5 F600\nPROBE")
        results.append(printer.status("probe")["last_z_result"])
    # One step of the 2.5 um
    assert results[1] == pytest.approx(results[0], abs=0.0026)


def test_pin_that_never_triggers_is_named_and_its_stepper_stops_all_the_same(start):
    printer = start(FANNED)
    printer.gcode("G28\nG1 Z5 F600\nM400")
    before = level_truth(printer)
    force(printer, "z2", "0")
    with pytest.raises(GCodeError, match="pin 'z2:PB6' did not trigger when '[a-z0-9:]+PB6' did"):
        printer.gcode("PROBE")
    printer.gcode("M400")
    assert max(overshoot_steps(printer)) < 40
    assert printer.status("multi_mcu_resync")["in_sync"] == {"z": True}
    force(printer, "z2", "none")
    printer.gcode("PROBE")
    assert level_truth(printer) == before


def test_broken_wire_of_the_probes_own_pin_is_named(start):
    printer = start(FANNED)
    printer.gcode("G28\nG1 Z5 F600\nM400")
    force(printer, "toolhead", "0")
    with pytest.raises(GCodeError, match="pin 'toolhead:PB6' did not trigger when '.*PB6' did"):
        printer.gcode("PROBE")
    assert max(overshoot_steps(printer)) < 40


def test_pin_that_reads_triggered_at_the_start_is_named_before_anything_moves(start):
    printer = start(FANNED)
    printer.gcode("G28\nG1 Z5 F600\nM400")
    force(printer, "z3", "1")
    for name in ("stepper_z", "stepper_z1", "stepper_z2", "stepper_z3"):
        printer.control("pulses %s reset" % (name,))
    with pytest.raises(GCodeError, match="pin 'z3:PB6' reads triggered before the move"):
        printer.gcode("PROBE")
    printer.sleep(0.5)
    # The others stop once they have heard of it
    assert all(pulses(printer, name)[1] <= 2 for name in ("stepper_z", "stepper_z1"))
    assert pulses(printer, "stepper_z3")[1] == 0
    force(printer, "z3", "none")
    printer.gcode("PROBE")


def test_inverted_pin_is_named(start):
    printer = start(SAMPLE.with_resync(probe_pins="mcu:PB6, !z1:PB6, z2:PB6, z3:PB6"))
    with pytest.raises(GCodeError, match="pin '!z1:PB6' reads triggered before the move"):
        printer.gcode("G28")


def test_triggers_that_come_apart_are_named(start):
    # Slow links, so that all stop at their own pins; one of them is late
    slow = SlowPrinter(z_mcus=Z_MCUS, probe_speed_mm_s=20.0)
    printer = start(slow.with_resync(probe_pins=PINS))
    printer.gcode("G28\nG1 Z5 F600\nM400")
    force(printer, "z2", "0")

    def wait_for_trigger():
        if "toolhead:%d:1" % (PIN,) in printer.control("endstops"):
            printer.call_at(printer.now_s() + 0.0025, lambda: force(printer, "z2", "none"))
        else:
            printer.call_at(printer.now_s() + 0.0002, wait_for_trigger)

    printer.call_at(printer.now_s() + 0.2, wait_for_trigger)
    with pytest.raises(GCodeError, match=r"pin 'z2:PB6' triggered \d\.\d+ ms after '.*PB6', more"):
        printer.gcode("PROBE")


def test_relay_takes_over_with_a_warning_if_the_config_says_so(start):
    printer = start(SAMPLE.with_resync(probe_pins=PINS, relay_fallback=True))
    printer.gcode("G28\nG1 Z5 F600\nM400")
    before = level_truth(printer)
    for value, text in (("0", "did not trigger when"), ("1", "reads triggered before the move")):
        force(printer, "z2", value)
        lines = printer.gcode("G1 Z5 F600\nPROBE")
        assert any("multi_mcu_resync: pin 'z2:PB6' %s" % (text,) in line for line in lines)
    assert level_truth(printer) == before
    force(printer, "z2", "none")
    assert not any("z2:PB6" in line for line in printer.gcode("PROBE"))


def test_pins_are_used_where_no_axis_is_shared_too(start):
    printer = start(SamplePrinter(z_mcus=("mcu",) * 4).with_resync(probe_pins="mcu:PB6"))
    printer.gcode("G28\nG1 Z5 F600\nPROBE\nG1 Z5")
    force(printer, "mcu", "0")
    with pytest.raises(GCodeError, match="pin 'mcu:PB6' did not trigger when 'toolhead:PB6' did"):
        printer.gcode("PROBE")


def test_all_pins_triggered_before_the_move_is_the_hosts_own_error(start):
    for fallback in (False, True):
        printer = start(SAMPLE.with_resync(probe_pins=PINS, relay_fallback=fallback))
        printer.gcode("G28\nM400")
        for mcu in ("toolhead", "mcu", "z1", "z2", "z3"):
            force(printer, mcu, "1")
        with pytest.raises(GCodeError, match="triggered prior to movement"):
            printer.gcode("PROBE")


def test_signal_that_comes_to_no_pin_is_no_trigger(start):
    printer = start(FANNED)
    printer.gcode("G28\nG1 Z10 F600\nM400")
    for mcu in ("toolhead", *Z_MCUS):
        force(printer, mcu, "0")
    with pytest.raises(GCodeError, match="^No trigger on probe after full movement"):
        printer.gcode("PROBE")


def test_endstop_of_an_axis_fans_out_too(start):
    sample = SlowPrinter(x_mcus=("mcu", "x1")).with_resync(endstop_pins_x="x1:PC15")
    printer = start(sample)
    printer.gcode("G28 X")
    overshoot = printer.status("multi_mcu_resync")["overshoot_steps"]
    assert abs(overshoot["stepper_x"] - overshoot["stepper_x1"]) <= 1


def test_pins_of_one_signal_are_looked_at_often_however_slow_the_probe_is(start):
    # The host looks once a step, which is every 2.5 ms here, at each MCU at another time
    slow = SamplePrinter(z_mcus=Z_MCUS, probe_speed_mm_s=1.0)
    printer = start(slow.with_resync(probe_pins=PINS, trigger_tolerance=0.0005))
    printer.gcode("G28\nG1 Z2 F600")
    for _ in range(3):
        printer.gcode("PROBE\nG1 Z2 F600")


# The other refused configs are in test/klippy
def test_communication_timeout_stays_the_hosts_own_error(start):
    printer = start(FANNED)
    printer.gcode("G28\nG1 Z10 F600\nM400")
    printer.control("link z2 delay_us=60000 from_s=%.3f for_s=0.06" % (printer.now_s() + 0.3,))
    with pytest.raises(GCodeError, match="Communication timeout"):
        printer.gcode("PROBE")
    printer.gcode("PROBE")
    assert printer.status("multi_mcu_resync")["in_sync"] == {"z": True}


def test_tolerance_that_is_no_number_is_refused(start):
    sample = SAMPLE.with_resync(probe_pins=PINS, trigger_tolerance="nan")
    printer = start(sample, ready=False)
    assert "Option 'trigger_tolerance'" in printer.state_message().splitlines()[0]


def test_axis_of_several_endstops_is_refused_and_the_others_are_named(start):
    sample = SamplePrinter(kinematics="cartesian", y_mcus=("mcu", "y1"), y_own_endstops=True)
    printer = start(sample.with_resync(endstop_pins_y="y1:PB0"), ready=False)
    assert "one endstop (those that do: x, z)" in printer.state_message().splitlines()[0]


def test_probe_whose_sensor_has_no_pin_is_refused(start, host):
    skip_without(host, "load_cell_probe")
    options = {"sensor_type": "ads1220", "cs_pin": "toolhead:PJ2"}
    options.update(data_ready_pin="toolhead:PJ3", counts_per_gram=500, z_offset=0)
    options.update(reference_tare_counts=20000)
    sample = replace(SAMPLE.with_resync(probe_pins=PINS), probe="load_cell_probe")
    sample = replace(sample, more_options={"load_cell_probe": options})
    printer = start(sample, ready=False)
    lines = printer.state_message().splitlines()
    assert lines[0] == (
        "Option 'probe_pins' in section 'multi_mcu_resync': there is no endstop with a pin of"
        " its own"
    )
