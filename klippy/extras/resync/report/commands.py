# The G-code commands of [multi_mcu_resync]
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
import math
from typing import Callable, Dict, List, Optional

from ..count_check.acknowledge import Acknowledgement
from ..homing.resyncer import Resyncer
from ..host import mapping
from ..model.following_error import LimitsError
from ..model.klippy import GCodeCommand, Printer, Stepper, Toolhead
from ..model.limit import LimitError
from ..model.limit_settings import LEAST_MAX_CORRECTION_MM, ON_FERROR, LimitSettings
from ..model.rail import Rail
from ..model.running_statistics import StopStatistics
from ..state.sync_state import SyncState
from . import console
from .history import History, stop_statistics

HOST_ACCURACY = "PROBE_ACCURACY"


def drift_mm(
    rails: List[Rail], before_mm: Dict[str, float], after_mm: Dict[str, float]
) -> Dict[str, float]:
    """By how much the mapping of each stepper has moved against its rail's first (mm)."""
    drift = {}
    for rail in rails:
        names = [s.get_name() for s in rail.steppers]
        moved_mm = {name: after_mm[name] - before_mm[name] for name in names}
        drift.update({name: moved_mm[name] - moved_mm[names[0]] for name in names})
    return drift


def _finite(gcmd: GCodeCommand, name: str, minval: float) -> Optional[float]:
    """A number that is neither infinite nor "nan", None if it is not given."""
    value: Optional[float] = gcmd.get_float(name, None, minval=minval)
    if value is not None and not math.isfinite(value):
        raise gcmd.error("SET_RESYNC_LIMITS: %s must be a finite number" % (name,))
    return value


