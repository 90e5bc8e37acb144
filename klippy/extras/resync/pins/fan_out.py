# A probe or endstop whose signal reaches several MCUs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List, Optional

from ..host.answers import trigger_fault
from ..host.patches import HomeStart, HomeWait, Layer
from ..model.klippy import Endstop, HomingCompletion, Mcu, Printer, Trsync
from .signal_pin import PinError, SignalPin

# How often (s) a pin is looked at while it is waited for.  The host looks once
# a step, which at 5 mm/s lets MCUs differ by more than a message takes.
REST_S = 0.000050

# The host lets the endstops look for so long (s) before it moves anything,
# HOMING_START_DELAY of its homing.py
START_DELAY_S = 0.001


def judge_triggers(times: Dict[str, Optional[float]], start_time: float, tolerance_s: float) -> str:
    """What is wrong with the pins of one signal; empty if nothing is.

    times has the print time (s) at which each pin triggered, None for those
    that did not; start_time is when the move began.
    """
    found = {pin: time for pin, time in times.items() if time is not None}
    if not found:
        return ""
    first = min(found, key=lambda pin: found[pin])
    last = max(found, key=lambda pin: found[pin])
    missing = [pin for pin in times if pin not in found]
    late_s = found[last] - found[first]
    if not missing and late_s <= tolerance_s:
        return ""
    if found[first] < start_time + START_DELAY_S:
        return "pin '%s' reads triggered before the move: it is inverted or stuck" % (first,)
    if missing:
        return "pin '%s' did not trigger when '%s' did: check its wire" % (missing[0], first)
    return "pin '%s' triggered %.3f ms after '%s', more than trigger_tolerance: check its wire" % (
        last,
        late_s * 1e3,
        first,
    )


class FanOut:
    """One endstop, and the pins that carry its signal to other MCUs.

    Each MCU then stops its own steppers at its own pin.
    """

    def __init__(
        self,
        printer: Printer,
        option: str,
        pins: List[SignalPin],
        tolerance_s: float,
        fallback: bool,
    ) -> None:
        self._printer = printer
        self._option = option
        self._pins = pins
        self._tolerance_s = tolerance_s
        self._fallback = fallback
        self._own_name = ""
        self.endstop: Optional[Endstop] = None
        # Pins that read triggered before the move
        self._triggered: List[SignalPin] = []
        self._stuck: List[SignalPin] = []
        self._armed: List[SignalPin] = []
        self._start_time = 0.0
        # What was wrong in the last move, and the print time (s) of its trigger
        # at the pin of each MCU
        self.fault = ""
        self.trigger_times: Dict[Mcu, float] = {}

    def connect(self, endstop: Endstop, own_pin: str, trsyncs: List[Trsync]) -> None:
        """Belong to this endstop; raises the host's config error.

        trsyncs are those of the endstop, its own MCU's first.
        """
        self._own_name, self.endstop = own_pin, endstop
        by_mcu = {trsync.get_mcu(): trsync for trsync in trsyncs[1:]}
        taken = {trsyncs[0].get_mcu(): own_pin}
        config_error = self._printer.config_error
        for pin in self._pins:
            if pin.mcu in taken:
                raise config_error(
                    "Option '%s' in section 'multi_mcu_resync': '%s' and '%s' are on one MCU"
                    % (self._option, taken[pin.mcu], pin.name)
                )
            if pin.mcu not in by_mcu:
                raise config_error(
                    "Option '%s' in section 'multi_mcu_resync': '%s' is on an MCU that has no"
                    " stepper which this endstop stops" % (self._option, pin.name)
                )
            taken[pin.mcu] = pin.name
            pin.connect(by_mcu[pin.mcu])
        missing = sorted(mcu.get_name() for mcu in by_mcu if mcu not in taken)
        if missing and not self._fallback:
            raise config_error(
                "Option '%s' in section 'multi_mcu_resync': MCU '%s' has no pin, name one or"
                " set relay_fallback" % (self._option, missing[0])
            )

    def begin(self) -> List[Layer]:
        """What has the endstop, or the probe that wraps it, arm the other pins as well.

        Raises PinError if an MCU does not say what its pin reads.
        """
        self.fault, self.trigger_times = "", {}
        if self._pins[0].mcu.is_fileoutput():
            # Nothing is waited for in batch mode
            return []
        if self._fallback:
            # The probe may still be on its way up from the bed
            self._printer.lookup_object("toolhead").wait_moves()
            self._triggered = [pin for pin in self._pins if pin.is_triggered()]
        return [Layer(self._starting, self._waiting)]

    def end(self) -> None:
        """Leave what stops the steppers of each pin as it was found."""
        # A move that was given up has not waited for them
        for pin in self._pins:
            pin.release()

    def _starting(self, home_start: HomeStart) -> HomeStart:
        def start(
            print_time: float,
            sample_time: float,
            sample_count: int,
            rest_time: float,
            triggered: bool = True,
        ) -> HomingCompletion:
            self._start_time = print_time
            rest_time = min(rest_time, REST_S)
            self._stuck = []
            if self._fallback:
                # They would stop every move at once
                self._stuck = [p for p in self._pins if (p in self._triggered) == triggered]
            self._armed = [pin for pin in self._pins if pin not in self._stuck]
            completion = home_start(
                print_time, sample_time, sample_count, rest_time, triggered=triggered
            )
            for pin in self._armed:
                pin.arm(print_time, sample_time, sample_count, rest_time, triggered)
            return completion

        return start

    def _waiting(self, home_wait: HomeWait) -> HomeWait:
        def wait(home_end_time: float) -> float:
            times: Dict[str, Optional[float]] = {}
            try:
                own_time = home_wait(home_end_time)
            finally:
                for pin in self._armed:
                    times[pin.name] = trigger_time = self._disarm(pin, home_end_time)
                    if trigger_time is not None:
                        self.trigger_times[pin.mcu] = trigger_time
            if own_time < 0.0:
                # After a communication timeout
                return own_time
            times[self._own_name] = own_time or None
            # All of them may be triggered, which the host has an error for
            if self._stuck and own_time > self._start_time + START_DELAY_S:
                times[self._stuck[0].name] = self._start_time
            if not self.fault:
                self.fault = judge_triggers(times, self._start_time, self._tolerance_s)
            # The signal was there, if not at the host's own pin
            return own_time or min((t for t in times.values() if t), default=0.0)

        return wait

    def _disarm(self, pin: SignalPin, end_time: float) -> Optional[float]:
        """Look at a pin no more; what is wrong with its answer is noted."""
        try:
            trigger_time = pin.disarm()
        except PinError as e:
            self.fault = str(e)
            return None
        if trigger_time is None:
            return None
        fault = trigger_fault("pin '%s'" % (pin.name,), trigger_time, self._start_time, end_time)
        if fault:
            self.fault = fault
            return None
        return trigger_time
