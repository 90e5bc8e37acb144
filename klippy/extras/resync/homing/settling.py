# Let earlier moves end before a sensor is armed that knows of no beginning
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, Set

from ..host.host import Host
from ..model.klippy import Endstop, HomingMove
from ..model.rail import Rail


class Settling:
    """Has the toolhead stand still before some homing moves.

    A sensor with code of its own, as Beacon, looks as soon as it is armed.  The
    host arms it long before the homing move begins, while a lift may still be under
    way from where the bed was near: that would stop there, and each MCU elsewhere.
    """

    def __init__(self, host: Host, rails: List[Rail]) -> None:
        self._host = host
        self._names: Set[str] = {name for rail in rails for name in rail.stepper_names}

    def before(self, homing_move: HomingMove) -> None:
        """A homing move has begun, and nothing is armed yet."""
        endstops = [endstop for endstop, _ in homing_move.endstops]
        if any(not self._host.knows_its_begin(e) and self._stops_ours(e) for e in endstops):
            homing_move.toolhead.wait_moves()

    def _stops_ours(self, endstop: Endstop) -> bool:
        return any(stepper.get_name() in self._names for stepper in endstop.get_steppers())
