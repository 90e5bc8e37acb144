# How long a printer takes for G-code
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from virtual_printer.session import Session


class Stopwatch:
    """Times G-code from now to the end of its last move.

    M400 looks every 100 ms whether the moves are over, so the end is taken
    from the print time of the last move, not from when M400 returns.
    """

    def __init__(self, printer: Session) -> None:
        self._printer = printer
        self._started_s = self._toolhead("estimated_print_time")

    def seconds(self) -> float:
        """Time (s) since the start, once "M400" has been run."""
        return self._toolhead("print_time") - self._started_s

    def _toolhead(self, field: str) -> float:
        return float(self._printer.status("toolhead", field)[field])
