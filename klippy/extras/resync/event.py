# What happened between homing_move_begin and homing_move_end
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Set, Tuple

from . import mapping
from .plan import StepperReading
from .rail import Rail

# Over how long (s) the speed of a homing move is measured
SPEED_WINDOW_S = 0.010


# Of an endstop's name and an MCU: print time (s), or None
PinTime = Callable[[str, Any], Optional[float]]


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
        self._undo: List[Tuple[Any, Optional[Any]]] = []
        for endstop, name in endstops:
            # Some probes hold home_wait as an attribute of the instance
            self._undo.append((endstop, vars(endstop).get("home_wait")))
            endstop.home_wait = self._watch(endstop.home_wait, name)

    def _watch(self, home_wait: Any, name: str) -> Any:
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

    def last_trigger_time(self) -> float:
        """Print time (s) of the last trigger, zero if there was none."""
        return max(self.trigger_times.values(), default=0.0)

    def stop(self) -> None:
        """Leave the endstops as they were found."""
        # The same endstop may be there twice
        while self._undo:
            endstop, own = self._undo.pop()
            if own is None:
                del endstop.home_wait
            else:
                endstop.home_wait = own


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
    pin_time tells when an endstop triggered at an MCU's own pin, if it has one.
    """

    def __init__(
        self,
        homing_move: Any,
        rails: List[Rail],
        skew_mm: Dict[str, float],
        pin_time: PinTime,
    ) -> None:
        self.homing_move = homing_move
        self._pin_time = pin_time
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

        Steppers that home to endstops of their own are not read: they must
        not be pulled together.  Raises CountError if an MCU's count is not on
        the way that its stepper was sent.
        """
        positions = {
            (sp.stepper_name, sp.endstop_name): sp
            for sp in self.homing_move.stepper_positions
        }
        found = []
        for rail in self._rails:
            for _, endstop in self.homing_move.endstops:
                taken = [positions.get((s.get_name(), endstop)) for s in rail.steppers]
                readings = [self._reading(sp) for sp in taken if sp is not None]
                if len(readings) > 1:
                    trigger_time = self.watch.trigger_times.get(endstop)
                    speed_mm_s = 0.0
                    if trigger_time is not None:
                        # One that stops with the endstop is slow right after it
                        speed_mm_s = max(_speed_mm_s(s, trigger_time) for s in rail.steppers)
                    triggered = trigger_time is not None
                    found.append(RailReadings(rail, endstop, triggered, readings, speed_mm_s))
        return found

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
        pin_time = self._pin_time(stepper_position.endstop_name, stepper.get_mcu())
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
