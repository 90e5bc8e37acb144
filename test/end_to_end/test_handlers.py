# Other handlers of homing events, and other users of homing moves, on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from end_to_end.driving import level_truth, log_of_moves

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError

pytestmark = pytest.mark.area("failure paths")

MANUAL_STEPPER = """
[manual_stepper arm]
step_pin: PA0
dir_pin: PA1
enable_pin: !PA2
microsteps: 16
rotation_distance: 40
endstop_pin: PA3
velocity: 20
accel: 500
"""
HOME_ARM = "MANUAL_STEPPER STEPPER=arm SET_POSITION=0 MOVE=2 STOP_ON_ENDSTOP=2"
FAIL_WHEN_TOLD = """[gcode_macro STOW]
variable_fails: 0
gcode:
    { action_raise_error("stow failed") if fails|int else "" }
"""


def probe_five_times(printer):
    for _ in range(5):
        printer.gcode("G90\nG1 Z10 F600\nPROBE")


@pytest.mark.area("probing")
@pytest.mark.parametrize("option", ["activate_gcode", "deactivate_gcode"])
def test_probe_that_homes_an_arm_to_deploy_or_stow_is_resynced(start, option):
    printer = start(
        SamplePrinter(),
        sections=MANUAL_STEPPER,
        replace=[("[probe]\n", "[probe]\n%s:\n    %s\n" % (option, HOME_ARM))],
    )
    printer.gcode("G28")
    before = level_truth(printer)
    moves = printer.status("multi_mcu_resync")["homing_moves"]
    probe_five_times(printer)
    assert printer.status("multi_mcu_resync")["homing_moves"] == moves + 5
    assert level_truth(printer) == before


@pytest.mark.area("homing")
def test_homing_a_manual_stepper_is_none_of_our_business(start):
    printer = start(SamplePrinter(), sections=MANUAL_STEPPER)
    printer.gcode("G28")
    before = level_truth(printer)
    status = printer.status("multi_mcu_resync")
    printer.gcode(HOME_ARM)
    assert printer.status("multi_mcu_resync") == status
    assert level_truth(printer) == before


def slow_down_one_mcu(printer):
    """Make the correction of the next probe longer than 0.03 mm."""
    printer.control(
        "link z1 delay_us=8000 direction=to_mcu from_s=%.3f for_s=1.5" % (printer.now_s() + 0.3,)
    )


def test_probe_over_the_limit_blocks_the_axis(start):
    printer = start(SamplePrinter().with_resync(max_correction=0.03))
    printer.gcode("G28\nG1 Z10 F600\nM400")
    slow_down_one_mcu(printer)
    with pytest.raises(GCodeError, match="'stepper_z1' .* max_correction"):
        printer.gcode("PROBE")
    status = printer.status("multi_mcu_resync")
    assert (status["triggered"], status["corrected"]) == (True, False)
    with pytest.raises(GCodeError, match="Axis z is not in sync"):
        printer.gcode("G1 Z10")


def test_probe_over_the_limit_blocks_no_other_axis(start):
    printer = start(SamplePrinter(x_mcus=("mcu", "x1")).with_resync(max_correction=0.07))
    printer.gcode("G28\nG1 Z10 F600\nM400")
    slow_down_one_mcu(printer)
    with pytest.raises(GCodeError, match="'stepper_z1' .* max_correction"):
        printer.gcode("PROBE")
    assert printer.status("multi_mcu_resync")["in_sync"] == {"x": True, "z": False}
    printer.gcode("G1 X100 F6000\nM400")


def test_stow_that_fails_does_not_hide_an_axis_out_of_step(start):
    printer = start(
        SamplePrinter().with_resync(max_correction=0.03),
        sections=MANUAL_STEPPER + FAIL_WHEN_TOLD,
        replace=[("[probe]\n", "[probe]\ndeactivate_gcode:\n    STOW\n")],
    )
    printer.gcode("G28\nG1 Z10 F600\nM400")
    printer.gcode("SET_GCODE_VARIABLE MACRO=STOW VARIABLE=fails VALUE=1")
    slow_down_one_mcu(printer)
    with pytest.raises(GCodeError):
        printer.gcode("PROBE")
    with pytest.raises(GCodeError, match="Axis z is not in sync"):
        printer.gcode("G1 Z10")
    # The error was that move's, no other one's
    printer.gcode("SET_GCODE_VARIABLE MACRO=STOW VARIABLE=fails VALUE=0")
    printer.gcode(HOME_ARM)
    printer.gcode("G28")


def test_failed_moves_are_told_as_not_triggered(start):
    printer = start(SamplePrinter())
    printer.gcode("G28\nG1 Z10 F600\nM400")
    assert printer.status("multi_mcu_resync")["triggered"]
    printer.control("link z2 delay_us=40000 from_s=%.3f for_s=0.03" % (printer.now_s() + 0.8,))
    with pytest.raises(GCodeError, match="Communication timeout"):
        printer.gcode("PROBE")
    status = printer.status("multi_mcu_resync")
    assert (status["triggered"], status["corrected"]) == (False, True)
    assert "probe did not trigger, corrected" in "\n".join(printer.gcode("QUERY_RESYNC"))


def test_shutdown_in_a_probe_leaves_the_steppers_where_they_are(start):
    printer = start(SamplePrinter())
    printer.gcode("G28\nG1 Z10 F600\nM400")
    corrected = log_of_moves(printer).count("corrected=1")
    printer.control("mcu z1 shutdown reason=Command_request at_s=%.3f" % (printer.now_s() + 0.7,))
    with pytest.raises(GCodeError):
        printer.gcode("PROBE")
    before = printer.stepper_truth()
    printer.sleep(1.0)
    assert printer.stepper_truth() == before
    assert log_of_moves(printer).count("corrected=1") == corrected


def test_error_without_a_text_is_named_by_its_kind(start):
    printer = start(SamplePrinter(), sections="[unruly_extra]\n")
    printer.gcode("G28\nUNRULY AT=first_end DO=set_position_raises_without_a_text")
    with pytest.raises(GCodeError, match="^multi_mcu_resync: RuntimeError"):
        printer.gcode("PROBE")
    assert printer.state() == "ready"
    assert " error=RuntimeError" in log_of_moves(printer)
    assert printer.status("multi_mcu_resync")["in_sync"]["z"] is False
