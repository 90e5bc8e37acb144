# Show the fault campaign when homing moves begin and end
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import os

LEVELLERS = ("quad_gantry_level", "z_tilt")


class FaultWatch:
    def __init__(self, config):
        self.printer = config.get_printer()
        self.gcode = self.printer.lookup_object("gcode")
        # Registered here, so that no other handler's error keeps these from
        # being called; only the resync comes first, at the end of the move
        for event in ("begin", "end"):
            self.printer.register_event_handler(
                "homing:homing_move_%s" % (event,), self._noting(event)
            )
        self.printer.register_event_handler("klippy:ready", self._handle_ready)

    def _say(self, event, **fields):
        fields.update(event=event)
        self.gcode.respond_raw("fault_watch %s" % (json.dumps(fields),))

    def _noting(self, event):
        def note(homing_move):
            toolhead = self.printer.lookup_object("toolhead")
            if homing_move.toolhead is not toolhead:
                # manual_stepper and the like bring a toolhead of their own
                return
            names = [name for _, name in homing_move.endstops]
            # The moves before it may not be over
            now = self.printer.get_reactor().monotonic()
            wait_s = toolhead.get_last_move_time() - toolhead.mcu.estimated_print_time(now)
            self._say(event, endstops=names, wait_s=wait_s)

        return note

    def _handle_ready(self):
        for name in LEVELLERS:
            leveller = self.printer.lookup_object(name, None)
            if leveller is not None:
                helper = leveller.z_helper
                helper.adjust_steppers = self._watched(helper.adjust_steppers)

    def _watched(self, adjust_steppers):
        # A levelling changes mappings on purpose
        def watched(*arguments):
            before_mm = self._offsets_mm()
            self._say("adjusting")
            try:
                return adjust_steppers(*arguments)
            finally:
                after_mm = self._offsets_mm()
                shifts_mm = {name: after_mm[name] - before_mm[name] for name in after_mm}
                self._say("adjusted", shifts_mm=shifts_mm)

        return watched

    def get_status(self, eventtime):
        # Of the reactor's greenlets that wait for something
        greenlets = self.printer.get_reactor()._all_greenlets
        return {"stacks": [self._stack(g.gr_frame) for g in greenlets if g.gr_frame is not None]}

    def _stack(self, frame):
        # Innermost first
        calls = []
        while frame is not None:
            code = frame.f_code
            folder, name = os.path.split(code.co_filename)
            room = os.path.basename(folder)
            if os.path.basename(os.path.dirname(folder)) == "resync":
                name = "resync/%s/%s" % (room, name)
            calls.append("%s:%s" % (name, code.co_name))
            frame = frame.f_back
        return calls

    def _offsets_mm(self):
        kinematics = self.printer.lookup_object("toolhead").get_kinematics()
        return {s.get_name(): -s.mcu_to_commanded_position(0) for s in kinematics.get_steppers()}


def load_config(config):
    return FaultWatch(config)
