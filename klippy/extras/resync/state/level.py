# Which rails stand level, which homing cannot know
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import functools
from typing import Dict, List, Set

from ..host.host import Host, Leveller
from ..host.patches import Patches
from ..model.rail import Rail
from .sync_state import SyncState


class LevelWatch:
    """Learns when a levelling command has put the steppers of a rail where they belong.

    commands has the command that levels a rail, by the rail's name.
    """

    def __init__(self, host: Host, rails: List[Rail], state: SyncState, patches: Patches) -> None:
        self._rails = rails
        self._state = state
        self.commands: Dict[str, str] = {}
        for leveller in host.levellers():
            for rail in self._rails_of(leveller.steppers):
                self.commands[rail.name] = leveller.command
            patches.after_check_retry_result(
                leveller.status, functools.partial(self._note_result, leveller)
            )
            for helper in leveller.helpers:
                patches.before_adjust_steppers(helper, functools.partial(self._doubt, leveller))

    def _rails_of(self, steppers: Set[str]) -> List[Rail]:
        return [r for r in self._rails if steppers.issuperset(r.stepper_names)]

    def _doubt(self, leveller: Leveller) -> None:
        for rail in self._rails_of(leveller.levelled()):
            reason = "%s has not come to its end" % (leveller.command,)
            self._state.note_level_needed(rail.name, reason)

    def _note_result(self, leveller: Leveller, result: object) -> None:
        if leveller.is_done(result):
            for rail in self._rails_of(leveller.levelled()):
                self._note_level(rail)

    def _note_level(self, rail: Rail) -> None:
        self._state.note_level(rail.name)
        if self._state.get(rail.name).in_sync is None:
            # [motors_sync] switches one of the motors off meanwhile
            self._state.note_corrected(rail.name, rail.stepper_names)
