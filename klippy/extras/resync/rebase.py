# Keep the mappings when the host gives an axis a new coordinate
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Callable, Dict, List, Sequence

from . import mapping
from .rail import Rail
from .wrapping import Wrapping


class MappingKeeper:
    """Stands in for the toolhead's set_position() of one printer.

    The host re-bases each stepper on its own whole step there and so throws
    its sub-step phase away, which makes unlike steppers creep from one G28 to
    the next.  Here every stepper of a rail gets the same shift instead.
    Levelling commands change mappings on purpose, by moving single steppers;
    they take the others off the toolhead's moves meanwhile.
    """

    def __init__(
        self,
        toolhead: Any,
        rails: List[Rail],
        is_homing_move: Callable[[], bool],
        wrapping: Wrapping,
    ) -> None:
        self._toolhead = toolhead
        self._rails = rails
        self._steppers = {s.get_name(): s for rail in rails for s in rail.steppers}
        # From the start to the end of a homing move the counts run away from
        # the commanded positions, and the end of the move settles both
        self._is_homing_move = is_homing_move
        wrapping.wrap_shipped(toolhead, "set_position", self._keeping)

    def _followers(self) -> List[Rail]:
        if self._is_homing_move():
            return []
        return [
            rail
            for rail in self._rails
            if all(mapping.follows(s, self._toolhead) for s in rail.steppers)
        ]

    def _keeping(self, host_set_position: Callable[..., None]) -> Callable[..., None]:
        def set_position(newpos: Sequence[float], *args: Any, **kwargs: Any) -> None:
            oldpos = self._toolhead.get_position()
            rails_mm = [self._rail_mm(rail, oldpos) for rail in self._followers()]
            host_set_position(newpos, *args, **kwargs)
            for offsets_mm in rails_mm:
                shifted_mm = {
                    name: offset - self._steppers[name].calc_position_from_coord(newpos[:3])
                    for name, offset in offsets_mm.items()
                }
                mapping.restore_idle(self._steppers, shifted_mm, newpos)

        return set_position

    def _rail_mm(self, rail: Rail, oldpos: Sequence[float]) -> Dict[str, float]:
        """Each stepper's mapping offset plus its coordinate at the old position."""
        return {
            s.get_name(): mapping.offset_mm(s) + s.calc_position_from_coord(oldpos[:3])
            for s in rail.steppers
        }
