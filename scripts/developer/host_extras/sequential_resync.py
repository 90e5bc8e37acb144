# Baseline of the benchmark: one stepper after the other, back to the trigger
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from .resync.host.host import Host

# What users run today: 5 mm/s without acceleration
SPEED = 5.0


class SequentialResync:
    """The best answer there was: FORCE_MOVE's own code, stepper by stepper.

    Mappings are left as the host makes them.  With correct: False the start-up
    checks are lifted, and the host is left alone.
    """

    def __init__(self, config):
        self.printer = config.get_printer()
        self.host = Host(config)
        self.host.lift_shared_axis_checks(config, lambda axis: True)
        self.printer.load_object(config, "force_move")
        if config.getboolean("correct", True):
            self.printer.register_event_handler("klippy:ready", self._handle_ready)

    def _handle_ready(self):
        self.host.register_first("homing:homing_move_end", self._handle_move_end)

    def _handle_move_end(self, homing_move):
        toolhead = homing_move.toolhead
        kinematics = toolhead.get_kinematics()
        force_move = self.printer.lookup_object("force_move")
        position = list(toolhead.get_position())
        commanded_mm = {s.get_name(): s.get_commanded_position() for s in kinematics.get_steppers()}
        for sp in homing_move.stepper_positions:
            distance_mm = (sp.trig_pos - sp.halt_pos) * sp.stepper.get_step_dist()
            commanded_mm[sp.stepper_name] += distance_mm
            if distance_mm:
                force_move.manual_move(sp.stepper, distance_mm, SPEED)
        for axis, coord in enumerate(kinematics.calc_position(commanded_mm)[:3]):
            if coord is not None:
                position[axis] = coord
        toolhead.set_position(position)


def load_config(config):
    return SequentialResync(config)
