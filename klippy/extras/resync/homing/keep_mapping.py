# Keep the mappings when the host gives an axis a new coordinate
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Callable, Dict, List, Sequence, Set

from ..host import mapping
from ..host.patches import Patches, Proceed
from ..model.klippy import Toolhead
from ..model.rail import Rail


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
        toolhead: Toolhead,
        rails: List[Rail],
        is_homing_move: Callable[[], bool],
        has_dual_carriage: bool,
        patches: Patches,
    ) -> None:
        self._toolhead = toolhead
        self._rails = rails
        self._steppers = {s.get_name(): s for rail in rails for s in rail.steppers}
        # Those whose carriage may be parked
        self._parkable = self._steppers if has_dual_carriage else {}
        # From the start to the end of a homing move the counts run away from
        # the commanded positions, and the end of the move settles both
        self._is_homing_move = is_homing_move
        patches.around_set_position(toolhead, self._keep)

    def _parked(self) -> Set[str]:
        return {name for name, s in self._parkable.items() if mapping.is_parked(s)}

    def _followers(self, parked: Set[str]) -> List[Rail]:
        return [
            rail
            for rail in self._rails
            if all(mapping.follows(s, self._toolhead) for s in rail.steppers)
            and rail.name not in parked
        ]

    def _keep(self, proceed: Proceed, newpos: Sequence[float]) -> None:
        parked = self._parked()
        if self._is_homing_move():
            self._proceed(proceed, parked)
            return
        rails_mm = [self._offsets_mm(rail) for rail in self._followers(parked)]
        oldpos = self._toolhead.get_position()
        self._proceed(proceed, parked)
        for offsets_mm in rails_mm:
            self._restore(offsets_mm, oldpos, newpos)

    def _proceed(self, proceed: Proceed, parked: Set[str]) -> None:
        if not parked:
            proceed()
            return
        # Wherever the toolhead is, a parked carriage stays where it is, and there
        # is no coordinate by which its steppers could be given their phase back
        shielding = Patches()
        for name in parked:
            shielding.keep_from_set_position(self._steppers[name])
        try:
            proceed()
        finally:
            shielding.undo()

    def _offsets_mm(self, rail: Rail) -> Dict[str, float]:
        return {s.get_name(): mapping.offset_mm(s) for s in rail.steppers}

    def _restore(
        self, offsets_mm: Dict[str, float], oldpos: Sequence[float], newpos: Sequence[float]
    ) -> None:
        position_mm = {n: self._steppers[n].calc_position_from_coord for n in offsets_mm}
        shifted_mm = {
            name: offset + position_mm[name](oldpos) - position_mm[name](newpos)
            for name, offset in offsets_mm.items()
        }
        try:
            placement = mapping.commanded_at(self._steppers, shifted_mm, newpos)
        except mapping.MappingError:
            # The carriage that an IDEX printer activates was not at the toolhead's
            # old position, but is at the new one since it was parked
            mapping.restore_idle(self._steppers, offsets_mm, newpos)
            return
        mapping.place(self._steppers, placement)
