# A stand-in of [probe_eddy_current]: it measures for a while after its endstop has triggered
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from .standin_own_dispatch.trigger_dispatch import TriggerDispatch
from .standin_sensor import ProbeObject, Sensor, VirtualEndstopChip, z_steppers

# From when until when after the trigger the host averages what it measures
START_S, END_S = 0.050, 0.150


class Endstop:
    """Remembers when it was triggered, as the hosts' own does."""

    def __init__(self, printer, sensor, height_mm):
        self._printer, self._sensor, self._height_mm = printer, sensor, height_mm
        self._dispatch = TriggerDispatch(sensor.mcu)
        self._trigger_time = 0.0
        self.add_stepper = self._dispatch.add_stepper
        printer.register_event_handler("klippy:mcu_identify", self._handle_mcu_identify)

    def _handle_mcu_identify(self):
        for stepper in z_steppers(self._printer):
            self.add_stepper(stepper)

    def get_mcu(self):
        return self._sensor.mcu

    def get_steppers(self):
        return self._dispatch.get_steppers()

    def get_position_endstop(self):
        return self._height_mm

    def home_start(self, print_time, sample_time, sample_count, rest_time, triggered=True):
        self._trigger_time = 0.0
        completion = self._dispatch.start(print_time)
        self._sensor.arm(print_time, self._dispatch.get_trsync())
        return completion

    def home_wait(self, home_end_time):
        reason = self._dispatch.wait(home_end_time)
        trigger_time = self._sensor.disarm()
        trsync = self._dispatch.get_trsync()
        if reason == trsync.REASON_COMMS_TIMEOUT:
            raise self._printer.command_error("Communication timeout during homing")
        if reason != trsync.REASON_ENDSTOP_HIT:
            return 0.0
        self._trigger_time = trigger_time
        return trigger_time

    def query_endstop(self, print_time):
        # Kalico asks before it homes
        return 0

    def get_last_trigger_time(self):
        return self._trigger_time


class StandInEddy:
    cmd_STANDIN_PROBE_help = "Probe once"

    def __init__(self, config):
        self.printer = config.get_printer()
        self.speed = config.getfloat("speed", 5.0)
        self.height_mm = config.getfloat("z_offset")
        offsets = (config.getfloat("x_offset"), config.getfloat("y_offset"))
        self.sensor = Sensor(config)
        self.endstop = Endstop(self.printer, self.sensor, self.height_mm)
        VirtualEndstopChip(self.printer, self.endstop)
        ProbeObject(self.printer, (*offsets, self.height_mm), self.probe)
        # What the host calls each of its own
        self.printer.add_object("probe_eddy_current standin", self)
        self.printer.lookup_object("gcode").register_command(
            "STANDIN_PROBE", self.cmd_STANDIN_PROBE, desc=self.cmd_STANDIN_PROBE_help
        )

    def get_status(self, eventtime):
        return {}

    def probe(self, gcmd):
        toolhead = self.printer.lookup_object("toolhead")
        position = toolhead.get_position()[:]
        position[2] = -5.0
        self.printer.lookup_object("homing").probing_move(self.endstop, position, self.speed)
        trigger_time = self.endstop.get_last_trigger_time()
        position = toolhead.get_position()
        measured = self.sensor.measure_from(trigger_time + START_S, trigger_time + END_S)
        height = sum(height for _, height in measured) / len(measured)
        return [position[0], position[1], position[2] + self.height_mm - height]

    def cmd_STANDIN_PROBE(self, gcmd):
        gcmd.respond_info("standin z=%.9f" % (self.probe(gcmd)[2],))


def load_config(config):
    return StandInEddy(config)
