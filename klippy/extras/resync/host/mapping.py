# Read a stepper's mapping and put it back, sub-step phase included
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..model.klippy import Stepper, Toolhead

# A stepper is at most half a step off the toolhead, and half a step of the
# rail's first stepper where the host computes the toolhead from that one.  More
# steps than that would have to be caught up with at once.
MAX_PHASE_STEPS = 2.0


class MappingError(Exception):
    """The mapping to restore does not fit to where the toolhead is."""


class Placement(NamedTuple):
    """Where the steppers of one rail, which follow the toolhead alike, are to be.

    commanded_mm has their commanded positions (mm) by name, rail_mm is where all
    of them should stand (mm) with the toolhead at the position (mm).
    """

    commanded_mm: Dict[str, float]
    rail_mm: float
    position: Sequence[float]


def offset_mm(stepper: Stepper) -> float:
    """Mapping offset o (mm) in c = p * step_dist - o."""
    return -stepper.mcu_to_commanded_position(0)


def skew_mm(steppers: Sequence[Stepper], offsets_mm: Mapping[str, float]) -> Dict[str, float]:
    """How far each stepper stands from the first one, when both should stand alike.

    offsets_mm are the mapping offsets that put them in step, whatever the
    host has made of its own since.
    """
    errors_mm = {s.get_name(): offset_mm(s) - offsets_mm[s.get_name()] for s in steppers}
    first_mm = errors_mm[steppers[0].get_name()]
    return {name: error_mm - first_mm for name, error_mm in errors_mm.items()}


def slopes(stepper: Stepper) -> Tuple[float, float, float]:
    """How far (mm) the stepper goes for each mm of x, y and z."""
    position_mm = stepper.calc_position_from_coord
    origin_mm = position_mm((0.0, 0.0, 0.0))
    return (
        position_mm((1.0, 0.0, 0.0)) - origin_mm,
        position_mm((0.0, 1.0, 0.0)) - origin_mm,
        position_mm((0.0, 0.0, 1.0)) - origin_mm,
    )


def follows(stepper: Stepper, toolhead: Toolhead) -> bool:
    """Whether the stepper follows the toolhead's moves.

    Not while a levelling command moves another one alone, nor on a parked
    carriage of an IDEX printer of v0.11.
    """
    return stepper.get_trapq() == toolhead.get_trapq()


def is_parked(stepper: Stepper) -> bool:
    """Whether the stepper belongs to a carriage that no move of the toolhead moves.

    The carriage that an IDEX printer has parked is where it is, whatever the
    toolhead's position.
    """
    return not any(slopes(stepper))


def commanded_at(
    steppers: Dict[str, Stepper],
    offsets_mm: Dict[str, float],
    position: Sequence[float],
    counts: Optional[Mapping[str, int]] = None,
) -> Placement:
    """Where each stepper of a rail is by its count and its mapping.

    counts are those that the steppers are about to have, the present ones if
    they are not given.  Raises MappingError if one is so far off the toolhead's
    position (mm) that the stepper would jump at its next move.
    """
    commanded_mm = {}
    first = steppers[next(iter(offsets_mm))]
    rail_mm = first.calc_position_from_coord(position)
    for name, offset in offsets_mm.items():
        stepper = steppers[name]
        step_dist_mm = stepper.get_step_dist()
        steps = stepper.get_mcu_position() if counts is None else counts[name]
        commanded_mm[name] = steps * step_dist_mm - offset
        error_mm = commanded_mm[name] - rail_mm
        if abs(error_mm) > MAX_PHASE_STEPS * step_dist_mm:
            raise MappingError(
                "stepper '%s' would be %.6f mm off the toolhead: its mapping was"
                " not restored, home again" % (name, error_mm)
            )
    return Placement(commanded_mm, rail_mm, position)


def coordinates(steppers: Dict[str, Stepper], placement: Placement) -> Dict[str, List[float]]:
    """The coordinate (mm) that gives each stepper of one rail its commanded position, by name.

    Each is near the toolhead's, along the one axis that the rail follows most: it
    holds for every kinematics in which a stepper is linear in x, y and z.  There
    is none for parked steppers: nothing has re-based them.
    """
    commanded_mm, rail_mm, position = placement
    slope = slopes(steppers[next(iter(commanded_mm))])
    steepest = max(slope, key=abs)
    if not steepest:
        return {}
    axis = slope.index(steepest)
    found = {}
    for name, wanted_mm in commanded_mm.items():
        coord = list(position[:3])
        coord[axis] += (wanted_mm - rail_mm) / steepest
        found[name] = coord
    return found


def place(steppers: Dict[str, Stepper], placement: Placement) -> None:
    """Give each stepper of one rail its commanded position; its count is kept."""
    for name, coord in coordinates(steppers, placement).items():
        steppers[name].set_position(coord)


def rebase(toolhead: Toolhead, steppers: Iterable[Stepper]) -> None:
    """Do what the host's set_position() does to steppers, for some that it may have missed."""
    coord = toolhead.get_position()
    for stepper in steppers:
        if not is_parked(stepper):
            stepper.set_position(coord)


def restore_idle(
    steppers: Dict[str, Stepper], offsets_mm: Dict[str, float], position: Sequence[float]
) -> bool:
    """Give the steppers of a rail that did not move their mapping offsets (mm).

    They are left as the host made them, and False is returned, where these do
    not fit to the toolhead's position.
    """
    try:
        placement = commanded_at(steppers, offsets_mm, position)
    except MappingError as e:
        logging.info("multi_mcu_resync: %s", e)
        return False
    place(steppers, placement)
    return True
