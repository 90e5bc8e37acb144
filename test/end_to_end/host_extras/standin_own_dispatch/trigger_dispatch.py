# A dispatch of triggers for hosts that have none, with a check of its own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from ..standin_sensor import Trigger


class TriggerDispatch:
    def __init__(self, mcu):
        self._mcu = mcu
        self._trigger = Trigger(mcu)
        self.start = self._trigger.start
        self.wait = self._trigger.wait
        self.get_steppers = self._trigger.get_steppers

    def get_trsync(self):
        return self._trigger.trsyncs[0]

    def add_stepper(self, stepper):
        trsyncs = {stepper.get_mcu(): self._trigger.trsync_of(stepper.get_mcu())}
        trsyncs[stepper.get_mcu()].add_stepper(stepper)
        if not stepper.get_name().startswith("stepper_"):
            return
        for trsync in self._trigger.trsyncs:
            if trsync.get_mcu() in trsyncs:
                continue
            if any(s.get_name()[:9] == stepper.get_name()[:9] for s in trsync.get_steppers()):
                message = "Multi-mcu homing not supported on multi-mcu shared axis"
                raise self._mcu.get_printer().config_error(message)
