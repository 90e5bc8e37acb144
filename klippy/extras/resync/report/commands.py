# The G-code commands of [multi_mcu_resync]
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Callable, Dict, List

from ..host import mapping
from ..model.klippy import CommandHandler, GCode, GCodeCommand, Printer, Stepper
from ..model.rail import Rail
from ..model.running_statistics import StopStatistics
from ..state.sync_state import SyncState
from . import console, figures
from .history import History, stop_statistics, stops_of
from .repairs import Repairs

HOST_ACCURACY = "PROBE_ACCURACY"


def drift_mm(
    rails: List[Rail], before_mm: Dict[str, float], after_mm: Dict[str, float]
) -> Dict[str, float]:
    """By how much the mapping of each stepper has moved against its rail's first (mm)."""
    drift = {}
    for rail in rails:
        names = rail.stepper_names
        moved_mm = {name: after_mm[name] - before_mm[name] for name in names}
        drift.update({name: moved_mm[name] - moved_mm[names[0]] for name in names})
    return drift


class Queries:
    """Commands that report, whether anything is corrected or not."""

    def __init__(
        self, printer: Printer, rails: List[Rail], state: SyncState, history: History
    ) -> None:
        self._rails = rails
        self._state = state
        self._history = history
        self._levelling: Dict[str, str] = {}
        self._gcode = printer.lookup_object("gcode")

    def handlers(self) -> Dict[str, CommandHandler]:
        """What runs each command, by its name."""
        return {
            "QUERY_RESYNC": self.cmd_QUERY_RESYNC,
            "RESYNC_ACCURACY": self.cmd_RESYNC_ACCURACY,
            "RESYNC_STATS": self.cmd_RESYNC_STATS,
        }

    def note_levelling(self, commands: Dict[str, str]) -> None:
        """The command that levels a rail, by the rail's name."""
        self._levelling = commands

    def _steppers(self) -> Dict[str, Stepper]:
        return {s.get_name(): s for rail in self._rails for s in rail.steppers}

    # What happened
    cmd_QUERY_RESYNC_help = "Report which axes are in sync, and what the last homing move did"

    def cmd_QUERY_RESYNC(self, gcmd: GCodeCommand) -> None:
        if not self._rails:
            gcmd.respond_info("No axis has steppers on several MCUs")
            return
        states = [self._state.get(rail.name) for rail in self._rails]
        lines = console.axis_lines(self._rails, states, self._levelling)
        gcmd.respond_info("\n".join(lines + console.move_lines(self._history.moves)))

    cmd_RESYNC_STATS_help = "Report how far each stepper went on after the triggers"

    def cmd_RESYNC_STATS(self, gcmd: GCodeCommand) -> None:
        is_reset = gcmd.get_int("RESET", 0, minval=0, maxval=1)
        lines = console.statistics_lines(self._rails, self._history.statistics).values()
        gcmd.respond_info("\n".join(lines) or "No statistics yet")
        if is_reset:
            self._history.reset_statistics()
            gcmd.respond_info("The statistics have been reset")

    cmd_RESYNC_ACCURACY_help = "Run PROBE_ACCURACY and report how each stepper stopped"

    def cmd_RESYNC_ACCURACY(self, gcmd: GCodeCommand) -> None:
        if not self._rails:
            raise gcmd.error("RESYNC_ACCURACY: no axis is resynced")
        if HOST_ACCURACY not in self._gcode.get_command_help():
            raise gcmd.error("RESYNC_ACCURACY: this printer has no %s" % (HOST_ACCURACY,))
        steppers = self._steppers()
        before_mm = {name: mapping.offset_mm(s) for name, s in steppers.items()}
        with self._history.run() as moves:
            parameters = gcmd.get_raw_command_parameters()
            self._gcode.run_script_from_command("%s %s" % (HOST_ACCURACY, parameters))
        after_mm = {name: mapping.offset_mm(s) for name, s in steppers.items()}
        statistics: Dict[str, StopStatistics] = {}
        for results in moves:
            statistics = stop_statistics(statistics, stops_of(results))
        lines = console.statistics_lines(self._rails, statistics)
        if not lines:
            raise gcmd.error("RESYNC_ACCURACY: the probe moves none of the resynced axes")
        drifts_mm = drift_mm(self._rails, before_mm, after_mm)
        gcmd.respond_info(
            "resync accuracy results:\n%s"
            % "\n".join(
                "%s; drift %s mm" % (line, figures.mm(drifts_mm[name]))
                for name, line in lines.items()
            )
        )


HELP = {
    "QUERY_RESYNC": Queries.cmd_QUERY_RESYNC_help,
    "RESYNC": Repairs.cmd_RESYNC_help,
    "RESYNC_ACCURACY": Queries.cmd_RESYNC_ACCURACY_help,
    "RESYNC_CHECK": Repairs.cmd_RESYNC_CHECK_help,
    "RESYNC_STATS": Queries.cmd_RESYNC_STATS_help,
    "SET_RESYNC_LIMITS": Repairs.cmd_SET_RESYNC_LIMITS_help,
}


def register_commands(gcode: GCode, handler_of: Callable[[str], CommandHandler]) -> None:
    """Register all commands; handler_of(name) is asked when one runs.

    None does before the printer is ready.
    """

    def register(name: str, text: str) -> None:
        gcode.register_command(name, lambda gcmd: handler_of(name)(gcmd), desc=text)

    for name, text in HELP.items():
        register(name, text)
