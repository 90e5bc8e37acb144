# A stand-in of [motors_sync]: moves one motor of an axis while the other is off
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from .standin_sensor import host_module

SETTLING_S = 0.1
SPEED_MM_S, ACCEL = 50.0, 1000.0


class Belt:
    """An axis with two motors."""

    def __init__(self, printer, axis):
        self._printer, self._axis = printer, axis

    def get_steppers(self):
        kinematics = self._printer.lookup_object("toolhead").get_kinematics()
        return [s for s in kinematics.get_steppers() if "stepper_" + self._axis in s.get_name()]


class StandInMotorsSync:
    cmd_SYNC_MOTORS_help = "Move the second motor of each axis by STEPS while the first is off"
    cmd_SHIFT_MOTOR_help = "Move the second motor of an axis by STEPS, both of them on"

    def __init__(self, config):
        self.printer = config.get_printer()
        self.force_move = self.printer.load_object(config, "force_move")
        self.status = host_module("extras.z_tilt").ZAdjustStatus(self.printer)
        self.axes = []
        self.motion = {axis: Belt(self.printer, axis) for axis in config.getlist("axes")}
        self.printer.add_object("motors_sync", self)
        gcode = self.printer.lookup_object("gcode")
        for name in ("SYNC_MOTORS", "SHIFT_MOTOR"):
            gcode.register_command(
                name,
                getattr(self, "cmd_%s" % (name,)),
                desc=getattr(self, "cmd_%s_help" % (name,)),
            )

    def enable(self, stepper, is_enabled):
        toolhead = self.printer.lookup_object("toolhead")
        enable = self.printer.lookup_object("stepper_enable").lookup_enable(stepper.get_name())
        toolhead.dwell(SETTLING_S)
        switch = enable.motor_enable if is_enabled else enable.motor_disable
        switch(toolhead.get_last_move_time())
        toolhead.dwell(SETTLING_S)

    def shift(self, stepper, steps):
        self.force_move.manual_move(stepper, steps * stepper.get_step_dist(), SPEED_MM_S, ACCEL)

    def cmd_SYNC_MOTORS(self, gcmd):
        self.axes = gcmd.get("AXES", ",".join(self.motion)).split(",")
        self.status.reset()
        for axis in self.axes:
            first, second = self.motion[axis].get_steppers()
            self.enable(first, False)
            # Too far, and back to where the frame shakes least
            for steps in (9, -9, gcmd.get_int("STEPS")):
                self.shift(second, steps)
            self.enable(first, True)
        if gcmd.get_int("FAIL", 0):
            raise gcmd.error("Too many retries")
        self.status.check_retry_result("done")

    def cmd_SHIFT_MOTOR(self, gcmd):
        self.shift(self.motion[gcmd.get("AXIS")].get_steppers()[1], gcmd.get_int("STEPS"))


def load_config(config):
    return StandInMotorsSync(config)
