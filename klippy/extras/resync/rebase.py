# Keep the mappings when homing gives an axis a new coordinate
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
from typing import Any, Dict, Sequence

from . import mapping


class MappingKeeper:
    """Stands in for the toolhead's set_position() of one printer.

    The host re-bases each stepper on its own whole step there and so throws
    its sub-step phase away, which makes unlike steppers creep from one G28 to
    the next.  While homing, every stepper's mapping gets the same shift
    instead.  At all other times set_position() is the host's: levelling
    commands change mappings on purpose.
    """

    def __init__(self, toolhead: Any, steppers: Dict[str, Any]) -> None:
        self._toolhead = toolhead
        self._steppers = steppers
        self._host_set_position = toolhead.set_position
        self.is_homing = False
        # From the begin to the end of a homing move the counts run away from
        # the commanded positions, and the end of the move settles both
        self.in_homing_move = False
        toolhead.set_position = self._set_position

    def _is_active(self) -> bool:
        trapq = self._toolhead.get_trapq()
        # A levelling command takes single steppers off the toolhead's moves
        attached = all(s.get_trapq() == trapq for s in self._steppers.values())
        return self.is_homing and not self.in_homing_move and attached

    def _shifted_offsets_mm(self, newpos: Sequence[float]) -> Dict[str, float]:
        oldpos = self._toolhead.get_position()
        return {
            name: mapping.offset_mm(stepper)
            + stepper.calc_position_from_coord(oldpos[:3])
            - stepper.calc_position_from_coord(newpos[:3])
            for name, stepper in self._steppers.items()
        }

    def _set_position(self, newpos: Sequence[float], *args: Any, **kwargs: Any) -> None:
        if not self._is_active():
            self._host_set_position(newpos, *args, **kwargs)
            return
        offsets_mm = self._shifted_offsets_mm(newpos)
        self._host_set_position(newpos, *args, **kwargs)
        try:
            commanded_mm = mapping.commanded_at(self._steppers, offsets_mm, newpos)
        except mapping.MappingError as e:
            # The old mapping did not fit the old position: there is none to keep
            logging.info("multi_mcu_resync: %s", e)
            return
        mapping.place(self._steppers, commanded_mm, newpos)
