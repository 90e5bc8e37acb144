# Whether the steppers of a rail are in step, and by how much they are not
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, Iterable, Mapping, NamedTuple, Optional, Sequence, Set

NOT_HOMED = "not homed yet"
NOT_CORRECTED = "the correction is off"
OWN_ENDSTOPS = "each of its steppers has homed to an endstop of its own"
NOT_LEVELLED = "not levelled since the start"
MOTORS_OFF = "motors off"
SHUT_DOWN = "the printer was shut down"

# What every day brings with it, and levelling before a print takes care of
EVERYDAY = ("", NOT_LEVELLED, MOTORS_OFF)
# Reasons of a state that is unknown, of which the last one counts
FORGOTTEN = (MOTORS_OFF, SHUT_DOWN)


class RailState(NamedTuple):
    """in_sync is None while nothing is known; reason says why it is not True.

    Homing puts steppers in step with each other from then on, and cannot know
    whether they were apart before.  level_reason says what may have put them
    apart without a trace in the counts; it is empty once they are level again.
    is_skew_known says whether a rail that is not in step can be put back by
    what is known of its skew.
    """

    in_sync: Optional[bool]
    reason: str
    level_reason: str = NOT_LEVELLED
    is_skew_known: bool = False

    def has_level_incident(self) -> bool:
        """Whether the rail has to be levelled because something went wrong."""
        return self.level_reason not in EVERYDAY


class SyncState:
    """The state of each rail, and the skew that is known of its steppers.

    skew_mm is by how much a stepper's mapping offset in the host is off: how
    far it stands from the rail's first stepper, when both should stand at the
    same coordinate.  It stays until it is corrected.
    """

    def __init__(self, rail_names: Sequence[str], reason: str = NOT_HOMED) -> None:
        level_reason = NOT_LEVELLED if reason == NOT_HOMED else reason
        state = RailState(None, reason, level_reason)
        self._states: Dict[str, RailState] = dict.fromkeys(rail_names, state)
        self.skew_mm: Dict[str, float] = {}
        # Rails that no command levels: nobody does so every day
        self._unlevelled: Set[str] = set()
        # What goes on after a shutdown can put nothing right any more
        self._is_closed = False

    def note_unlevelled(self, rail_names: Iterable[str]) -> None:
        """No command of this printer levels these rails."""
        self._unlevelled = set(rail_names)
        for name in self._unlevelled:
            if not self._states[name].has_level_incident():
                self._states[name] = self._states[name]._replace(level_reason="")

    def note_incidents(self, incidents: Mapping[str, str]) -> None:
        """What incidents() said of the rails before the printer was restarted."""
        for name, reason in incidents.items():
            if name in self._states:
                self._states[name] = self._states[name]._replace(level_reason=reason)

    def incidents(self) -> Dict[str, str]:
        """Why a rail has to be levelled, or is not in step, by rail; but for everyday reasons."""
        return {
            name: state.reason if state.in_sync is False else state.level_reason
            for name, state in self._states.items()
            if state.in_sync is False or state.has_level_incident()
        }

    def get(self, rail_name: str) -> RailState:
        """State of a rail."""
        return self._states[rail_name]

    def note_corrected(self, rail_name: str, steppers: Sequence[str]) -> None:
        """The steppers have been put in step."""
        if self._is_closed:
            return
        self._states[rail_name] = RailState(True, "", self._states[rail_name].level_reason)
        for name in steppers:
            self.skew_mm.pop(name, None)

    def note_level(self, rail_name: str) -> None:
        """The steppers stand where they belong, by a probe or by their owner's word."""
        if self._is_closed:
            return
        self._states[rail_name] = self._states[rail_name]._replace(level_reason="")

    def note_squared(self, rail_name: str, steppers: Sequence[str]) -> None:
        """Endstops of their own have put the steppers where they belong."""
        if self._is_closed:
            return
        self._states[rail_name] = RailState(None, OWN_ENDSTOPS, "")
        for name in steppers:
            self.skew_mm.pop(name, None)

    def note_skewed(self, rail_name: str, skew_mm: Mapping[str, float], reason: str) -> None:
        """The steppers of a rail are out of step by known ways (mm)."""
        self._states[rail_name] = self._states[rail_name]._replace(
            in_sync=False, reason=reason, is_skew_known=True
        )
        self.skew_mm.update(skew_mm)

    def note_moved(
        self, rail_name: str, steppers: Sequence[str], moved: str, distance_mm: float, reason: str
    ) -> None:
        """One of a rail's steppers has moved alone: where its skew is known, it still is."""
        state = self._states[rail_name]
        skew_mm = {name: self.skew_mm.get(name, 0.0) for name in steppers}
        skew_mm[moved] += distance_mm
        if state.in_sync or state.is_skew_known:
            self.note_skewed(rail_name, skew_mm, reason)
        else:
            if not self.skew_mm.keys().isdisjoint(steppers):
                # Homing puts back what is known of it, although the motors were off
                self.skew_mm.update(skew_mm)
            self.note_level_needed(rail_name, reason)

    def note_miscount(self, rail_name: str, reason: str) -> None:
        """An MCU has counted otherwise than the host; homing reads its count again."""
        self._states[rail_name] = self._states[rail_name]._replace(
            in_sync=False, reason=reason, is_skew_known=False
        )

    def lose(self, rail_name: str, reason: str) -> None:
        """Something has put the rail out of step by ways that no count shows."""
        self._states[rail_name] = RailState(False, reason, reason)

    def restore(self, rail_name: str, state: RailState) -> None:
        """What was noted last has been undone."""
        if not self._is_closed:
            self._states[rail_name] = state

    def close(self) -> None:
        """The printer is shut down: the host may go on with a command that levels or corrects."""
        self.forget(self._states, SHUT_DOWN)
        self._is_closed = True

    def forget(self, rail_names: Iterable[str], reason: str) -> None:
        """Nothing holds the steppers of these rails, or nothing is known of them any more."""
        for name in rail_names:
            state = self._states[name]
            if state.in_sync or state.reason in FORGOTTEN:
                self._states[name] = self._states[name]._replace(in_sync=None, reason=reason)
            elif state.in_sync is False:
                # Homing puts back what is known, and who lets go of it may do so by hand
                self.note_level_needed(name, state.reason)
            self._states[name] = self._states[name]._replace(is_skew_known=False)
            self.note_level_needed(name, reason)

    def note_level_needed(self, rail_name: str, reason: str) -> None:
        """The steppers may stand apart in a way that homing does not see.

        An everyday reason does not take the place of an incident, and is none
        where nobody levels.
        """
        is_everyday = reason in EVERYDAY
        if is_everyday and (
            rail_name in self._unlevelled or self._states[rail_name].has_level_incident()
        ):
            return
        self._states[rail_name] = self._states[rail_name]._replace(level_reason=reason)
