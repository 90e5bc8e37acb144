# One more pin that carries the signal of an endstop
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Callable, Optional

from ..host.answers import believed
from ..host.mcu_pin import lookup_mcu_pin
from ..host.patches import Patches
from ..model.klippy import AnswerParams, Printer, Trsync

# Reasons of a trsync, the same in every host: its own pin has triggered
REASON_ENDSTOP_HIT = 1


class PinError(Exception):
    """The MCU of a pin does not say what the pin does, or nothing that can be true."""


class SignalPin:
    """A pin on an MCU of its own, which stops the steppers of that MCU.

    It triggers the trsync that the endstop has on that MCU anyway, so that
    whatever comes first stops them: the pin, or the host that relays.
    """

    def __init__(self, printer: Printer, text: str, option: str) -> None:
        self.name = text
        self._answer_error = printer.command_error
        self._pin = lookup_mcu_pin(printer, text, option)
        self.mcu = self._pin.mcu
        self._oid = self.mcu.create_oid()
        self.mcu.register_config_callback(self._build_config)
        self._patches = Patches()
        self._stop_reason = 0

    def _build_config(self) -> None:
        self.mcu.add_config_cmd(
            "config_endstop oid=%d pin=%s pull_up=%d"
            % (self._oid, self._pin.name, self._pin.pullup)
        )
        self.mcu.add_config_cmd(
            "endstop_home oid=%d clock=0 sample_ticks=0 sample_count=0 rest_ticks=0"
            " pin_value=0 trsync_oid=0 trigger_reason=0" % (self._oid,),
            on_restart=True,
        )

    def connect(self, trsync: Trsync) -> None:
        """Belong to the trsync that the endstop has on this MCU."""
        self._trsync = trsync
        queue = trsync.get_command_queue()
        self._home_command = self.mcu.lookup_command(
            "endstop_home oid=%c clock=%u sample_ticks=%u sample_count=%c rest_ticks=%u"
            " pin_value=%c trsync_oid=%c trigger_reason=%c",
            cq=queue,
        )
        self._query_command = self.mcu.lookup_query_command(
            "endstop_query_state oid=%c",
            "endstop_state oid=%c homing=%c next_clock=%u pin_value=%c",
            oid=self._oid,
            cq=queue,
        )

    def _query(self) -> AnswerParams:
        try:
            return self._query_command.send([self._oid])
        except self._answer_error as e:
            raise PinError(
                "no answer from MCU '%s' to what pin '%s' reads: check the link to it"
                % (self.mcu.get_name(), self.name)
            ) from e

    def is_triggered(self) -> bool:
        """Whether the pin reads triggered now; raises PinError."""
        value = self._query()["pin_value"]
        if believed(value, 0, 1) is None:
            raise PinError(
                "MCU '%s' says that pin '%s' reads %d: check its firmware"
                % (self.mcu.get_name(), self.name, value)
            )
        return bool(value ^ self._pin.invert)

    def arm(
        self,
        print_time: float,
        sample_time: float,
        sample_count: int,
        rest_time: float,
        triggered: bool,
    ) -> None:
        """Look at the pin from a print time (s) on, as the host has its endstop do."""
        clock = self.mcu.print_time_to_clock(print_time)
        self._rest_ticks = self.mcu.print_time_to_clock(print_time + rest_time) - clock
        self._stop_reason = 0
        # The host does not keep what has triggered an MCU that it relays to
        self._patches.around_stop(self._trsync, self._watch)
        self._home_command.send(
            [
                self._oid,
                clock,
                self.mcu.seconds_to_clock(sample_time),
                sample_count,
                self._rest_ticks,
                triggered ^ self._pin.invert,
                self._trsync.get_oid(),
                REASON_ENDSTOP_HIT,
            ],
            reqclock=clock,
        )

    def release(self) -> None:
        """Leave the trsync as it was found."""
        self._patches.undo()

    def _watch(self, stop: Callable[[], int]) -> int:
        self.release()
        self._stop_reason = stop()
        return self._stop_reason

    def disarm(self) -> Optional[float]:
        """Look at the pin no more; returns the print time (s) of its trigger.

        None if it was not this pin that has stopped the steppers of its MCU.
        Raises PinError.
        """
        self.release()
        self._home_command.send([self._oid, 0, 0, 0, 0, 0, 0, 0])
        if self._stop_reason != REASON_ENDSTOP_HIT:
            return None
        next_clock = self._query()["next_clock"]
        clock = self.mcu.clock32_to_clock64(next_clock) - self._rest_ticks
        return self.mcu.clock_to_print_time(clock)
