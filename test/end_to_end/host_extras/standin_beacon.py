# A stand-in of Beacon: two endstops on trsyncs of their own, with a check of their own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json

from .standin_sensor import (
    ProbeObject,
    Sensor,
    Trigger,
    VirtualEndstopChip,
    host_module,
    position_at,
    z_steppers,
)

SETTLING_S, MEASURING_S = 0.010, 0.020


class Shared:
    """What both endstops share: the sensor, the steppers and the check."""

    def __init__(self, config):
        self.printer = config.get_printer()
        self.sensor = Sensor(config)
        self.trigger = Trigger(self.sensor.mcu)
        self.printer.register_event_handler("klippy:mcu_identify", self._handle_mcu_identify)

    def _handle_mcu_identify(self):
        for stepper in z_steppers(self.printer):
            self.add_stepper(stepper)

    def add_stepper(self, stepper):
        own = self.trigger.trsync_of(stepper.get_mcu())
        own.add_stepper(stepper)
        axis = stepper.get_name()[:9]
        if axis.startswith("stepper_") and any(
            other is not own and s.get_name().startswith(axis)
            for other in self.trigger.trsyncs
            for s in other.get_steppers()
        ):
            raise self.printer.config_error(
                "Multi-mcu homing not supported on multi-mcu shared axis"
            )

    def get_steppers(self):
        return self.trigger.get_steppers()

    def start(self, print_time):
        completion = self.trigger.start(print_time)
        self.sensor.arm(print_time, self.trigger.trsyncs[0])
        return completion

    def wait(self, home_end_time):
        """The print time (s) of the trigger, zero without one."""
        reason = self.trigger.wait(home_end_time)
        trigger_time = self.sensor.disarm()
        trsync = self.trigger.trsyncs[0]
        if reason == trsync.REASON_COMMS_TIMEOUT:
            raise self.printer.command_error("Communication timeout during homing")
        return trigger_time if reason == trsync.REASON_ENDSTOP_HIT else 0.0


class ContactEndstop:
    """Tells when it was triggered, once the toolhead stands."""

    def __init__(self, shared):
        self._shared = shared
        self.get_steppers = shared.get_steppers

    def get_mcu(self):
        return self._shared.sensor.mcu

    def add_stepper(self, stepper):
        self._shared.add_stepper(stepper)

    def home_start(self, print_time, sample_time, sample_count, rest_time, triggered=True):
        return self._shared.start(print_time)

    def home_wait(self, home_end_time):
        trigger_time = self._shared.wait(home_end_time)
        self._shared.printer.lookup_object("toolhead").wait_moves()
        return trigger_time

    def query_endstop(self, print_time):
        # Kalico asks before it homes
        return 0


class ProximityEndstop(ContactEndstop):
    """Gives the end of the move for the time of its trigger, and measures then."""

    def __init__(self, shared, trigger_distance_mm):
        super().__init__(shared)
        self._trigger_distance_mm = trigger_distance_mm

    def home_wait(self, home_end_time):
        return home_end_time if self._shared.wait(home_end_time) else 0.0

    def get_position_endstop(self):
        return self._trigger_distance_mm


class StandInBeacon:
    cmd_STANDIN_PROBE_help = "Probe once, by contact with CONTACT=1"
    cmd_STANDIN_TAP_help = "Probe by contact, pull back, and report the toolhead's moves meanwhile"

    def __init__(self, config):
        self.printer = config.get_printer()
        self.speed = config.getfloat("speed", 5.0)
        self.trigger_distance_mm = config.getfloat("z_offset")
        offsets = (config.getfloat("x_offset"), config.getfloat("y_offset"))
        shared = Shared(config)
        self.sensor = shared.sensor
        self.proximity = ProximityEndstop(shared, self.trigger_distance_mm)
        self.contact = ContactEndstop(shared)
        VirtualEndstopChip(self.printer, self.proximity)
        ProbeObject(self.printer, (*offsets, self.trigger_distance_mm), self.probe)
        self.printer.register_event_handler("homing:home_rails_end", self._handle_home_rails_end)
        gcode = self.printer.lookup_object("gcode")
        gcode.register_command(
            "STANDIN_PROBE", self.cmd_STANDIN_PROBE, desc=self.cmd_STANDIN_PROBE_help
        )
        gcode.register_command("STANDIN_TAP", self.cmd_STANDIN_TAP, desc=self.cmd_STANDIN_TAP_help)

    def _handle_home_rails_end(self, homing, rails):
        if 2 in homing.get_axes():
            homing.set_homed_position([None, None, self._measure()[1]])

    def _measure(self):
        """The toolhead's position and the height (mm), at standstill after the last move."""
        start = self.printer.lookup_object("toolhead").get_last_move_time() + SETTLING_S
        measured = self.sensor.measure_from(start, start + MEASURING_S)
        height = sum(h for _, h in measured) / len(measured)
        return position_at(self.printer, measured[0][0]), height

    def _move_down(self, endstop):
        position = self.printer.lookup_object("toolhead").get_position()
        position[2] = -5.0
        homing = self.printer.lookup_object("homing")
        return homing.probing_move(endstop, position, self.speed)

    def probe(self, gcmd):
        self._move_down(self.proximity)
        position, height = self._measure()
        return [position[0], position[1], position[2] + self.trigger_distance_mm - height]

    def cmd_STANDIN_PROBE(self, gcmd):
        if gcmd.get_int("CONTACT", 0):
            z = self._move_down(self.contact)[2]
        else:
            z = self.probe(gcmd)[2]
        gcmd.respond_info("standin z=%.9f" % (z,))

    def cmd_STANDIN_TAP(self, gcmd):
        # What Kalico's [load_cell_probe] analyses
        toolhead = self.printer.lookup_object("toolhead")
        start_time = toolhead.get_last_move_time()
        self._move_down(self.contact)
        toolhead.manual_move([None, None, toolhead.get_position()[2] + 1.0], 2.0)
        toolhead.wait_moves()
        ffi_main, ffi_lib = host_module("chelper").get_ffi()
        found = ffi_main.new("struct pull_move[32]")
        end_time = toolhead.get_last_move_time()
        count = ffi_lib.trapq_extract_old(toolhead.get_trapq(), found, 32, start_time, end_time)
        # The last one comes first
        moves = [(m.move_t, m.accel, m.start_z) for m in found[0:count]][::-1]
        gcmd.respond_info("standin moves=%s" % (json.dumps(moves),))


def load_config(config):
    return StandInBeacon(config)
