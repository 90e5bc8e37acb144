# Learn of motors that are switched off
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Callable, Dict, List

from ..model.klippy import EnableTracking, Printer
from ..model.rail import Rail
from .sync_state import MOTORS_OFF, RailState, SyncState


class MotorWatch:
    """Learns of motors that are switched off, all of a rail or one alone."""

    def __init__(self, printer: Printer, rails: List[Rail], state: SyncState) -> None:
        self._state = state
        stepper_enable = printer.lookup_object("stepper_enable")
        for rail in rails:
            names = rail.stepper_names
            enables = {name: stepper_enable.lookup_enable(name) for name in names}
            # By print time (s): what the rail was before a motor was switched off then
            before: Dict[float, RailState] = {}
            for name, enable in enables.items():
                others = [e for n, e in enables.items() if n != name]
                enable.register_state_callback(self._handler(rail.name, name, others, before))

    def _handler(
        self,
        rail_name: str,
        name: str,
        others: List[EnableTracking],
        before: Dict[float, RailState],
    ) -> Callable[[float, bool], None]:
        def handle(print_time: float, is_enabled: bool) -> None:
            if is_enabled:
                return
            if print_time not in before:
                before.clear()
                before[print_time] = self._state.get(rail_name)
            if any(enable.is_motor_enabled() for enable in others):
                # While the others hold the rail, this one lets go
                self._state.forget([rail_name], "the motor of '%s' was switched off" % (name,))
            else:
                # One after the other, but at the same time
                self._state.restore(rail_name, before[print_time])
                self._state.forget([rail_name], MOTORS_OFF)

        return handle
