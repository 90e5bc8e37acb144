# Which rails stand level, which homing cannot know
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List, Set

from ..host.host import Host, Leveller
from ..host.stand_in import Call, Wrapper, Wrapping
from ..model.rail import Rail
from .sync_state import SyncState


class LevelWatch:
    """Learns when a levelling command has put the steppers of a rail where they belong.

    commands has the command that levels a rail, by the rail's name.
    """

    def __init__(self, host: Host, rails: List[Rail], state: SyncState, wrapping: Wrapping) -> None:
        self._rails = rails
        self._state = state
        self.commands: Dict[str, str] = {}
        for leveller in host.levellers():
            for rail in self._rails_of(leveller.steppers):
                self.commands[rail.name] = leveller.command
            wrapping.wrap(leveller.status, "check_retry_result", self._watcher(leveller))
            if leveller.helper is not None:
                wrapping.wrap(leveller.helper, "adjust_steppers", self._doubter(leveller))

    def _rails_of(self, steppers: Set[str]) -> List[Rail]:
        return [r for r in self._rails if steppers.issuperset(s.get_name() for s in r.steppers)]

    def _doubter(self, leveller: Leveller) -> Wrapper:
        reason = "%s has not come to its end" % (leveller.command,)

        def wrapper(adjust_steppers: Call) -> Call:
            def adjust(*arguments: object, **options: object) -> object:
                for rail in self._rails_of(leveller.levelled()):
                    self._state.note_level_needed(rail.name, reason)
                return adjust_steppers(*arguments, **options)

            return adjust

        return wrapper

    def _watcher(self, leveller: Leveller) -> Wrapper:
        def wrapper(check_retry_result: Call) -> Call:
            def check(*arguments: object, **options: object) -> object:
                result = check_retry_result(*arguments, **options)
                # Until Klipper 2024-12-19 (v0.13) there is no result where retries are zero
                if leveller.status.applied or result is None:
                    for rail in self._rails_of(leveller.levelled()):
                        self._note_level(rail)
                return result

            return check

        return wrapper

    def _note_level(self, rail: Rail) -> None:
        self._state.note_level(rail.name)
        if self._state.get(rail.name).in_sync is None:
            # [motors_sync] switches one of the motors off meanwhile
            self._state.note_corrected(rail.name, [s.get_name() for s in rail.steppers])
