# Where all steppers and the toolhead are to be after a correction, mappings kept
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Container, Dict, List, NamedTuple, Sequence, Set, Tuple

from ..host import mapping
from ..model.klippy import Stepper, Toolhead
from ..model.plan import RailPlan, StepperReading, mapping_offsets_mm

Plan = Tuple[Sequence[StepperReading], RailPlan]


class Goal(NamedTuple):
    """Where all are to be once the steppers are corrected.

    position is the toolhead's (mm).  coordinates has one (mm) for each stepper of
    the rails that moved, by its name, at which it has its mapping; idle_rails_mm
    has the mapping offsets (mm) of each rail that did not.
    """

    position: List[float]
    coordinates: Dict[str, List[float]]
    idle_rails_mm: Sequence[Dict[str, float]]


def _corrected_position(toolhead: Toolhead, plans: Sequence[Plan]) -> List[float]:
    """Toolhead position (mm) once the steppers stand at their targets."""
    kinematics = toolhead.get_kinematics()
    halted_mm = {s.get_name(): s.get_commanded_position() for s in kinematics.get_steppers()}
    corrected_mm = dict(halted_mm)
    for readings, plan in plans:
        for reading in readings:
            corrected_mm[reading.name] += plan.target_mm - plan.reference_halt_mm
    # Only the difference counts: parked carriages of generic_cartesian have offsets of their own
    halted = kinematics.calc_position(halted_mm)
    corrected = kinematics.calc_position(corrected_mm)
    position = list(toolhead.get_position())
    for axis, (before, after) in enumerate(zip(halted[:3], corrected[:3])):
        # generic_cartesian has None for an axis without a carriage
        if before is not None and after is not None:
            position[axis] += after - before
    return position


def _kept_position(
    toolhead: Toolhead,
    steppers: Dict[str, Stepper],
    moved: Set[str],
    alike: Set[str],
    start: Sequence[float],
    position: Sequence[float],
) -> List[float]:
    """The position, with its coordinate at the start on axes that did not move.

    The host takes those from the whole steps that its first stepper stands
    on.  Where all steppers of an axis keep their mapping there is no need to.
    alike names steppers that follow the toolhead as another one does.
    """
    if moved.issuperset(steppers):
        return list(position)
    is_kept = [False, False, False]
    is_moved = [False, False, False]
    for stepper in toolhead.get_kinematics().get_steppers():
        name = stepper.get_name()
        if name in alike:
            continue
        is_idle = name in steppers and name not in moved
        for axis, slope in enumerate(mapping.slopes(stepper)):
            if slope:
                is_kept[axis] |= is_idle
                is_moved[axis] |= not is_idle
    axes = [is_kept[axis] and not is_moved[axis] for axis in range(3)]
    kept = [old if keep else new for keep, old, new in zip(axes, start, position)]
    return [*kept, *position[3:]]


def plan_goal(
    toolhead: Toolhead,
    steppers: Dict[str, Stepper],
    idle_rails_mm: Sequence[Dict[str, float]],
    plans: Sequence[Plan],
    start: Sequence[float],
    moved: Set[str],
) -> Goal:
    """Where the planned corrections are to bring all, mappings kept.

    steppers holds every stepper of every shared rail by name, plans the
    readings and the plan of each rail that moved, idle_rails_mm the mapping
    offsets (mm) of each rail that did not.  start is the toolhead's position
    (mm) before the move, moved names the steppers that took part in it.
    Raises MappingError.
    """
    position = _corrected_position(toolhead, plans)
    rails = [[r.name for r in readings] for readings, _ in plans]
    rails += [list(idle_mm) for idle_mm in idle_rails_mm]
    alike = {name for names in rails for name in names[1:]}
    position = _kept_position(toolhead, steppers, moved, alike, start, position)
    coordinates: Dict[str, List[float]] = {}
    for readings, plan in plans:
        # Steppers of one rail that have endstops of their own share the
        # coordinate of the rail's first stepper, as the host means it
        target_mm = steppers[readings[0].name].calc_position_from_coord(position)
        offsets_mm = mapping_offsets_mm(readings, plan, target_mm)
        counts = {
            r.name: r.halt_steps + c.correction_steps for r, c in zip(readings, plan.corrections)
        }
        placement = mapping.commanded_at(steppers, offsets_mm, position, counts)
        coordinates.update(mapping.coordinates(steppers, placement))
    return Goal(position, coordinates, idle_rails_mm)


def settle(
    toolhead: Toolhead, steppers: Dict[str, Stepper], goal: Goal, settled: Container[str]
) -> None:
    """Give the steppers their mappings, with the toolhead at the goal.

    The host's set_position() has re-based each stepper on its own whole step,
    and this undoes it; not for those named in settled, which have theirs already.
    """
    for name, coord in goal.coordinates.items():
        if name not in settled:
            steppers[name].set_position(coord)
    for idle_mm in goal.idle_rails_mm:
        if all(mapping.follows(steppers[name], toolhead) for name in idle_mm):
            mapping.restore_idle(steppers, idle_mm, goal.position)
