# What happened between homing_move_begin and homing_move_end
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List, Set

from ..host import mapping
from ..host.step_history import counts_between, speed_mm_s_at
from ..model.klippy import HomingMove, StepperPosition
from ..model.plan import PlanError, StepperReading
from ..model.rail import Rail
from ..model.rail_result import RailReadings
from ..pins.signal_pin import PinError
from ..pins.signals import Signals
from ..state.sync_state import SyncState
from .endstop_watch import EndstopWatch

BEGIN_MISSED = "the begin of a homing move was missed"


class CountError(Exception):
    """An MCU reports a count that its stepper cannot have reached."""


def moved_steppers(homing_move: HomingMove) -> Set[str]:
    """Names of all steppers that took part in a homing move."""
    return {sp.stepper_name for sp in homing_move.stepper_positions}


def moved_rails(homing_move: HomingMove, rails: List[Rail]) -> List[Rail]:
    """The rails of which a stepper took part in a homing move."""
    moved = moved_steppers(homing_move)
    return [r for r in rails if not moved.isdisjoint(r.stepper_names)]


class HomingSpan:
    """One homing or probing move, from its begin event to its end event.

    Between its begin and the start of the motion, other extras may move the
    toolhead and home with it: where the steppers stand is noted at the start.
    Raises the host's error if a pin of its signals does not answer.
    """

    def __init__(
        self, homing_move: HomingMove, rails: List[Rail], state: SyncState, signals: Signals
    ) -> None:
        self.homing_move = homing_move
        self._signals = signals
        self._rails = rails
        self._state = state
        # Noted at the start: the toolhead's position (mm), and the mapping
        # offsets (mm) that the host has and that the steppers truly have
        self.start: List[float] = []
        self.offsets_mm: Dict[str, float] = {}
        self._true_offsets_mm: Dict[str, float] = {}
        # Rails whose counts the host may have wrong until they are read again
        self._miscounted: Set[str] = set()
        # System time (s) from which on earlier moves may have run still
        self._begin_time = 0.0
        try:
            self._begin_signals()
        except PinError as e:
            raise homing_move.printer.command_error("multi_mcu_resync: %s" % (e,)) from e
        self._signal_faults: List[str] = []
        self._watch = self._watch_endstops()

    def _begin_signals(self) -> None:
        try:
            self._signals.begin(self.homing_move)
        except Exception:
            self._signals.end()
            raise

    def _watch_endstops(self) -> EndstopWatch:
        steppers = [s for rail in self._rails for s in rail.steppers]
        endstops = self.homing_move.endstops
        return EndstopWatch(endstops, steppers, self._note_start, self._signals.layers)

    def resume(self) -> None:
        """Watch the endstops again: another homing move has come in between."""
        self._signal_faults = []
        try:
            self._begin_signals()
        except PinError as e:
            # It is too late to refuse this move
            self._signal_faults.append(str(e))
        self._watch = self._watch_endstops()

    def stop(self) -> List[str]:
        """Leave the endstops as they were found; returns what was wrong with signals."""
        self._watch.stop()
        return [*self._signal_faults, *self._signals.end()]

    @property
    def is_started(self) -> bool:
        """Whether its endstops have been armed."""
        return self._watch.is_started

    @property
    def trigger_times(self) -> Dict[str, float]:
        """Print time (s) at which each endstop triggered, by its name."""
        return self._watch.trigger_times

    @property
    def faults(self) -> List[str]:
        """What is wrong with the times of triggers."""
        return self._watch.faults

    def _note_start(self) -> None:
        self.start = list(self.homing_move.toolhead.get_position())
        self._begin_time = self.homing_move.printer.get_reactor().monotonic()
        for rail in self._rails:
            state = self._state.get(rail.name)
            if state.in_sync is False and not state.is_skew_known:
                self._miscounted.add(rail.name)
            for stepper in rail.steppers:
                name, offset_mm = stepper.get_name(), mapping.offset_mm(stepper)
                self.offsets_mm[name] = offset_mm
                self._true_offsets_mm[name] = offset_mm - self._state.skew_mm.get(name, 0.0)

    def _begin_print_time(self) -> float:
        """Print time (s) at the start, by the slowest clock of the shared rails' MCUs."""
        mcus = {s.get_mcu() for rail in self._rails for s in rail.steppers}
        return min(mcu.estimated_print_time(self._begin_time) for mcu in mcus)

    def skew_mm(self, rail: Rail) -> Dict[str, float]:
        """How far each stepper of a rail that moved stands from its first one.

        Empty if they did not all go until one signal came, or if the start was
        missed: then nobody knows where they should stand.
        """
        if not self.start:
            return {}
        for endstops in self._signals.together(self.homing_move.endstops):
            names = {
                sp.stepper_name
                for sp in self.homing_move.stepper_positions
                if sp.endstop_name in endstops
            }
            if names.issuperset(rail.stepper_names):
                return mapping.skew_mm(rail.steppers, self._true_offsets_mm)
        return {}

    def readings(self) -> List[RailReadings]:
        """Readings per rail and endstop, once the end event has come.

        Steppers that home to endstops of their own are not read unless these
        carry one signal: they must not be pulled together.  Raises CountError
        if an MCU's count is not on the way that its stepper was sent, PlanError
        if nobody knows where the steppers have started.
        """
        found = []
        for rail in self._rails:
            for endstops in self._signals.together(self.homing_move.endstops):
                taken = {
                    sp.stepper_name: sp
                    for sp in self.homing_move.stepper_positions
                    if sp.endstop_name in endstops
                }
                names = [name for name in rail.stepper_names if name in taken]
                if len(names) > 1 and not self.start:
                    raise PlanError(BEGIN_MISSED)
                if len(names) > 1:
                    # Counts that are doubted already are read again, whatever they are
                    is_doubted = rail.name in self._miscounted
                    errors = [] if is_doubted else [self._check_count(taken[n]) for n in names]
                    readings = [self._reading(rail, taken[name]) for name in names]
                    error = next(filter(None, errors), "")
                    found.append(self._rail_readings(rail, endstops, taken, readings, error))
        return found

    def _rail_readings(
        self,
        rail: Rail,
        endstops: List[str],
        taken: Dict[str, StepperPosition],
        readings: List[StepperReading],
        error: str,
    ) -> RailReadings:
        trigger_times = self._watch.trigger_times
        # Where steppers of unknown count were at the trigger is unknown too
        triggered = trigger_times.keys() >= set(endstops) and rail.name not in self._miscounted
        speed_mm_s = 0.0
        if triggered:
            # The others are slow sooner after the trigger
            furthest = taken[max(readings, key=StepperReading.overshoot_mm).name]
            trigger_time = trigger_times[furthest.endstop_name]
            speed_mm_s = speed_mm_s_at(furthest.stepper, trigger_time, furthest.trig_pos)
        return RailReadings(rail, "+".join(endstops), triggered, readings, speed_mm_s, error)

    def _reading(self, rail: Rail, stepper_position: StepperPosition) -> StepperReading:
        stepper = stepper_position.stepper
        name, halt_steps = stepper_position.stepper_name, stepper_position.halt_pos
        start_steps = stepper_position.start_pos
        if rail.name in self._miscounted:
            # Of what the host has counted only the direction is true
            sent_steps = self._watch.sent_steps.get(name, start_steps)
            start_steps = halt_steps + (sent_steps < start_steps) - (sent_steps > start_steps)
            trigger_steps = halt_steps
        else:
            trigger_steps = self._trigger_steps(stepper_position)
        return StepperReading(
            name,
            stepper.get_step_dist(),
            self._true_offsets_mm[name],
            start_steps,
            trigger_steps,
            halt_steps,
        )

    def _trigger_steps(self, stepper_position: StepperPosition) -> int:
        stepper = stepper_position.stepper
        name = stepper_position.endstop_name
        if name not in self._watch.trigger_times:
            # Nobody knows where that was
            return stepper_position.halt_pos
        pin_time = self._signals.trigger_time(name, stepper.get_mcu())
        if pin_time is None:
            return stepper_position.trig_pos
        return stepper.get_past_mcu_position(pin_time)

    def _check_count(self, stepper_position: StepperPosition) -> str:
        """Why the stepper is not to be moved by its count; raises CountError."""
        name, halt_steps = stepper_position.stepper_name, stepper_position.halt_pos
        if name not in self._watch.sent_steps:
            # The move was given up before it was waited for
            return ""
        start_steps, sent_steps = stepper_position.start_pos, self._watch.sent_steps[name]
        first, last = sorted((start_steps, sent_steps))
        # The host rounds the place that it has sent a stepper to
        if first - 1 <= halt_steps <= last + 1:
            return ""
        stepper = stepper_position.stepper
        mcu_name = stepper.get_mcu().get_name()
        first, last = counts_between(stepper, self._begin_print_time(), self._watch.start_time())
        if first - 1 <= halt_steps <= last + 1:
            # It may have gone the other way then, which a correction must not
            return (
                "MCU '%s' has stopped '%s' before the homing move began, in the one before: the"
                " endstop triggered too early, or the link failed: lift the toolhead further or"
                " check the link to this MCU, and home again" % (mcu_name, name)
            )
        raise CountError(
            "MCU '%s' counts %d steps for '%s', which was sent from %d to %d: check the power and"
            " the cable of this MCU, then FIRMWARE_RESTART and home again"
            % (mcu_name, halt_steps, name, start_steps, sent_steps)
        )
