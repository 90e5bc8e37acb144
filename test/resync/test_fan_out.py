# What is wrong with the pins of one signal
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resync.pins.fan_out import START_DELAY_S, judge_triggers

START_S, TOLERANCE_S = 100.0, 0.001
PINS = ("probe", "z1", "z2")
times = st.floats(START_S + 0.01, START_S + 5.0)


@given(time=times, spread=st.lists(st.floats(0.0, 0.00099), min_size=3, max_size=3))
def test_pins_that_agree_are_right(time, spread):
    found = {pin: time + late_s for pin, late_s in zip(PINS, spread)}
    assert judge_triggers(found, START_S, TOLERANCE_S) == ""


def test_no_trigger_at_all_is_the_hosts_affair():
    assert judge_triggers(dict.fromkeys(PINS), START_S, TOLERANCE_S) == ""


def test_all_triggered_before_the_move_is_the_hosts_affair():
    assert judge_triggers(dict.fromkeys(PINS, START_S), START_S, TOLERANCE_S) == ""


@given(time=times, missing=st.sampled_from(PINS))
def test_pin_that_does_not_trigger_is_named(time, missing):
    found = {pin: None if pin == missing else time for pin in PINS}
    fault = judge_triggers(found, START_S, TOLERANCE_S)
    assert fault.startswith("pin '%s' did not trigger when '" % (missing,))


@given(time=times, late=st.sampled_from(PINS), late_s=st.floats(0.0011, 1.0))
def test_late_pin_is_named_with_its_delay(time, late, late_s):
    found = {pin: time + late_s * (pin == late) for pin in PINS}
    fault = judge_triggers(found, START_S, TOLERANCE_S)
    assert fault.startswith("pin '%s' triggered %.3f ms after '" % (late, late_s * 1e3))


@pytest.mark.parametrize("others", [None, START_S + 2.0])
@given(stuck=st.sampled_from(PINS), after_s=st.floats(0.0, 0.0009))
def test_pin_that_was_triggered_before_the_move_is_named(others, stuck, after_s):
    found = {pin: START_S + after_s if pin == stuck else others for pin in PINS}
    fault = judge_triggers(found, START_S, TOLERANCE_S)
    assert fault == "pin '%s' reads triggered before the move: it is inverted or stuck" % (stuck,)


@pytest.mark.parametrize("tolerance_s", [0.00001, 0.01])
def test_what_is_before_the_move_has_nothing_to_do_with_the_tolerance(tolerance_s):
    stuck = {"probe": START_S + 0.0005, "z1": None}
    assert "'probe' reads triggered" in judge_triggers(stuck, START_S, tolerance_s)
    first = {"probe": START_DELAY_S, "z1": None}
    assert "'z1' did not trigger" in judge_triggers(first, 0.0, tolerance_s)
    early = {"probe": START_S + 0.005, "z1": None}
    assert "'z1' did not trigger" in judge_triggers(early, START_S, tolerance_s)
