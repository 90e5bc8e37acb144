# Whether the steppers of a rail are in step, and by how much they are not
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence

from .plan import StepperReading


class RailState(NamedTuple):
    """in_sync is None while nothing is known; reason tells why it is not True."""

    in_sync: Optional[bool]
    reason: str


NOT_HOMED = "not homed yet"
NOT_CORRECTED = "the correction is off"


class SyncState:
    """The state of each rail, and the skew that is known of its steppers.

    skew_mm is by how much a stepper's mapping offset in the host is off: how
    far it stands from the rail's first stepper, when both should stand at the
    same coordinate.  It stays until it is corrected.
    """

    def __init__(self, rail_names: Sequence[str], reason: str = NOT_HOMED) -> None:
        self._states: Dict[str, RailState] = dict.fromkeys(rail_names, RailState(None, reason))
        self.skew_mm: Dict[str, float] = {}

    def get(self, rail_name: str) -> RailState:
        """State of a rail."""
        return self._states[rail_name]

    def note_corrected(self, rail_name: str, steppers: Sequence[str]) -> None:
        """The steppers have been put in step."""
        self._states[rail_name] = RailState(True, "")
        for name in steppers:
            self.skew_mm.pop(name, None)

    def note_skewed(self, rail_name: str, readings: List[StepperReading], reason: str) -> None:
        """The steppers were left where they halted."""
        self._states[rail_name] = RailState(False, reason)
        reference = readings[0]
        reference_mm = reference.position_mm(reference.halt_steps)
        for reading in readings:
            self.skew_mm[reading.name] = reading.position_mm(reading.halt_steps) - reference_mm

    def note_moved(self, stepper_name: str, distance_mm: float) -> None:
        """A stepper has moved alone: where its skew is known, it still is."""
        if stepper_name in self.skew_mm:
            self.skew_mm[stepper_name] += distance_mm

    def lose(self, rail_name: str, reason: str) -> None:
        """Something has put the rail out of step by an unknown amount."""
        self._states[rail_name] = RailState(False, reason)

    def restore(self, rail_name: str, state: RailState) -> None:
        """What was noted last has been undone."""
        self._states[rail_name] = state

    def forget(self, rail_names: Iterable[str], reason: str) -> None:
        """Nothing is known any more of those of these rails that were in step."""
        for name in rail_names:
            if self._states[name].in_sync:
                self._states[name] = RailState(None, reason)
