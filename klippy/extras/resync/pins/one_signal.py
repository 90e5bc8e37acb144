# Endstops of a rail that all carry one and the same signal
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List, Optional, Set

from ..host.host import Host
from ..host.patches import HomeStart, HomeWait, Layer
from ..model.klippy import Endstop, HomingCompletion, Printer
from .fan_out import judge_triggers

# What a stop may take to be relayed (s), before an endstop counts as silent
RELAY_S = 0.010


class OneSignal:
    """The steppers of a rail that stop at endstops of their own.

    The host waits until the last of them has triggered.  Since all carry one
    signal, one that stays silent is broken: its steppers are stopped too.
    """

    def __init__(
        self, printer: Printer, host: Host, endstops: List[Endstop], tolerance_s: float
    ) -> None:
        self._reactor = printer.get_reactor()
        self._host = host
        self.endstops = endstops
        self._tolerance_s = tolerance_s
        self._start_time = 0.0
        # By endstop; each homing move has a dictionary of its own
        self._completions: Dict[Endstop, HomingCompletion] = {}
        # Endstops whose steppers we have stopped
        self._stopped: Set[Endstop] = set()
        # Print time (s) at which the host has learnt of the first trigger
        self._learnt_time: Optional[float] = None
        self._times: Dict[str, Optional[float]] = {}
        # What was wrong in the last move
        self.fault = ""

    def begin(self, endstop: Endstop) -> List[Layer]:
        """What watches this endstop, one of ours, in the move that begins."""
        if endstop.get_mcu().is_fileoutput():
            # Nothing is waited for in batch mode
            return []
        return [
            Layer(
                lambda home_start: self._starting(endstop, home_start),
                lambda home_wait: self._waiting(endstop, home_wait),
            )
        ]

    def end(self) -> None:
        """Judge what the endstops did in the move that has ended."""
        self.fault = judge_triggers(self._times, self._start_time, self._tolerance_s)
        self._completions, self._times, self._learnt_time = {}, {}, None
        self._stopped = set()

    def _starting(self, endstop: Endstop, home_start: HomeStart) -> HomeStart:
        def start(print_time: float, *arguments: object, **options: object) -> HomingCompletion:
            self._start_time = print_time
            completion = home_start(print_time, *arguments, **options)
            completions = self._completions
            completions[endstop] = completion
            self._reactor.register_callback(
                lambda eventtime: self._stop_others(completion, completions)
            )
            return completion

        return start

    def _stop_others(
        self, completion: HomingCompletion, completions: Dict[Endstop, HomingCompletion]
    ) -> None:
        completion.wait()
        if self._completions is not completions:
            # Of a move that has ended
            return
        now = self._reactor.monotonic()
        if self._learnt_time is None:
            self._learnt_time = self._host.print_time_at(now)
        self._reactor.pause(now + self._tolerance_s + RELAY_S)
        if self._completions is not completions:
            # The next move may be under way already
            return
        for endstop, other in completions.items():
            if not other.test():
                self._stopped.add(endstop)
                self._host.stop_steppers_of(endstop)

    def _waiting(self, endstop: Endstop, home_wait: HomeWait) -> HomeWait:
        def wait(home_end_time: float) -> float:
            time = home_wait(home_end_time)
            if time < 0.0:
                # After a communication timeout
                return time
            self._times[self._host.endstop_pin(endstop)] = time or None
            if not time and endstop in self._stopped and self._learnt_time is not None:
                # The signal was there, if not at this pin.  One that we have not
                # stopped has come to the end of its way
                return self._learnt_time
            return time

        return wait
