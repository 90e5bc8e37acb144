# What the user learns of each homing move
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
from typing import Dict, List

from ..model.klippy import Printer
from ..model.rail import Rail
from ..model.rail_result import RailResult
from ..state.sync_state import RailState
from . import console
from .history import History
from .log_line import log_line


class HomingReport:
    """Writes the log lines, keeps the history, and advises to level.

    Lines wait until the host writes its statistics, each second: to wake up the
    thread that writes takes longer than a line does.
    """

    def __init__(self, printer: Printer, history: History) -> None:
        self._printer = printer
        self._history = history
        self._waiting_lines: List[str] = []
        self._levelling: Dict[str, str] = {}

    def note_levelling(self, commands: Dict[str, str]) -> None:
        """The command that levels a rail, by the rail's name."""
        self._levelling = commands

    def note_move(self, results: List[RailResult], error: str) -> None:
        """A homing move has ended; error is empty or says why it was not corrected."""
        self._history.note_homing_move(results, error)
        self._waiting_lines.append(log_line(results, error))
        if error:
            # Before the lines that follow from it
            self.write()

    def write(self) -> None:
        """Write the lines that wait."""
        if self._waiting_lines:
            logging.info("\n".join(self._waiting_lines))
            self._waiting_lines = []

    def note_in_step(self, rail: Rail, state: RailState) -> None:
        """A homing move has put a rail in step."""
        if state.has_level_incident():
            line = console.level_line(rail, state, self._levelling.get(rail.name))
            self._printer.lookup_object("gcode").respond_info("multi_mcu_resync: %s" % (line,))
