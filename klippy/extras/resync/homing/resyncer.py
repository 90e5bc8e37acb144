# Plan, check, move and settle: put the steppers of a printer back in step
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List, Optional, Tuple

from ..host import mapping
from ..host.chelper import Helper
from ..host.host import Host
from ..model import limit
from ..model.correction_time import Pace, common_duration_s
from ..model.klippy import Printer, Stepper, Toolhead
from ..model.plan import LEAST_TRAVEL, PlanError, RailPlan, StepperReading, plan_rail
from ..model.rail import Rail
from ..model.rail_result import RailReadings, RailResult
from ..state.following_error_trip import FollowingErrorTrip
from ..state.sync_state import SyncState
from . import restore
from .correction_move import move_together
from .span import HomingSpan, moved_steppers


class Resyncer:
    """Corrects the rails of one printer and keeps their state.

    paces has how fast each rail is corrected, by its name.
    """

    def __init__(
        self,
        printer: Printer,
        host: Host,
        helper: Helper,
        rails: List[Rail],
        state: SyncState,
        ferror: FollowingErrorTrip,
        paces: Dict[str, Pace],
    ) -> None:
        self._printer = printer
        self._host = host
        self._helper = helper
        self._rails = rails
        self._limits = ferror.limits
        self._state = state
        self._trip = ferror.trip
        self._paces = paces
        self._steppers = {s.get_name(): s for rail in rails for s in rail.steppers}
        # Direction of travel of each rail's last homing move
        self._directions: Dict[str, int] = {}

    def plan(self, parts: List[RailReadings]) -> List[RailResult]:
        """Plan the corrections of all rails after a homing move; raises PlanError."""
        return [self._plan_rail(part) for part in parts]

    def _plan_rail(self, part: RailReadings) -> RailResult:
        """Plan the corrections of a rail.

        A rail that is known to be skewed is corrected even where it did not
        move, since its endstop was triggered already.
        """
        if part.error:
            raise PlanError(part.error)
        rail_plan = plan_rail(part.readings, part.target)
        direction = 0 if rail_plan.direction else self._directions.get(part.rail.name, 0)
        if direction and any(self._state.skew_mm.get(r.name) for r in part.readings):
            came_from = [r._replace(start_steps=r.halt_steps - direction) for r in part.readings]
            part = part._replace(readings=came_from)
            rail_plan = plan_rail(came_from, LEAST_TRAVEL)
        return RailResult(part, rail_plan)

    def correct(
        self, span: HomingSpan, results: List[RailResult]
    ) -> Tuple[List[RailResult], float]:
        """Do what was planned; returns it as done, and the print time (s) at which it is.

        Raises LimitError before anything moves.
        """
        for result in results:
            if result.plan.direction:
                self._directions[result.part.rail.name] = result.plan.direction
        self._check_limits(results)
        done, done_time = self._correct(span.homing_move.toolhead, results, span)
        if done_time:
            self._host.measure_after(span.homing_move.endstops, span.trigger_times, done_time)
        return done, done_time

    def force(self, toolhead: Toolhead) -> List[RailResult]:
        """Correct the rails whose skew is known, without homing them."""
        skewed = [rail for rail in self._rails if self._state.get(rail.name).is_skew_known]
        if not skewed:
            return []
        # FORCE_MOVE may still have steps to send, and ours come before these
        toolhead.wait_moves()
        results = []
        for rail in skewed:
            readings = [self._reading_at_rest(rail, s) for s in rail.steppers]
            part = RailReadings(rail, "none", False, readings, 0.0)
            results.append(RailResult(part, plan_rail(readings, LEAST_TRAVEL)))
        return self._force(toolhead, results)

    def accept(self, toolhead: Toolhead, rails: List[Rail]) -> None:
        """Take the steppers of rails to be in step, and level, where they stand."""
        toolhead.wait_moves()
        for rail in rails:
            state = self._state.get(rail.name)
            if state.in_sync is False and not state.is_skew_known:
                # An MCU may have counted otherwise: the host takes over its counts
                for stepper in rail.steppers:
                    stepper.note_homing_end()
            self._state.note_corrected(rail.name, rail.stepper_names)
            self._state.note_level(rail.name)

    def _force(self, toolhead: Toolhead, results: List[RailResult]) -> List[RailResult]:
        true_offsets_mm = {r.name: r.mapping_offset_mm for x in results for r in x.part.readings}
        try:
            return self._correct(toolhead, results, None)[0]
        except Exception as e:
            for rail in [result.part.rail for result in results]:
                skew_mm = mapping.skew_mm(rail.steppers, true_offsets_mm)
                self._state.note_skewed(rail.name, skew_mm, "RESYNC failed: %s" % (e,))
            raise

    def _reading_at_rest(self, rail: Rail, stepper: Stepper) -> StepperReading:
        """A reading as if the rail had just come from its last direction of travel."""
        name = stepper.get_name()
        offset_mm = mapping.offset_mm(stepper) - self._state.skew_mm[name]
        steps = stepper.get_mcu_position()
        start = steps - self._directions.get(rail.name, -1)
        return StepperReading(name, stepper.get_step_dist(), offset_mm, start, steps, steps)

    def _check_limits(self, results: List[RailResult]) -> None:
        for result in results:
            own_plan = result.plan
            if self._state.skew_mm:
                own_plan = self._plan_without_skew(result.part)
            limit.check_correction(own_plan, self._limits.max_correction_mm)
            limits = self._limits.rails[result.part.rail.name]
            for error in limit.following_errors(result.part, result.plan, limits, self._mcu_name):
                self._trip(error)

    def _plan_without_skew(self, part: RailReadings) -> RailPlan:
        """What the move alone has made necessary.

        To correct a skew that was known before is what the axis is homed for.
        """
        readings = [
            r._replace(mapping_offset_mm=r.mapping_offset_mm + self._state.skew_mm.get(r.name, 0.0))
            for r in part.readings
        ]
        return plan_rail(readings, part.target)

    def _mcu_name(self, stepper_name: str) -> str:
        return self._steppers[stepper_name].get_mcu().get_name()

    def _correct(
        self,
        toolhead: Toolhead,
        results: List[RailResult],
        span: Optional[HomingSpan],
    ) -> Tuple[List[RailResult], float]:
        corrections = [c for r in results for c in r.plan.corrections]
        moves = [(self._steppers[c.name], c.correction_steps) for c in corrections]
        goal = self._goal(toolhead, results, span)
        try:
            done_time = move_together(
                self._host,
                self._helper,
                moves,
                self._duration_s(results),
                # A flush takes the host time, and there is one in here anyway
                lambda: toolhead.set_position(goal.position),
                goal.coordinates,
            )
        except Exception:
            # The skew is known only while the host takes all to stand alike
            mapping.rebase(toolhead, [stepper for stepper, _ in moves])
            raise
        moved = {c.name for c in corrections if c.correction_steps}
        restore.settle(toolhead, self._steppers, goal, moved)
        if self._printer.is_shutdown():
            # While the steps were sent: who knows which of them were taken
            return results, 0.0
        for result in results:
            names = [r.name for r in result.part.readings]
            self._state.note_corrected(result.part.rail.name, names)
        return [r._replace(corrected=True) for r in results], done_time

    def _duration_s(self, results: List[RailResult]) -> float:
        durations_s = [
            common_duration_s(r.plan.largest_correction_mm(), self._paces[r.part.rail.name])
            for r in results
        ]
        return max(durations_s, default=0.0)

    def _goal(
        self, toolhead: Toolhead, results: List[RailResult], span: Optional[HomingSpan]
    ) -> restore.Goal:
        plans = [(r.part.readings, r.plan) for r in results]
        if span is not None:
            # The host has re-based all steppers since the move began
            start, offsets_mm = span.start, span.offsets_mm
            moved = moved_steppers(span.homing_move)
        else:
            start = toolhead.get_position()
            moved = {r.name for readings, _ in plans for r in readings}
            offsets_mm = {name: mapping.offset_mm(s) for name, s in self._steppers.items()}
        idle_mm = [
            {name: offsets_mm[name] for name in rail.stepper_names}
            for rail in self._rails
            if moved.isdisjoint(rail.stepper_names)
        ]
        return restore.plan_goal(toolhead, self._steppers, idle_mm, plans, start, moved)
