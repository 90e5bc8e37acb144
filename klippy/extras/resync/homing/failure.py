# Make a homing move fail, once the other handlers of its end have run
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Optional

from ..model.klippy import HomingMove, Printer


class Failure:
    """A homing move whose steppers could not be put back in step.

    Noted at once, but raised only when the other handlers of the same event
    have run: the host calls them in a plain loop, which an exception ends.
    """

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._failed_move: Optional[HomingMove] = None
        self._error = ""

    def note(self, homing_move: HomingMove, error: str) -> None:
        """Remember why this homing move has to fail."""
        self._failed_move, self._error = homing_move, error

    def raise_for(self, homing_move: HomingMove) -> None:
        """Raise the error if it was this move that failed."""
        if self._failed_move is not homing_move:
            return
        raise self._printer.command_error(self._error)
