# Make a homing move fail, and see to it that its axes are not used
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Optional


class Failure:
    """A homing move whose steppers could not be put back in step.

    Noted at once, but raised only when the other handlers of the same event
    have run: the host calls them in a plain loop, which an exception ends.
    """

    def __init__(self, printer: Any) -> None:
        self._printer = printer
        self._failed_move: Optional[Any] = None
        self._error = ""
        self._is_out_of_step = False

    def note(self, homing_move: Any, error: str) -> None:
        """Remember why this homing move has to fail."""
        if self._printer.is_shutdown():
            # Nothing moves before a restart, which forgets all positions
            return
        self._failed_move, self._error = homing_move, error
        self._is_out_of_step = True
        # For when another handler fails before ours is called
        self._printer.get_reactor().register_callback(self._unhome_after_command)

    def raise_for(self, homing_move: Any) -> None:
        """Unhome all axes and raise the error if it was this move that failed."""
        if self._failed_move is not homing_move:
            return
        self._failed_move = None
        self._unhome()
        raise self._printer.command_error(self._error)

    def _unhome_after_command(self, eventtime: float) -> None:
        with self._printer.lookup_object("gcode").get_mutex():
            self._unhome()

    def _unhome(self) -> None:
        if self._is_out_of_step:
            self._is_out_of_step = False
            self._printer.lookup_object("stepper_enable").motor_off()
