# Resynchronize the steppers of an axis that is shared by several MCUs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
import math
from typing import Any, Dict, List, Optional

from .resync import event, limit, mapping, plan
from .resync.chelper import Helper, HelperError
from .resync.failure import Failure
from .resync.host import Host
from .resync.motion import move_together
from .resync.rail import Rail, resyncable_rails
from .resync.rebase import MappingKeeper
from .resync.status import RailResult, Status, log_line


def get_finite(config: Any, option: str, default: float, minval: float) -> float:
    """A number that is neither infinite nor "nan", which getfloat() lets pass."""
    value = config.getfloat(option, default, minval=minval)
    if not math.isfinite(value):
        raise config.error(
            "Option '%s' in section '%s' must be a finite number"
            % (option, config.get_name())
        )
    return value


class MultiMcuResync:
    def __init__(self, config: Any) -> None:
        self.printer = config.get_printer()
        # Read configuration
        self.axes = config.getlist("axes", None)
        self.speed = get_finite(config, "speed", 5.0, minval=0.01)
        self.accel = get_finite(config, "accel", 200.0, minval=0.1)
        self.target = config.getchoice("target", {t: t for t in plan.TARGETS}, "trigger")
        self.correct = config.getboolean("correct", True)
        self.max_correction = get_finite(config, "max_correction", 1.0, minval=0.001)
        self.include_single_mcu = config.getboolean("include_single_mcu", False)
        self._check_axes(config)
        # Lift the start-up checks before kinematics and probes load
        self.host = Host(self.printer)
        self.host.lift_shared_axis_checks(config, self._is_resynced)
        # Set once the kinematics is known
        self.rails: List[Rail] = []
        self.steppers: Dict[str, Any] = {}
        self.helper: Optional[Helper] = None
        self.keeper: Optional[MappingKeeper] = None
        # The homing move under way
        self.span: Optional[event.HomingSpan] = None
        self.failure = Failure(self.printer)
        self.status = Status(self.correct)
        # Register events and commands
        self.printer.register_event_handler("klippy:connect", self._handle_connect)
        self.printer.register_event_handler("klippy:ready", self._handle_ready)
        self.gcode = self.printer.lookup_object("gcode")
        self.gcode.register_command(
            "QUERY_RESYNC", self.cmd_QUERY_RESYNC, desc=self.cmd_QUERY_RESYNC_help
        )

    # Start-up
    def _check_axes(self, config: Any) -> None:
        # Before the host refuses the axes that are left out
        if self.axes is not None and not self.axes:
            raise config.error("Option 'axes' in section 'multi_mcu_resync' names no axis")
        for axis in self.axes or ():
            is_axis = len(axis) == 1 and config.has_section("stepper_%s" % (axis,))
            if not is_axis and not config.has_section("carriage %s" % (axis,)):
                raise config.error(
                    "Option 'axes' in section 'multi_mcu_resync': '%s' is no axis of"
                    " this printer" % (axis,)
                )

    def _is_resynced(self, axis: str) -> bool:
        return self.axes is None or axis in self.axes

    def _handle_connect(self) -> None:
        toolhead = self.printer.lookup_object("toolhead")
        found = resyncable_rails(toolhead.get_kinematics(), self.include_single_mcu)
        self._check_found([axis for rail in found for axis in rail.axes])
        self.rails = [r for r in found if any(map(self._is_resynced, r.axes))]
        self.steppers = {s.get_name(): s for rail in self.rails for s in rail.steppers}
        for name in self.host.lifted_steppers.difference(self.steppers):
            raise self.printer.config_error(
                "multi_mcu_resync: the kinematics of this printer is not supported,"
                " it does not tell which axis moves '%s'" % (name,)
            )
        self.status.note_axes([axis for rail in self.rails for axis in rail.axes])
        for rail in self.rails:
            logging.info("multi_mcu_resync: %s", rail.describe())
        if not self.rails:
            logging.info(
                "multi_mcu_resync: no axis has steppers on several MCUs, nothing to resync"
            )
        elif self.correct:
            self._prepare_corrections(toolhead)

    def _check_found(self, names: List[str]) -> None:
        for axis in self.axes or ():
            if axis not in names:
                raise self.printer.config_error(
                    "Option 'axes' in section 'multi_mcu_resync': axis '%s' has no"
                    " steppers on several MCUs (those that have: %s)"
                    % (axis, ", ".join(names) or "none")
                )

    def _prepare_corrections(self, toolhead: Any) -> None:
        try:
            self.helper = self.host.load_helper()
        except HelperError as e:
            raise self.printer.config_error("multi_mcu_resync: %s" % (e,)) from e
        self.keeper = MappingKeeper(toolhead, self.steppers)

    def _handle_ready(self) -> None:
        # Probes deploy and stow at the same events, some by a homing move of
        # their own: note the mapping once they have deployed, move the
        # steppers before they stow, and fail once they have stowed.
        begin, end = "homing:homing_move_begin", "homing:homing_move_end"
        self.printer.register_event_handler(begin, self._handle_move_begin)
        self.host.register_first(end, self._handle_move_end)
        self.printer.register_event_handler(end, self.failure.raise_for)
        # Outside of all others that replace the command
        self.host_G28 = self.gcode.register_command("G28", None)
        self.gcode.register_command("G28", self.cmd_G28)

    # Homing and probing moves
    def cmd_G28(self, gcmd: Any) -> None:
        if self.keeper is None:
            self.host_G28(gcmd)
            return
        self.keeper.is_homing = True
        try:
            self.host_G28(gcmd)
        finally:
            self.keeper.is_homing = False

    def _handle_move_begin(self, homing_move: Any) -> None:
        if self.span is not None:
            # The last move was given up before its end event
            self._end_span(self.span)
        if not self.rails:
            return
        if homing_move.toolhead is not self.printer.lookup_object("toolhead"):
            # manual_stepper and the like bring a toolhead of their own
            return
        self.span = event.HomingSpan(homing_move, self.rails)
        if self.keeper is not None:
            self.keeper.in_homing_move = True

    def _end_span(self, span: event.HomingSpan) -> None:
        span.watch.stop()
        self.span = None
        if self.keeper is not None:
            self.keeper.in_homing_move = False

    def _handle_move_end(self, homing_move: Any) -> None:
        span = self.span
        if span is None or span.homing_move is not homing_move:
            return
        results: List[RailResult] = []
        error = ""
        try:
            self._resync(span, results)
        except Exception as e:
            error = "multi_mcu_resync: %s" % (e,)
            if not isinstance(e, (plan.PlanError, limit.LimitError, mapping.MappingError)):
                logging.exception("multi_mcu_resync: resync failed")
        self._end_span(span)
        if results or error:
            self.status.note_homing_move(results, error)
            logging.info(log_line(results))
        if error:
            self.failure.note(homing_move, error)

    def _resync(self, span: event.HomingSpan, results: List[RailResult]) -> None:
        for part in span.readings():
            results.append(RailResult(part, plan.plan_rail(part.readings, self.target)))
        if self.helper is None or self.printer.is_shutdown():
            return
        limit.check_limit([r.plan for r in results], self.max_correction)
        corrections = [c for r in results for c in r.plan.corrections]
        move_together(
            self.host,
            self.helper,
            [(self.steppers[c.name], c.correction_steps) for c in corrections],
            self.speed,
            self.accel,
            self.host.sampling_end_time(
                span.homing_move.endstops, span.watch.last_trigger_time()
            ),
        )
        mapping.settle(
            span.homing_move.toolhead,
            self.steppers,
            span.idle_offsets_mm(),
            [(r.part.readings, r.plan) for r in results],
        )
        results[:] = [r._replace(corrected=True) for r in results]

    # Status and commands
    def get_status(self, eventtime: float) -> Dict[str, Any]:
        return self.status.get_status()

    cmd_QUERY_RESYNC_help = "Report the corrections of the last homing move"

    def cmd_QUERY_RESYNC(self, gcmd: Any) -> None:
        gcmd.respond_info(self.status.console_text())


def load_config(config: Any) -> MultiMcuResync:
    return MultiMcuResync(config)
