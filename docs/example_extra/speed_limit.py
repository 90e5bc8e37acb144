# Limits the speed of moves below a height: an example of an extra with tests
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.


class SpeedLimit:
    def __init__(self, config):
        self.printer = config.get_printer()
        self.below_mm = config.getfloat("below", 5.0, above=0.0)
        self.max_speed_mm_s = config.getfloat("max_speed", 20.0, above=0.0)
        self.printer.register_event_handler("klippy:connect", self._connect)

    def _connect(self):
        # As [skew_correction] and others do: whoever transforms moves hands them on
        gcode_move = self.printer.lookup_object("gcode_move")
        self.next_transform = gcode_move.set_move_transform(self, force=True)

    def get_position(self):
        return self.next_transform.get_position()

    def move(self, newpos, speed):
        if newpos[2] < self.below_mm:
            speed = min(speed, self.max_speed_mm_s)
        self.next_transform.move(newpos, speed)

    def get_status(self, eventtime):
        return {"below": self.below_mm, "max_speed": self.max_speed_mm_s}


def load_config(config):
    return SpeedLimit(config)
