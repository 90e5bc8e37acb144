# What homing moves that went wrong do to the state
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Collection, List

from ..model.klippy import HomingMove
from ..model.rail import Rail
from ..state.sync_state import SyncState
from .span import BEGIN_MISSED, HomingSpan, moved_rails

GIVEN_UP = "a homing move was given up on its way"


class Losses:
    """Rails that homing moves have left out of step, or may have.

    Where nothing is corrected nothing can be lost: there are no rails then.
    """

    def __init__(self, rails: List[Rail], state: SyncState) -> None:
        self._rails = rails
        self._state = state

    def not_corrected(self, span: HomingSpan, corrected: Collection[str], reason: str) -> None:
        """A homing move failed, and only the rails of these names have been corrected."""
        for rail in moved_rails(span.homing_move, self._rails):
            if rail.name not in corrected:
                self._leave(span, rail, reason)

    def given_up(self, span: HomingSpan) -> None:
        """A homing move that had started will not come to its end."""
        for rail in moved_rails(span.homing_move, self._rails):
            self._leave(span, rail, GIVEN_UP)
            # Its MCUs stop by themselves while the host sends on
            self._state.note_miscount(rail.name, GIVEN_UP)

    def begin_missed(self, homing_move: HomingMove) -> None:
        """A homing move has ended, and nobody knows where its steppers came from."""
        for rail in moved_rails(homing_move, self._rails):
            self._state.lose(rail.name, BEGIN_MISSED)

    def _leave(self, span: HomingSpan, rail: Rail, reason: str) -> None:
        """A rail that has moved was not put back in step."""
        skew_mm = span.skew_mm(rail)
        if skew_mm:
            self._state.note_skewed(rail.name, skew_mm, reason)
        else:
            self._state.lose(rail.name, reason)
