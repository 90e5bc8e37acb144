# Read a stepper's mapping and put it back, sub-step phase included
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from .plan import RailPlan, StepperReading, mapping_offsets_mm


def offset_mm(stepper: Any) -> float:
    """Mapping offset o (mm) in c = p * step_dist - o."""
    return -stepper.mcu_to_commanded_position(0)


def _towards(
    stepper: Any, position: Sequence[float], commanded_mm: float
) -> List[float]:
    """A coordinate near position at which the stepper stands at commanded_mm.

    Moves along the one axis that the stepper follows most, so it holds for
    every kinematics in which a stepper is linear in x, y and z.
    """
    coord = list(position[:3])
    here_mm = stepper.calc_position_from_coord(coord)
    slopes = []
    for axis in range(3):
        aside = list(coord)
        aside[axis] += 1.0
        slopes.append(stepper.calc_position_from_coord(aside) - here_mm)
    axis = max(range(3), key=lambda a: abs(slopes[a]))
    coord[axis] += (commanded_mm - here_mm) / slopes[axis]
    return coord


def _restore(stepper: Any, position: Sequence[float], wanted_mm: float) -> None:
    """Give the stepper the mapping offset wanted_mm; its count is kept."""
    steps = stepper.get_mcu_position()
    commanded_mm = steps * stepper.get_step_dist() - wanted_mm
    stepper.set_position(_towards(stepper, position, commanded_mm))


def _corrected_position(
    toolhead: Any, targets_mm: Dict[str, float]
) -> List[float]:
    """Toolhead position once the steppers stand at their targets (mm)."""
    kinematics = toolhead.get_kinematics()
    halted_mm = {
        s.get_name(): s.get_commanded_position() for s in kinematics.get_steppers()
    }
    halted = kinematics.calc_position(halted_mm)
    corrected = kinematics.calc_position(dict(halted_mm, **targets_mm))
    position = list(toolhead.get_position())
    for axis, (before, after) in enumerate(zip(halted[:3], corrected[:3])):
        # generic_cartesian has None for an axis without a carriage
        if before is not None:
            position[axis] += after - before
    return position


def settle(
    toolhead: Any,
    steppers: Dict[str, Any],
    offsets_mm: Dict[str, float],
    plans: Iterable[Tuple[Sequence[StepperReading], RailPlan]],
) -> None:
    """Put the toolhead where the corrected steppers are, mappings kept.

    steppers and offsets_mm (their mapping offsets before the move, mm) hold
    every stepper of every shared rail, those that did not move too: the
    host's set_position() re-bases each stepper on its own whole step, and
    this undoes it.
    """
    offsets_mm = dict(offsets_mm)
    targets_mm: Dict[str, float] = {}
    for readings, plan in plans:
        halted_mm = steppers[readings[0].name].get_commanded_position()
        target_mm = halted_mm + plan.target_mm - plan.reference_halt_mm
        targets_mm.update({r.name: target_mm for r in readings})
        offsets_mm.update(mapping_offsets_mm(readings, plan, target_mm))
    position = _corrected_position(toolhead, targets_mm)
    toolhead.set_position(position)
    for name, wanted_mm in offsets_mm.items():
        _restore(steppers[name], position, wanted_mm)
