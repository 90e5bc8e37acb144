# A stand-in of probes that dispatch triggers by themselves, with a check of their own: Scanner,
# IDM, and Cartographer on hosts without a dispatch. Its endstops are the host's by class alone.
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from ..standin_sensor import (
    ProbeObject,
    Sensor,
    VirtualEndstopChip,
    host_module,
    z_steppers,
)

SETTLING_S, MEASURING_S = 0.005, 0.020


class Endstop(host_module("mcu").MCU_endstop):
    """Made for each probing move; gives the end of the move for its trigger time."""

    def __init__(self, probe):
        # The host's own is not called: nothing of it is used
        self._probe = probe

    def get_mcu(self):
        return self._probe.sensor.mcu

    def add_stepper(self, stepper):
        self._probe.dispatch.add_stepper(stepper)

    def get_steppers(self):
        return self._probe.dispatch.get_steppers()

    def home_start(self, print_time, sample_time, sample_count, rest_time, triggered=True):
        completion = self._probe.dispatch.start(print_time)
        self._probe.sensor.arm(print_time, self._probe.dispatch.get_trsync())
        return completion

    def home_wait(self, home_end_time):
        reason = self._probe.dispatch.wait(home_end_time)
        self._probe.sensor.disarm()
        trsync = self._probe.dispatch.get_trsync()
        if reason == trsync.REASON_COMMS_TIMEOUT:
            raise self._probe.printer.command_error("Communication timeout during homing")
        return home_end_time if reason == trsync.REASON_ENDSTOP_HIT else 0.0

    def query_endstop(self, print_time):
        # Kalico asks before it homes
        return 0


class ProbeEndstop(Endstop):
    def get_position_endstop(self):
        return self._probe.height_mm


class StandInOwnDispatch:
    cmd_STANDIN_PROBE_help = "Probe once"

    def __init__(self, config):
        # Here and no sooner: extras that come before this section cannot know it
        from . import trigger_dispatch

        self.printer = config.get_printer()
        self.speed = config.getfloat("speed", 5.0)
        self.height_mm = config.getfloat("z_offset")
        offsets = (config.getfloat("x_offset"), config.getfloat("y_offset"))
        self.sensor = Sensor(config)
        self.dispatch = trigger_dispatch.TriggerDispatch(self.sensor.mcu)
        VirtualEndstopChip(self.printer, ProbeEndstop(self))
        ProbeObject(self.printer, (*offsets, self.height_mm), self.probe)
        register = self.printer.register_event_handler
        register("klippy:mcu_identify", self._handle_mcu_identify)
        register("homing:home_rails_end", self._handle_home_rails_end)
        self.printer.lookup_object("gcode").register_command(
            "STANDIN_PROBE", self.cmd_STANDIN_PROBE, desc=self.cmd_STANDIN_PROBE_help
        )

    def _handle_mcu_identify(self):
        for stepper in z_steppers(self.printer):
            self.dispatch.add_stepper(stepper)

    def _handle_home_rails_end(self, homing, rails):
        if 2 in homing.get_axes():
            homing.set_homed_position([None, None, self._measure()])

    def _measure(self):
        start = self.printer.lookup_object("toolhead").get_last_move_time() + SETTLING_S
        measured = self.sensor.measure_from(start, start + MEASURING_S)
        return sum(height for _, height in measured) / len(measured)

    def probe(self, gcmd):
        toolhead = self.printer.lookup_object("toolhead")
        toolhead.wait_moves()
        position = toolhead.get_position()[:]
        position[2] = -5.0
        self.printer.lookup_object("homing").probing_move(Endstop(self), position, self.speed)
        height = self._measure()
        position = toolhead.get_position()
        return [position[0], position[1], position[2] + self.height_mm - height]

    def cmd_STANDIN_PROBE(self, gcmd):
        gcmd.respond_info("standin z=%.9f" % (self.probe(gcmd)[2],))


def load_config(config):
    return StandInOwnDispatch(config)
