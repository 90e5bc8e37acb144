# Misbehave at the beginning of a homing move, for the fault campaign
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json

WHATS = ("nest_x", "nest_z", "nest_stepper", "refuse_begin", "refuse_start")
NEST_SPEED_MM_S = 6.0
LOWEST_Z_MM = -8.0
# A move along X ends here whether or not there is a trigger
X_WAY_MM = 2.5
X_MAX_MM = 300.0
# Longer than the campaign watches what the steppers do after a homing move
PAUSE_S = 0.4


class FaultHandlers:
    """Runs a homing move of its own when another begins, or has the other given up."""

    def __init__(self, config):
        self.printer = config.get_printer()
        self.gcode = self.printer.lookup_object("gcode")
        self.what = ""
        self.left = 0
        self.is_nested = False
        # After the handlers of all sections above this one
        self.printer.register_event_handler("klippy:ready", self._handle_ready)
        self.gcode.register_command("FAULT_HANDLERS", self.cmd_FAULT_HANDLERS)

    def _handle_ready(self):
        self.printer.register_event_handler("homing:homing_move_begin", self._handle_begin)

    def cmd_FAULT_HANDLERS(self, gcmd):
        # At which homing move to do what; those of other axes than z count as well
        self.what = gcmd.get("WHAT")
        if self.what not in WHATS:
            raise gcmd.error("FAULT_HANDLERS: unknown WHAT")
        self.left = gcmd.get_int("AFTER", 0, minval=0)

    def _handle_begin(self, homing_move):
        if not self.what or self.is_nested or not self._is_suitable(homing_move):
            return
        if self.left:
            self.left -= 1
            return
        what, self.what = self.what, ""
        self.gcode.respond_raw("fault_watch %s" % (json.dumps({"event": "misbehaves"}),))
        if what == "refuse_begin":
            raise self.printer.command_error("fault_handlers: the begin is refused")
        if what == "refuse_start":
            self._refuse_start(homing_move.endstops[0][0])
            return
        self.is_nested = True
        try:
            self._nest(what, homing_move)
        finally:
            self.is_nested = False

    def _is_suitable(self, homing_move):
        toolhead = self.printer.lookup_object("toolhead")
        if homing_move.toolhead is not toolhead:
            return False
        if self.what in ("nest_x", "nest_z"):
            homed = toolhead.get_kinematics().get_status(0.0)["homed_axes"]
            names = [name for _, name in homing_move.endstops]
            return set("xyz") <= set(homed) and names in (["z"], ["probe"])
        return True

    def _refuse_start(self, endstop):
        home_start = endstop.home_start

        def refuse(*args, **kwargs):
            endstop.home_start = home_start
            raise self.printer.command_error("fault_handlers: the start is refused")

        endstop.home_start = refuse

    def _nest(self, what, homing_move):
        if what == "nest_stepper":
            self.gcode.run_script_from_command(
                "MANUAL_STEPPER STEPPER=dock SET_POSITION=0 MOVE=2 STOP_ON_ENDSTOP=2"
            )
            return
        toolhead = homing_move.toolhead
        start = toolhead.get_position()
        target, endstops = list(start), homing_move.endstops
        if what == "nest_z":
            target[2] = LOWEST_Z_MM
        else:
            target[0] = min(target[0] + X_WAY_MM, X_MAX_MM)
            endstops = toolhead.get_kinematics().rails[0].get_endstops()
        nested = type(homing_move)(self.printer, endstops, toolhead)
        nested.homing_move(
            target, NEST_SPEED_MM_S, probe_pos=True, check_triggered=what == "nest_z"
        )
        toolhead.manual_move(start[:3], 10.0 * NEST_SPEED_MM_S)
        toolhead.dwell(PAUSE_S)
        toolhead.wait_moves()


def load_config(config):
    return FaultHandlers(config)