class Commands:
    """Registers the commands; they find what they work on once it is attached."""

    def __init__(
        self,
        printer: Printer,
        history: History,
        limits: LimitSettings,
        trip: Callable[[str], None],
    ) -> None:
        self._printer = printer
        self._history = history
        self._limits = limits
        self._trip = trip
        self._rails: List[Rail] = []
        self._state = SyncState([])
        self._resyncer: Optional[Resyncer] = None
        self._acknowledgement: Optional[Acknowledgement] = None
        self._levelling: Dict[str, str] = {}
        self._gcode = printer.lookup_object("gcode")
        for name, handler, text in (
            ("QUERY_RESYNC", self.cmd_QUERY_RESYNC, self.cmd_QUERY_RESYNC_help),
            ("RESYNC", self.cmd_RESYNC, self.cmd_RESYNC_help),
            ("RESYNC_ACCURACY", self.cmd_RESYNC_ACCURACY, self.cmd_RESYNC_ACCURACY_help),
            ("RESYNC_CHECK", self.cmd_RESYNC_CHECK, self.cmd_RESYNC_CHECK_help),
            ("RESYNC_STATS", self.cmd_RESYNC_STATS, self.cmd_RESYNC_STATS_help),
            ("SET_RESYNC_LIMITS", self.cmd_SET_RESYNC_LIMITS, self.cmd_SET_RESYNC_LIMITS_help),
        ):
            self._gcode.register_command(name, handler, desc=text)

    def attach(
        self,
        rails: List[Rail],
        state: SyncState,
        resyncer: Optional[Resyncer],
        acknowledgement: Optional[Acknowledgement],
    ) -> None:
        """What the commands work on; the last two are None if nothing is corrected."""
        self._rails = rails
        self._state = state
        self._resyncer = resyncer
        self._acknowledgement = acknowledgement

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
            statistics = stop_statistics(statistics, results)
        lines = console.statistics_lines(self._rails, statistics)
        if not lines:
            raise gcmd.error("RESYNC_ACCURACY: the probe moves none of the resynced axes")
        drifts_mm = drift_mm(self._rails, before_mm, after_mm)
        gcmd.respond_info(
            "resync accuracy results:\n%s"
            # Adding zero to a rounded "-0" takes its sign away
            % "\n".join(
                "%s; drift %.6f mm" % (line, round(drifts_mm[name], 6) + 0.0)
                for name, line in lines.items()
            )
        )

    # Steppers that are not in step
    cmd_RESYNC_CHECK_help = "Compare the stepper counts of the MCUs with the host's"

    def cmd_RESYNC_CHECK(self, gcmd: GCodeCommand) -> None:
        if self._resyncer is None or self._acknowledgement is None:
            raise gcmd.error("RESYNC_CHECK: no axis is resynced")
        comparisons = self._acknowledgement.compare_all()
        if len(comparisons) < len(self._steppers()):
            raise gcmd.error("RESYNC_CHECK: not while the printer homes or probes")
        gcmd.respond_info("\n".join(c.describe() for c in comparisons))
        try:
            for comparison in comparisons:
                if comparison.is_fault():
                    self._trip(comparison.describe())
                if not comparison.is_conclusive():
                    raise gcmd.error("multi_mcu_resync: %s" % (comparison.describe(),))
        except LimitError as e:
            raise gcmd.error("multi_mcu_resync: %s" % (e,)) from e

    cmd_RESYNC_help = "Put axes that are not in sync back in step, or accept them as they are"

    def cmd_RESYNC(self, gcmd: GCodeCommand) -> None:
        clear = gcmd.get_int("CLEAR", 0, minval=0, maxval=1)
        if self._resyncer is None:
            raise gcmd.error("RESYNC: no axis is resynced")
        toolhead = self._printer.lookup_object("toolhead")
        if clear:
            self._accept(toolhead, self._rails_of(gcmd, gcmd.get("AXIS", None)))
            gcmd.respond_info("The steppers are taken to be in sync where they stand")
            return
        self._check_motors(gcmd)
        try:
            results = self._resyncer.force(toolhead)
        except mapping.MappingError as e:
            raise gcmd.error("RESYNC: %s" % (e,)) from e
        if results and self._acknowledgement is not None:
            # The toolhead cannot move before all are done
            self._acknowledgement.expect(results, toolhead.get_last_move_time())
        for rail in self._rails:
            state = self._state.get(rail.name)
            if state.in_sync is False:
                raise gcmd.error(
                    "Axis %s is not in sync: %s. By how much is not known: home it"
                    % ("+".join(rail.axes), state.reason)
                )
        count = sum(result.corrected for result in results)
        gcmd.respond_info("%d axes have been put back in step" % (count,))

    def _accept(self, toolhead: Toolhead, rails: List[Rail]) -> None:
        assert self._resyncer is not None and self._acknowledgement is not None
        # The host asks for the counts by itself
        self._acknowledgement.pause()
        try:
            self._resyncer.accept(toolhead, rails)
        finally:
            self._acknowledgement.resume()

    def _check_motors(self, gcmd: GCodeCommand) -> None:
        stepper_enable = self._printer.lookup_object("stepper_enable")
        skewed = [rail for rail in self._rails if self._state.get(rail.name).is_skew_known]
        for name in [s.get_name() for rail in skewed or self._rails for s in rail.steppers]:
            if not stepper_enable.lookup_enable(name).is_motor_enabled():
                raise gcmd.error("RESYNC: the motor of '%s' is off, home its axis" % (name,))

    # The limits
    cmd_SET_RESYNC_LIMITS_help = "Change or report how far a stepper may be off"

    def cmd_SET_RESYNC_LIMITS(self, gcmd: GCodeCommand) -> None:
        if self._resyncer is None:
            raise gcmd.error("SET_RESYNC_LIMITS: no axis is resynced")
        rails = self._rails_of(gcmd, gcmd.get("AXIS", None))
        ferror_mm = _finite(gcmd, "FERROR", minval=0.0)
        min_ferror_mm = _finite(gcmd, "MIN_FERROR", minval=0.0)
        max_correction_mm = _finite(gcmd, "MAX_CORRECTION", minval=LEAST_MAX_CORRECTION_MM)
        on_ferror = gcmd.get("ON_FERROR", self._limits.on_ferror).lower()
        if on_ferror not in ON_FERROR:
            raise gcmd.error(
                "SET_RESYNC_LIMITS: ON_FERROR must be one of %s" % (", ".join(ON_FERROR),)
            )
        try:
            self._limits.change_rails(rails, ferror_mm, min_ferror_mm)
        except LimitsError as e:
            raise gcmd.error("SET_RESYNC_LIMITS: %s" % (e,)) from e
        if max_correction_mm is None:
            max_correction_mm = self._limits.max_correction_mm
        self._limits.set_response(max_correction_mm, on_ferror)
        text = "\n".join(console.limit_lines(rails, self._limits))
        if set(gcmd.get_command_parameters()) <= {"AXIS"}:
            gcmd.respond_info(text, log=False)
        else:
            logging.info("multi_mcu_resync: limits changed:\n%s", text)

    def _rails_of(self, gcmd: GCodeCommand, axis: Optional[str]) -> List[Rail]:
        if axis is None:
            return self._rails
        axes = [a for rail in self._rails for a in rail.axes]
        found = [r for r in self._rails if axis.lower() in [a.lower() for a in r.axes]]
        if not found:
            raise gcmd.error(
                "%s: axis '%s' is not resynced (those that are: %s)"
                % (gcmd.get_command(), axis, ", ".join(axes))
            )
        return found
