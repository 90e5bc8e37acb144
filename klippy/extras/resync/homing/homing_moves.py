# The homing moves that are under way, one within another too
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, MutableSet, Optional
from weakref import WeakSet

from ..model.klippy import HomingMove
from ..model.rail import Rail
from ..pins.signals import Signals
from ..state.sync_state import SyncState
from .losses import Losses
from .span import HomingSpan


class HomingMoves:
    """Follows the homing moves of the toolhead, outermost first.

    An extra may home while it handles the begin of a homing move, to fetch a
    probe for one.  The outer move waits meanwhile, and is watched again then.
    host_moves has the homing moves whose function the host has not left yet.
    """

    def __init__(
        self,
        rails: List[Rail],
        state: SyncState,
        signals: Signals,
        host_moves: List[HomingMove],
        losses: Losses,
    ) -> None:
        self._rails = rails
        self._state = state
        self._signals = signals
        self._host_moves = host_moves
        self._losses = losses
        self._spans: List[HomingSpan] = []
        self._given_up: MutableSet[HomingMove] = WeakSet()

    @property
    def is_relayed(self) -> bool:
        """Whether the host relays where something is wrong with a signal."""
        return self._signals.fallback

    def is_any(self) -> bool:
        """Whether a homing move has begun and not ended."""
        return bool(self._spans)

    def is_started(self) -> bool:
        """Whether steppers are on their way until an endstop triggers."""
        return any(span.is_started for span in self._spans)

    def find(self, homing_move: HomingMove) -> Optional[HomingSpan]:
        """What is known of a homing move, None if its begin was missed."""
        return next((s for s in self._spans if s.homing_move is homing_move), None)

    def begin(self, homing_move: HomingMove) -> None:
        """A homing move of the toolhead has begun; raises the host's error."""
        if self._spans:
            self._spans[-1].stop()
        for span in list(self._spans):
            if span.is_started or span.homing_move not in self._host_moves:
                self._give_up(span)
        try:
            span = HomingSpan(homing_move, self._rails, self._state, self._signals)
        except Exception:
            # Whoever has begun it may go on without it
            self._resume_outer()
            raise
        self._spans.append(span)

    def _resume_outer(self) -> None:
        if self._spans:
            self._spans[-1].resume()

    def _give_up_within(self, span: HomingSpan) -> None:
        while self._spans[-1] is not span:
            self._spans[-1].stop()
            self._give_up(self._spans[-1])

    def end(self, span: HomingSpan) -> List[str]:
        """A homing move has ended; returns what was wrong with its signals."""
        self._give_up_within(span)
        faults = span.stop()
        self._spans.remove(span)
        self._resume_outer()
        return faults

    def stop(self) -> None:
        """Leave the endstops of all of them as they were found."""
        for span in self._spans:
            span.stop()

    def is_given_up(self, homing_move: HomingMove) -> bool:
        """Whether a homing move had started and is not among these any more."""
        return homing_move in self._given_up

    def _give_up(self, span: HomingSpan) -> None:
        self._spans.remove(span)
        if span.is_started:
            self._given_up.add(span.homing_move)
            self._losses.given_up(span)

    def leave(self, homing_move: HomingMove) -> bool:
        """The host has left a homing move; returns whether that was before its end."""
        span = self.find(homing_move)
        if span is None:
            return False
        self._give_up_within(span)
        span.stop()
        self._give_up(span)
        self._resume_outer()
        return True
