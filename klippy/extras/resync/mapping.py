# Read a stepper's mapping and put it back, sub-step phase included
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Dict, List, Sequence, Tuple

from .plan import RailPlan, StepperReading, mapping_offsets_mm

Plan = Tuple[Sequence[StepperReading], RailPlan]

# A stepper is at most half a step off the toolhead; where nothing moved, half
# a step of its own and half of the rail's first stepper
MAX_PHASE_STEPS = 2.0


class MappingError(Exception):
    """The mapping to restore does not fit to where the toolhead is."""


def offset_mm(stepper: Any) -> float:
    """Mapping offset o (mm) in c = p * step_dist - o."""
    return -stepper.mcu_to_commanded_position(0)


def slopes(stepper: Any) -> Tuple[float, float, float]:
    """How far (mm) the stepper goes for each mm of x, y and z."""
    origin_mm = stepper.calc_position_from_coord((0.0, 0.0, 0.0))
    units = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    x, y, z = (stepper.calc_position_from_coord(unit) - origin_mm for unit in units)
    return x, y, z


def _towards(
    stepper: Any, position: Sequence[float], commanded_mm: float
) -> List[float]:
    """A coordinate near position at which the stepper stands at commanded_mm.

    Moves along the one axis that the stepper follows most, so it holds for
    every kinematics in which a stepper is linear in x, y and z.
    """
    coord = list(position[:3])
    slope = slopes(stepper)
    axis = max(range(3), key=lambda a: abs(slope[a]))
    if slope[axis]:
        # The carriage that an IDEX printer has parked follows no axis
        error_mm = commanded_mm - stepper.calc_position_from_coord(coord)
        coord[axis] += error_mm / slope[axis]
    return coord


def _corrected_position(toolhead: Any, plans: Sequence[Plan]) -> List[float]:
    """Toolhead position (mm) once the steppers stand at their targets."""
    kinematics = toolhead.get_kinematics()
    halted_mm = {s.get_name(): s.get_commanded_position() for s in kinematics.get_steppers()}
    corrected_mm = dict(halted_mm)
    for readings, plan in plans:
        for reading in readings:
            corrected_mm[reading.name] += plan.target_mm - plan.reference_halt_mm
    halted = kinematics.calc_position(halted_mm)
    corrected = kinematics.calc_position(corrected_mm)
    position = list(toolhead.get_position())
    for axis, (before, after) in enumerate(zip(halted[:3], corrected[:3])):
        # generic_cartesian has None for an axis without a carriage
        if before is not None:
            position[axis] += after - before
    return position


def commanded_at(
    steppers: Dict[str, Any], offsets_mm: Dict[str, float], position: Sequence[float]
) -> Dict[str, float]:
    """Commanded position (mm) of each stepper's present count, by its mapping.

    Raises MappingError if one is so far off the toolhead's position (mm) that
    the stepper would jump at its next move.
    """
    commanded_mm = {}
    for name, offset in offsets_mm.items():
        stepper = steppers[name]
        step_dist_mm = stepper.get_step_dist()
        commanded_mm[name] = stepper.get_mcu_position() * step_dist_mm - offset
        error_mm = commanded_mm[name] - stepper.calc_position_from_coord(position[:3])
        if abs(error_mm) > MAX_PHASE_STEPS * step_dist_mm:
            raise MappingError(
                "stepper '%s' would be %.6f mm off the toolhead: its mapping was"
                " not restored, home again" % (name, error_mm)
            )
    return commanded_mm


def place(
    steppers: Dict[str, Any], commanded_mm: Dict[str, float], position: Sequence[float]
) -> None:
    """Give each stepper its commanded position (mm); its count is kept."""
    for name, wanted_mm in commanded_mm.items():
        steppers[name].set_position(_towards(steppers[name], position, wanted_mm))


def settle(
    toolhead: Any,
    steppers: Dict[str, Any],
    idle_offsets_mm: Dict[str, float],
    plans: Sequence[Plan],
) -> None:
    """Put the toolhead where the corrected steppers are, mappings kept.

    steppers holds every stepper of every shared rail by name, plans the
    readings and the plan of each rail that moved.  idle_offsets_mm has the
    mapping offsets (mm) of those that took no part in the homing move: the
    host's set_position() re-bases each stepper on its own whole step, and
    this undoes it.  Raises MappingError before it changes a mapping.
    """
    position = _corrected_position(toolhead, plans)
    offsets_mm = dict(idle_offsets_mm)
    for readings, plan in plans:
        # Steppers of one rail that have endstops of their own share the
        # coordinate of the rail's first stepper, as the host means it
        target_mm = steppers[readings[0].name].calc_position_from_coord(position[:3])
        offsets_mm.update(mapping_offsets_mm(readings, plan, target_mm))
    commanded_mm = commanded_at(steppers, offsets_mm, position)
    toolhead.set_position(position)
    place(steppers, commanded_mm, position)
