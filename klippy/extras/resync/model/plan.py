# Plan the corrections of one homing move (numbers in, numbers out)
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List, NamedTuple, Sequence

TRIGGER, LEAST_TRAVEL = TARGETS = ("trigger", "least_travel")


class PlanError(Exception):
    """The readings of a rail contradict each other; the text says how."""


class StepperReading(NamedTuple):
    """What one homing move did to one stepper.

    The mapping during the move is c = p * step_dist_mm - mapping_offset_mm,
    with p the mcu position in steps and c the commanded position in mm.
    """

    name: str
    step_dist_mm: float
    mapping_offset_mm: float
    start_steps: int
    trigger_steps: int
    halt_steps: int

    def position_mm(self, steps: int) -> float:
        """Commanded position (mm, in the move's own coordinates) of a count."""
        return steps * self.step_dist_mm - self.mapping_offset_mm

    def overshoot_mm(self) -> float:
        """How far (mm, >= 0) the stepper went from the trigger to its halt."""
        return abs(self.halt_steps - self.trigger_steps) * self.step_dist_mm


class StepperCorrection(NamedTuple):
    """What has to happen to one stepper.

    overshoot_steps is halt minus trigger, positive when the stepper went on
    in the direction of travel.  residual_mm is how far the corrected stepper
    is from the target; it is kept in the mapping and so never adds up.
    """

    name: str
    correction_steps: int
    correction_mm: float
    residual_mm: float
    overshoot_steps: int
    overshoot_mm: float


class RailPlan(NamedTuple):
    """The corrections of the steppers that share one rail and one endstop.

    direction is the sign of travel (+1, -1, or 0 when nothing moved).
    target_mm and reference_halt_mm are commanded positions in the
    coordinates that the rail had during the move; the reference is the
    rail's first stepper, from which Klipper computes the carriage.
    """

    direction: int
    target_mm: float
    reference_halt_mm: float
    corrections: List[StepperCorrection]

    def largest_correction_mm(self) -> float:
        """The longest way that any stepper has to go back (mm, >= 0)."""
        return max([abs(c.correction_mm) for c in self.corrections])


def travel_direction(readings: Sequence[StepperReading]) -> int:
    """Sign of travel, common to all steppers of a rail; 0 if none moved.

    Raises PlanError when two steppers of the rail moved apart.
    """
    travelled = [r.halt_steps - r.start_steps for r in readings]
    least, most = min(travelled), max(travelled)
    if least < 0 < most:
        raise PlanError(
            "'%s' and '%s' share a rail but moved in opposite directions"
            % (readings[travelled.index(most)].name, readings[travelled.index(least)].name)
        )
    return (most > 0) - (least < 0)


def _target_mm(readings: Sequence[StepperReading], direction: int, target: str) -> float:
    first_on_the_way = min if direction > 0 else max
    least_travel_mm = first_on_the_way([r.position_mm(r.halt_steps) for r in readings])
    if target == LEAST_TRAVEL:
        return least_travel_mm
    trigger_mm = readings[0].position_mm(readings[0].trigger_steps)
    # A stepper that stopped before the trigger point is never driven on
    return first_on_the_way(trigger_mm, least_travel_mm)


def _correct(reading: StepperReading, target_mm: float, direction: int) -> StepperCorrection:
    name, step_dist_mm, offset_mm, _, trigger_steps, halt_steps = reading
    target_steps = halt_steps
    if direction:
        target_steps = round((target_mm + offset_mm) / step_dist_mm)
    correction_steps = target_steps - halt_steps
    overshoot_steps = direction * (halt_steps - trigger_steps)
    return StepperCorrection(
        name,
        correction_steps,
        correction_steps * step_dist_mm,
        target_steps * step_dist_mm - offset_mm - target_mm,
        overshoot_steps,
        overshoot_steps * step_dist_mm,
    )


def plan_rail(readings: Sequence[StepperReading], target: str = "trigger") -> RailPlan:
    """Plan one correction per stepper of a rail after a homing move.

    The readings come in the rail's own order, its first stepper first.  With
    target "trigger" all steppers return to the coordinate at which the
    endstop triggered, with "least_travel" to where the least-travelled one
    halted; no correction is ever in the direction of travel.  Raises
    PlanError when the readings contradict each other.
    """
    direction = travel_direction(readings)
    reference = readings[0]
    reference_halt_mm = reference.position_mm(reference.halt_steps)
    target_mm = reference_halt_mm
    if direction:
        target_mm = _target_mm(readings, direction, target)
    corrections = [_correct(r, target_mm, direction) for r in readings]
    return RailPlan(direction, target_mm, reference_halt_mm, corrections)


def mapping_offsets_mm(
    readings: Sequence[StepperReading], plan: RailPlan, commanded_mm: float
) -> Dict[str, float]:
    """Mapping offset (mm) of each stepper once the rail is corrected.

    commanded_mm is the coordinate that the target has from now on: the one
    it had during the move after a probe, a new one after homing.  Every
    stepper of the rail gets the same shift, so that differences stay.
    """
    shift_mm = plan.target_mm - commanded_mm
    return {r.name: r.mapping_offset_mm + shift_mm for r in readings}
