# Which rails stand level, which homing cannot know
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Callable, Dict, List

from .host import Host, Leveller
from .rail import Rail
from .sync_state import SyncState
from .wrapping import Wrapping


class LevelWatch:
    """Learns when a levelling command has put the steppers of a rail where they belong.

    commands has the command that levels a rail, by the rail's name.
    """

    def __init__(self, host: Host, rails: List[Rail], state: SyncState) -> None:
        self.commands: Dict[str, str] = {}
        self._state = state
        wrapping = Wrapping()
        for leveller in host.levellers():
            levelled = [
                rail.name
                for rail in rails
                if leveller.steppers.issuperset(s.get_name() for s in rail.steppers)
            ]
            self.commands.update(dict.fromkeys(levelled, leveller.command))
            wrapping.wrap(
                leveller.status, "check_retry_result", self._watcher(leveller, levelled)
            )

    def _watcher(
        self, leveller: Leveller, levelled: List[str]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def wrapper(check_retry_result: Callable[..., Any]) -> Callable[..., Any]:
            def check(*arguments: Any, **options: Any) -> Any:
                result = check_retry_result(*arguments, **options)
                if leveller.status.applied:
                    for name in levelled:
                        self._state.note_level(name)
                return result

            return check

        return wrapper
