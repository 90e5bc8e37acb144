# The simulation's carriages: where each starts, what lifts the gantry, what each stepper moves
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from printer_config.config import Config
from printer_config.kinematics import Kinematics, Motor, Moves, Track
from printer_config.section import Section
from virtual_printer.gantry import MAX_Z_STEPPERS, lift_points
from virtual_printer.model import Carriage

# Draws a default: its purpose, and the least and the greatest value
Draw = Callable[[str, float, float], float]


@dataclass(frozen=True)
class Range:
    """Where a carriage can be (mm)."""

    minimum_mm: float
    maximum_mm: float

    def at(self, share: float) -> float:
        """Return the place at a share of the way from the least to the greatest."""
        return self.minimum_mm + share * (self.maximum_mm - self.minimum_mm)


def track_range(track: Track) -> Range:
    """Return where a track's carriage can be."""
    minimum_mm = track.range.get_float("position_min", 0.0)
    return Range(minimum_mm, track.range.get_float("position_max", above=minimum_mm))


class Carriages:
    """What moves on its own.

    A stepper that moves nothing but Z lifts the gantry at a place of its own, since gantries tilt;
    what moves along another axis besides rides on the middle of the gantry.
    """

    def __init__(
        self, printer: Config, kinematics: Kinematics, ranges: Mapping[str, Range]
    ) -> None:
        self._printer = printer
        # Along axes that have no track
        self._ranges = ranges
        self._kinematics = kinematics
        self.ranges = {track.name: track_range(track) for track in kinematics.tracks}
        # The steppers that lift the gantry for each Z track
        self._lifts: Dict[str, List[Motor]] = {}
        for track in kinematics.of_axis("z"):
            if self.is_moved(track):
                alone = [one for one in kinematics.motors if list(one.moves) == [track.name]]
                self._lifts[track.name] = alone
        if sum(len(alone) or 1 for alone in self._lifts.values()) > MAX_Z_STEPPERS:
            last = [motor for alone in self._lifts.values() for motor in alone][-1].section
            raise last.error("step_pin", f"is one more than {MAX_Z_STEPPERS} Z steppers")

    def main_range(self, axis: str) -> Range:
        """Return where the toolhead can be along an axis."""
        if axis in self._ranges:
            return self._ranges[axis]
        return self.ranges[self._kinematics.of_axis(axis)[0].name]

    def is_moved(self, track: Track) -> bool:
        """Whether a track is a carriage of its own, not just one more switch for one."""
        is_named = any(track.name in motor.moves for motor in self._kinematics.motors)
        return is_named or track.name == track.primary

    def moves(self, motor: Motor) -> Tuple[Tuple[str, float], ...]:
        """Return which carriages a stepper moves, and how far it turns for 1 mm of each."""
        moves: Moves = {}
        for name, by in motor.moves.items():
            lifts = self._lifts.get(name, [])
            if motor in lifts:
                moves[motor.name] = by
            elif lifts:
                moves.update({lift.name: by / len(lifts) for lift in lifts})
            else:
                moves[name] = by
        return tuple(moves.items())

    def switched(self, track: Track) -> Optional[str]:
        """Return which carriage a track's switch feels; None for the nozzle over the bed."""
        if track.axis != "z":
            return track.name if self.is_moved(track) else track.primary
        if len(self._kinematics.of_axis("z")) == 1:
            return None
        # Switches for single corners stand beside the gantry
        lifting = [motor for alone in self._lifts.values() for motor in alone]
        found = [motor.name for motor in lifting if motor.section is track.endstop]
        found += [motor.name for motor in self._lifts.get(track.name, [])]
        return found[0] if found else None

    def stopped(self, track: Track) -> List[str]:
        """Return the carriages that the end of a track's way stops."""
        if track.axis == "z":
            return [lift.name for lift in self._lifts.get(track.name, [])] or [track.name]
        return [track.name if self.is_moved(track) else track.primary]

    def all(self, gantry: Section, draw: Draw) -> List[Carriage]:
        """Return all carriages where the machine file's section starts them, or a draw does."""
        return self._axes(gantry, draw) + self._gantry(gantry, draw)

    def _axes(self, gantry: Section, draw: Draw) -> List[Carriage]:
        starts: Dict[str, float] = {}
        found = []
        for track in self._kinematics.tracks:
            if track.axis == "z" or not self.is_moved(track):
                continue
            option = f"start_{track.name}"
            drawn_mm = self.ranges[track.name].at(draw(option, 0.4, 0.6))
            # Both ends of a beam start level
            starts[track.name] = gantry.get_float(option, starts.get(track.primary, drawn_mm))
            found.append(
                Carriage(
                    track.name,
                    track.axis,
                    starts[track.name],
                    has_toolhead=track.has_toolhead,
                )
            )
        return found

    def _gantry(self, gantry: Section, draw: Draw) -> List[Carriage]:
        lifting = [motor for alone in self._lifts.values() for motor in alone]
        names = [motor.name for motor in self._kinematics.motors if motor in lifting]
        names += [name for name, alone in self._lifts.items() if not alone]
        if not names:
            return []
        x, y = self.main_range("x"), self.main_range("y")
        low, high = (x.minimum_mm, y.minimum_mm), (x.maximum_mm, y.maximum_mm)
        found = []
        for name, place in zip(names, lift_points(self._printer, len(names), low, high)):
            option = f"height_{name}"
            start_mm = gantry.get_float(option, draw(option, 11.0, 13.0))
            found.append(Carriage(name, "z", start_mm, place[0], place[1]))
        return found
