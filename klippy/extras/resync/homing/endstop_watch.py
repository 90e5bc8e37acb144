# Learn when a homing move starts, and whether its endstops triggered
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Callable, Dict, List, Optional, Tuple

from ..host.answers import trigger_fault
from ..host.patches import HomeStart, HomeWait, Layer, Patches
from ..model.klippy import Endstop, HomingCompletion, Stepper


class EndstopWatch:
    """Learns when a homing move starts, and whether each of its endstops triggered.

    The end event does not say: it is sent after a communication timeout and
    without a trigger as well.  note_start() is called before the first endstop
    is armed, layers_of(endstop) has what comes between us and the endstop.
    sent_steps has the count that each stepper would have reached
    had nothing stopped it, faults what is wrong with the times of triggers;
    these are not among trigger_times.
    """

    def __init__(
        self,
        endstops: List[Tuple[Endstop, str]],
        steppers: List[Stepper],
        note_start: Callable[[], None],
        layers_of: Callable[[Endstop], List[Layer]],
    ) -> None:
        self.trigger_times: Dict[str, float] = {}
        self.sent_steps: Dict[str, int] = {}
        self.faults: List[str] = []
        # Print times (s)
        self._start_times: Dict[str, float] = {}
        self._steppers = steppers
        # None once it is called: it holds us, and a circle takes the host's time
        # to be found and freed
        self._note_start: Optional[Callable[[], None]] = note_start
        self._patches = Patches()
        # One endstop may serve two axes
        names: Dict[Endstop, List[str]] = {}
        for endstop, name in endstops:
            names.setdefault(endstop, []).append(name)
        for endstop in names:
            layers = [*layers_of(endstop), *map(self._layer, names[endstop])]
            self._patches.around_endstop(endstop, layers)

    @property
    def is_started(self) -> bool:
        """Whether an endstop has been armed."""
        return self._note_start is None

    def _layer(self, name: str) -> Layer:
        return Layer(
            lambda home_start: self._starting(home_start, name),
            lambda home_wait: self._waiting(home_wait, name),
        )

    def _starting(self, home_start: HomeStart, name: str) -> HomeStart:
        def start(print_time: float, *arguments: object, **options: object) -> HomingCompletion:
            note_start, self._note_start = self._note_start, None
            if note_start is not None:
                note_start()
            self._start_times[name] = print_time
            return home_start(print_time, *arguments, **options)

        return start

    def _waiting(self, home_wait: HomeWait, name: str) -> HomeWait:
        def watched(home_end_time: float) -> float:
            # All steps have been sent, and the first endstop to be waited for
            # makes the host ask the MCUs for what became of them
            if not self.sent_steps:
                self.sent_steps = {s.get_name(): s.get_mcu_position() for s in self._steppers}
            trigger_time = home_wait(home_end_time)
            if trigger_time > 0.0:
                self._note_trigger(name, trigger_time, home_end_time)
            return trigger_time

        return watched

    def _note_trigger(self, name: str, trigger_time: float, end_time: float) -> None:
        place = "endstop '%s'" % (name,)
        fault = trigger_fault(place, trigger_time, self._start_times[name], end_time)
        if fault:
            self.faults.append(fault)
        else:
            self.trigger_times[name] = trigger_time

    def start_time(self) -> float:
        """Print time (s) at which the move began."""
        return min(self._start_times.values())

    def stop(self) -> None:
        """Leave the endstops as they were found."""
        self._patches.undo()
