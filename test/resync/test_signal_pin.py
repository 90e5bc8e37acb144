# A further pin with an endstop's signal, on its own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

import pytest
from resync.pins.signal_pin import REASON_ENDSTOP_HIT, SignalPin


class Trsync:
    """What stops the steppers of one MCU."""

    def __init__(self, reason):
        self.reason = reason

    def get_command_queue(self):
        return None

    def get_oid(self):
        return 3

    def stop(self):
        return self.reason


class Mcu:
    """One that has seen the pin at a clock of 2500 ticks, at 1000 Hz."""

    pin_value = 0

    def create_oid(self):
        return 1

    def register_config_callback(self, callback):
        pass

    def lookup_command(self, form, cq):
        return SimpleNamespace(send=lambda arguments, reqclock=0: None)

    def lookup_query_command(self, form, answer, oid, cq):
        return SimpleNamespace(
            send=lambda arguments: {"next_clock": 2500, "pin_value": self.pin_value}
        )

    def print_time_to_clock(self, print_time):
        return round(print_time * 1000)

    def seconds_to_clock(self, seconds):
        return round(seconds * 1000)

    def clock32_to_clock64(self, clock):
        return clock

    def clock_to_print_time(self, clock):
        return clock / 1000.0


def armed_pin(trsync, invert=0):
    found = {"chip": Mcu(), "pin": "PA1", "pullup": 0, "invert": invert}
    pins = SimpleNamespace(lookup_pin=lambda text, can_invert, can_pullup: found)
    printer = SimpleNamespace(command_error=ValueError, lookup_object=lambda name: pins)
    pin = SignalPin(printer, "z1:PA1", "endstop_pins_z")
    pin.connect(trsync)
    pin.arm(1.0, 0.001, 4, 0.5, True)
    return pin


def test_pin_that_has_stopped_its_mcu_has_a_trigger_time():
    trsync = Trsync(REASON_ENDSTOP_HIT)
    pin = armed_pin(trsync)
    assert trsync.stop() == REASON_ENDSTOP_HIT
    assert pin.disarm() == pytest.approx(2.0)


def test_what_stops_an_mcu_is_the_hosts_own_again_once_it_has_been_asked():
    own = Trsync.stop.__code__
    trsync = Trsync(REASON_ENDSTOP_HIT)
    pin = armed_pin(trsync)
    assert Trsync.stop.__code__ is not own
    trsync.stop()
    assert Trsync.stop.__code__ is own
    pin.disarm()


def test_pin_of_an_mcu_that_something_else_has_stopped_has_no_trigger_time():
    trsync = Trsync(REASON_ENDSTOP_HIT + 1)
    pin = armed_pin(trsync)
    trsync.stop()
    assert pin.disarm() is None


def test_pin_of_an_mcu_that_was_never_asked_leaves_no_trace():
    own = Trsync.stop.__code__
    pin = armed_pin(Trsync(REASON_ENDSTOP_HIT))
    assert pin.disarm() is None
    assert Trsync.stop.__code__ is own


@pytest.mark.parametrize("value, invert", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_inverted_pin_is_triggered_where_it_reads_zero(value, invert):
    pin = armed_pin(Trsync(REASON_ENDSTOP_HIT), invert)
    pin.mcu.pin_value = value
    assert pin.is_triggered() is (value != invert)
