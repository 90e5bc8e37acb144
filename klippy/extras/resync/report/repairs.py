# The commands that put steppers back in step, and set what they may be off by
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
import math
from typing import Dict, List, Optional

from ..count_check.checks import CountChecks
from ..homing.resyncer import Resyncer
from ..host import mapping
from ..host.answers import CLOCK_ERROR_S
from ..model.following_error import LimitsError
from ..model.klippy import CommandHandler, GCodeCommand, Printer, Toolhead
from ..model.limit import LimitError
from ..model.limit_settings import LEAST_MAX_CORRECTION_MM, ON_FERROR
from ..model.rail import Rail
from ..state.following_error_trip import FollowingErrorTrip
from ..state.sync_state import SyncState
from . import console


def _finite(gcmd: GCodeCommand, name: str, minval: float) -> Optional[float]:
    """A number that is neither infinite nor "nan", None if it is not given."""
    value: Optional[float] = gcmd.get_float(name, None, minval=minval)
    if value is not None and not math.isfinite(value):
        raise gcmd.error("SET_RESYNC_LIMITS: %s must be a finite number" % (name,))
    return value


class Repairs:
    """Commands of a printer whose axes are corrected."""

    def __init__(
        self,
        printer: Printer,
        rails: List[Rail],
        state: SyncState,
        ferror: FollowingErrorTrip,
        resyncer: Resyncer,
        count_check: CountChecks,
    ) -> None:
        self._printer = printer
        self._rails = rails
        self._state = state
        self._limits = ferror.limits
        self._trip = ferror.trip
        self._resyncer = resyncer
        self._count_check = count_check

    def handlers(self) -> Dict[str, CommandHandler]:
        """What runs each command, by its name."""
        return {
            "RESYNC": self.cmd_RESYNC,
            "RESYNC_CHECK": self.cmd_RESYNC_CHECK,
            "SET_RESYNC_LIMITS": self.cmd_SET_RESYNC_LIMITS,
        }

    # Steppers that are not in step
    cmd_RESYNC_CHECK_help = "Wait for standstill, and compare the MCUs' step counts with the host's"

    def cmd_RESYNC_CHECK(self, gcmd: GCodeCommand) -> None:
        self._wait_for_standstill()
        if self._printer.is_shutdown():
            raise gcmd.error("RESYNC_CHECK: the printer was shut down meanwhile")
        comparisons = self._count_check.compare_all()
        if len(comparisons) < sum(len(rail.steppers) for rail in self._rails):
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

    def _wait_for_standstill(self) -> None:
        # In a move a lost step may lie within the limit; at rest each of them shows
        self._printer.lookup_object("toolhead").wait_moves()
        # The last step may be later than the host takes it to be, by what clocks are off
        reactor = self._printer.get_reactor()
        reactor.pause(reactor.monotonic() + 2.0 * CLOCK_ERROR_S)

    cmd_RESYNC_help = "Put axes that are not in sync back in step, or accept them as they are"

    def cmd_RESYNC(self, gcmd: GCodeCommand) -> None:
        clear = gcmd.get_int("CLEAR", 0, minval=0, maxval=1)
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
        if results:
            # The toolhead cannot move before all are done
            self._count_check.expect(results, toolhead.get_last_move_time())
        for rail in self._rails:
            state = self._state.get(rail.name)
            if state.in_sync is False:
                raise gcmd.error(
                    "Axis %s is not in sync: %s. By how much is not known: home it"
                    % ("+".join(rail.axes), state.reason)
                )
        gcmd.respond_info(console.put_back_line(sum(result.corrected for result in results)))

    def _accept(self, toolhead: Toolhead, rails: List[Rail]) -> None:
        # The host asks for the counts by itself
        self._count_check.pause()
        try:
            self._resyncer.accept(toolhead, rails)
        finally:
            self._count_check.resume()

    def _check_motors(self, gcmd: GCodeCommand) -> None:
        stepper_enable = self._printer.lookup_object("stepper_enable")
        skewed = [rail for rail in self._rails if self._state.get(rail.name).is_skew_known]
        for name in [s.get_name() for rail in skewed or self._rails for s in rail.steppers]:
            if not stepper_enable.lookup_enable(name).is_motor_enabled():
                raise gcmd.error("RESYNC: the motor of '%s' is off, home its axis" % (name,))

    # The limits
    cmd_SET_RESYNC_LIMITS_help = "Change or report how far a stepper may be off"

    def cmd_SET_RESYNC_LIMITS(self, gcmd: GCodeCommand) -> None:
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


class NoRepairs:
    """The same commands of a printer of which nothing is corrected."""

    def handlers(self) -> Dict[str, CommandHandler]:
        """What runs each command, by its name."""
        return {
            "RESYNC": self.cmd_RESYNC,
            "RESYNC_CHECK": self.cmd_RESYNC_CHECK,
            "SET_RESYNC_LIMITS": self.cmd_SET_RESYNC_LIMITS,
        }

    def cmd_RESYNC(self, gcmd: GCodeCommand) -> None:
        raise gcmd.error("RESYNC: no axis is resynced")

    def cmd_RESYNC_CHECK(self, gcmd: GCodeCommand) -> None:
        raise gcmd.error("RESYNC_CHECK: no axis is resynced")

    def cmd_SET_RESYNC_LIMITS(self, gcmd: GCodeCommand) -> None:
        raise gcmd.error("SET_RESYNC_LIMITS: no axis is resynced")
