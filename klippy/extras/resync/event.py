# What happened between homing_move_begin and homing_move_end
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Dict, List, NamedTuple, Set, Tuple

from . import mapping
from .plan import StepperReading
from .rail import Rail
from .signals import Signals
from .wrapping import Wrapping

# Over how long (s) the speed of a homing move is measured
SPEED_WINDOW_S = 0.010


class CountError(Exception):
    """An MCU reports a count that its stepper cannot have reached."""


class RailReadings(NamedTuple):
    """The readings of those steppers of a rail that share an endstop.

    speed_mm_s is that of the rail's fastest stepper when the endstop triggered.
    """

    rail: Rail
    endstop: str
    triggered: bool
    readings: List[StepperReading]
    speed_mm_s: float


class EndstopWatch:
    """Learns whether each endstop of a homing move triggered.

    The end event does not tell: it is sent after a communication timeout and
    without a trigger as well.  sent_steps has the count that each stepper
    would have reached had nothing stopped it.
    """

    def __init__(self, endstops: List[Tuple[Any, str]], steppers: List[Any]) -> None:
        self.trigger_times: Dict[str, float] = {}
        self.sent_steps: Dict[str, int] = {}
        self._steppers = steppers
        self._wrapping = Wrapping()
        for endstop, name in endstops:
            self._watch(endstop, name)

    def _watch(self, endstop: Any, name: str) -> None:
        self._wrapping.wrap(endstop, "home_wait", lambda call: self._watched(call, name))

    def _watched(self, home_wait: Any, name: str) -> Any:
        def watched(home_end_time: float) -> float:
            # All steps have been sent, and the first endstop to be waited for
            # makes the host ask the MCUs for what became of them
            if not self.sent_steps:
                self.sent_steps = {s.get_name(): s.get_mcu_position() for s in self._steppers}
            trigger_time = home_wait(home_end_time)
            if trigger_time > 0.0:
                self.trigger_times[name] = trigger_time
            return trigger_time

        return watched

    def stop(self) -> None:
        """Leave the endstops as they were found."""
        self._wrapping.undo()


def _speed_mm_s(stepper: Any, print_time: float) -> float:
    """Speed around a print time, from the host's step history.

    The faster of just before and just after: the endstop may trigger while
    the stepper still accelerates, and the stepper halts soon after.
    """
    times = (print_time - SPEED_WINDOW_S, print_time, print_time + SPEED_WINDOW_S)
    before, now, after = (stepper.get_past_mcu_position(t) for t in times)
    steps = max(abs(now - before), abs(after - now))
    return steps * stepper.get_step_dist() / SPEED_WINDOW_S


class HomingSpan:
    """One homing or probing move, from its begin event to its end event.

    skew_mm is by how much the host's mapping of a stepper is known to be off.
    """

    def __init__(
        self,
        homing_move: Any,
        rails: List[Rail],
        skew_mm: Dict[str, float],
        signals: Signals,
    ) -> None:
        self.homing_move = homing_move
        self._signals = signals
        self._rails = rails
        self.start = list(homing_move.toolhead.get_position())
        self._skew_mm = dict(skew_mm)
        steppers = [s for rail in rails for s in rail.steppers]
        # Mapping offsets before the move
        self.offsets_mm = {s.get_name(): mapping.offset_mm(s) for s in steppers}
        self.watch = EndstopWatch(homing_move.endstops, steppers)

    def moved_steppers(self) -> Set[str]:
        """Names of all steppers that took part in the move."""
        return {sp.stepper_name for sp in self.homing_move.stepper_positions}

    def readings(self) -> List[RailReadings]:
        """Readings per rail and endstop, once the end event has come.

        Steppers that home to endstops of their own are not read unless these
        carry one signal: they must not be pulled together.  Raises CountError
        if an MCU's count is not on the way that its stepper was sent.
        """
        found = []
        for rail in self._rails:
            for endstops in self._signals.together(self.homing_move.endstops):
                taken = {
                    sp.stepper_name: sp
                    for sp in self.homing_move.stepper_positions
                    if sp.endstop_name in endstops
                }
                names = [s.get_name() for s in rail.steppers if s.get_name() in taken]
                if len(names) > 1:
                    readings = [self._reading(taken[name]) for name in names]
                    found.append(self._rail_readings(rail, endstops, readings))
        return found

    def _rail_readings(
        self, rail: Rail, endstops: List[str], readings: List[StepperReading]
    ) -> RailReadings:
        times = [self.watch.trigger_times.get(endstop) for endstop in endstops]
        triggered = None not in times
        speed_mm_s = 0.0
        if triggered:
            # One that stops with the endstop is slow right after it
            speed_mm_s = max(_speed_mm_s(s, t) for s in rail.steppers for t in times)
        return RailReadings(rail, "+".join(endstops), triggered, readings, speed_mm_s)

    def _reading(self, stepper_position: Any) -> StepperReading:
        stepper = stepper_position.stepper
        name = stepper_position.stepper_name
        self._check_count(stepper_position)
        return StepperReading(
            name,
            stepper.get_step_dist(),
            self.offsets_mm[name] - self._skew_mm.get(name, 0.0),
            stepper_position.start_pos,
            self._trigger_steps(stepper_position),
            stepper_position.halt_pos,
        )

    def _trigger_steps(self, stepper_position: Any) -> int:
        stepper = stepper_position.stepper
        name = stepper_position.endstop_name
        pin_time = self._signals.trigger_time(name, stepper.get_mcu())
        if pin_time is None:
            return int(stepper_position.trig_pos)
        return int(stepper.get_past_mcu_position(pin_time))

    def _check_count(self, stepper_position: Any) -> None:
        name, halt_steps = stepper_position.stepper_name, stepper_position.halt_pos
        if name not in self.watch.sent_steps:
            # The move was given up before it was waited for
            return
        start_steps, sent_steps = stepper_position.start_pos, self.watch.sent_steps[name]
        first, last = sorted((start_steps, sent_steps))
        # The host rounds the place that it has sent a stepper to
        if not first - 1 <= halt_steps <= last + 1:
            raise CountError(
                "MCU '%s' counts %d steps for '%s', which was sent from %d to %d"
                % (
                    stepper_position.stepper.get_mcu().get_name(),
                    halt_steps,
                    name,
                    start_steps,
                    sent_steps,
                )
            )
