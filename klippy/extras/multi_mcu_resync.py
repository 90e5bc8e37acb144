# Resynchronize the steppers of an axis that is shared by several MCUs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
from typing import Any, Callable, Dict, List, Optional

from .resync.count_check.acknowledge import Acknowledgement
from .resync.homing.failure import Failure
from .resync.homing.homing_moves import HomingMoves
from .resync.homing.keep_mapping import MappingKeeper
from .resync.homing.resyncer import Options, Resyncer
from .resync.homing.span import CountError, HomingSpan, moved_rails
from .resync.host import mapping
from .resync.host.chelper import HelperError
from .resync.host.host import Host
from .resync.host.options import get_finite
from .resync.host.rails import resyncable_rails
from .resync.host.stand_in import Wrapping, look_alike
from .resync.model import following_error, limit, plan
from .resync.model.correction_time import Pace
from .resync.model.limit_settings import LEAST_MAX_CORRECTION_MM, ON_FERROR, LimitSettings
from .resync.model.rail import Rail
from .resync.model.rail_result import RailResult
from .resync.pins.signals import Signals
from .resync.report import console
from .resync.report.commands import Commands
from .resync.report.history import History
from .resync.report.log_line import log_line
from .resync.report.status import Status
from .resync.state.following_error_trip import FollowingErrorTrip
from .resync.state.force_move_watch import ForceMoveWatch
from .resync.state.guard import MoveGuard
from .resync.state.level import LevelWatch
from .resync.state.motor_watch import MotorWatch
from .resync.state.sync_state import NOT_CORRECTED, NOT_HOMED, SHUT_DOWN, RailState, SyncState


class MultiMcuResync:
    def __init__(self, config: Any) -> None:
        self.host = Host(config)
        self.printer = config.get_printer()
        # Read configuration
        self.axes = config.getlist("axes", None)
        self.speed = get_finite(config, "speed", None, minval=0.01)
        self.accel = get_finite(config, "accel", None, minval=0.1)
        self.target = config.getchoice("target", {t: t for t in plan.TARGETS}, "trigger")
        self.limits = LimitSettings(
            get_finite(config, "max_correction", 1.0, minval=LEAST_MAX_CORRECTION_MM),
            config.getchoice("on_ferror", {o: o for o in ON_FERROR}, "error"),
        )
        self.trip = FollowingErrorTrip(self.printer, self.limits).trip
        self.ferror = get_finite(config, "ferror", None, minval=0.0)
        self.min_ferror = get_finite(config, "min_ferror", None, minval=0.0)
        self.check_interval = get_finite(config, "check_interval", 0.0, minval=0.0)
        self.correct = config.getboolean("correct", True)
        self.include_single_mcu = config.getboolean("include_single_mcu", False)
        self._check_axes(config)
        # Lift the start-up checks before kinematics and probes load
        self.host.lift_shared_axis_checks(config, self._is_resynced)
        self.signals = Signals(config, self.host)
        # Set once the kinematics is known
        self.rails: List[Rail] = []
        self.state = SyncState([])
        self.wrapping = Wrapping()
        self.resyncer: Optional[Resyncer] = None
        self.acknowledgement: Optional[Acknowledgement] = None
        # Whether a homing move is part of a G28
        self.is_homing = False
        self.failure = Failure(self.printer)
        # What the user is told
        self.history = History()
        self.status = Status(self.correct, self.history, self.limits)
        self.commands = Commands(self.printer, self.history, self.limits, self.trip)
        # Register events
        register = self.printer.register_event_handler
        register("klippy:connect", self._handle_connect)
        register("klippy:ready", self._handle_ready)
        register("klippy:shutdown", self._handle_shutdown)

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
        self.host.check_connected()
        toolhead = self.printer.lookup_object("toolhead")
        host_rails = self.host.rails(toolhead.get_kinematics())
        self.signals.connect(host_rails)
        found = resyncable_rails(host_rails, self.include_single_mcu)
        self._check_found([axis for rail in found for axis in rail.axes])
        self.rails = [r for r in found if any(map(self._is_resynced, r.axes))]
        reason = NOT_HOMED if self.correct else NOT_CORRECTED
        self.state = SyncState([rail.name for rail in self.rails], reason)
        self.state.note_incidents(self.host.earlier_incidents())
        self.printer.register_event_handler("klippy:disconnect", self._handle_disconnect)
        host_moves = self.host.follow_homing_moves(self._leave_move)
        self.moves = HomingMoves(self.rails, self.state, self.signals, host_moves, self.correct)
        self.printer.register_event_handler("klippy:disconnect", self.moves.stop)
        self.steppers = {s.get_name(): s for rail in self.rails for s in rail.steppers}
        for name in self.host.lifted_steppers.difference(self.steppers):
            raise self.printer.config_error(
                "multi_mcu_resync: the kinematics of this printer is not supported,"
                " it does not tell which axis moves '%s'" % (name,)
            )
        if not self.rails:
            logging.info(
                "multi_mcu_resync: no axis has steppers on several MCUs, nothing to resync"
            )
        self.limits.rails = {rail.name: self._rail_limits(rail) for rail in self.rails}
        for rail in self.rails:
            limits = self.limits.rails[rail.name]
            logging.info(
                "multi_mcu_resync: %s; ferror %.6f at %.1f mm/s, min_ferror %.6f",
                rail.describe(),
                limits.ferror_mm,
                limits.max_speed_mm_s,
                limits.min_ferror_mm,
            )
        if self.rails:
            self.host.keep_step_history({s.get_mcu() for s in self.steppers.values()})
        if self.rails and self.correct:
            self._prepare_corrections(toolhead)
        self.status.note_rails(self.rails, self.state)
        self.commands.attach(self.rails, self.state, self.resyncer, self.acknowledgement)

    def _handle_shutdown(self) -> None:
        self.state.forget([rail.name for rail in self.rails], SHUT_DOWN)

    def _handle_disconnect(self) -> None:
        self.host.keep_incidents(self.state.incidents())

    def _check_found(self, names: List[str]) -> None:
        for axis in self.axes or ():
            if axis not in names:
                raise self.printer.config_error(
                    "Option 'axes' in section 'multi_mcu_resync': axis '%s' has no"
                    " steppers on several MCUs (those that have: %s)"
                    % (axis, ", ".join(names) or "none")
                )

    def _rail_limits(self, rail: Rail) -> following_error.Limits:
        try:
            return following_error.rail_limits(
                self.ferror,
                self.min_ferror,
                self.host.max_pace(rail).speed_mm_s,
                self.host.trsync_timeout_s(),
                rail.coarsest_step_mm(),
            )
        except following_error.LimitsError as e:
            raise self.printer.config_error(
                "multi_mcu_resync: axis %s: option %s" % ("+".join(rail.axes), e)
            ) from e

    def _pace(self, rail: Rail) -> Pace:
        """How fast the rail is corrected: the options, but no faster than its axis may be."""
        most = self.host.max_pace(rail)
        for option, wanted, limit_value in (
            ("speed", self.speed, most.speed_mm_s),
            ("accel", self.accel, most.accel_mm_s2),
        ):
            if wanted is not None and wanted > limit_value:
                logging.info(
                    "multi_mcu_resync: axis %s: option '%s' is above what [printer] allows"
                    " this axis, %.3f is used instead of %.3f",
                    "+".join(rail.axes),
                    option,
                    limit_value,
                    wanted,
                )
        return most.bounded(self.speed, self.accel)

    def _prepare_corrections(self, toolhead: Any) -> None:
        try:
            helper = self.host.load_helper()
        except HelperError as e:
            raise self.printer.config_error("multi_mcu_resync: %s" % (e,)) from e
        self.helper = helper
        options = Options(self.target, {rail.name: self._pace(rail) for rail in self.rails})
        self.resyncer = Resyncer(
            self.printer,
            self.host,
            helper,
            self.rails,
            self.limits,
            self.state,
            self.trip,
            options,
        )
        self.printer.register_event_handler("klippy:disconnect", self.wrapping.undo)
        MappingKeeper(
            toolhead,
            self.rails,
            self.moves.is_started,
            self.host.has_dual_carriage(),
            self.wrapping,
        )
        MoveGuard(
            self.printer,
            toolhead.get_kinematics(),
            self.rails,
            self.state,
            lambda: self.is_homing,
            self.wrapping,
        )
        MotorWatch(self.printer, self.rails, self.state)
        ForceMoveWatch(self.printer, self.rails, self.state, self.wrapping)
        self.acknowledgement = Acknowledgement(
            self.printer,
            self.host,
            self.rails,
            self.limits,
            self.state,
            self.trip,
            self.status.note_checks,
        )

    def _handle_ready(self) -> None:
        # Probes deploy and stow at the same events, some by a homing move of
        # their own: note the mapping once they have deployed, move the
        # steppers before they stow, and fail once they have stowed.
        begin, end = "homing:homing_move_begin", "homing:homing_move_end"
        self.printer.register_event_handler(begin, self._handle_move_begin)
        self.host.register_first(end, self._handle_move_end)
        self.printer.register_event_handler(end, self.failure.raise_for)
        if self.resyncer is not None:
            self.level = LevelWatch(self.host, self.rails, self.state, self.wrapping)
            self.commands.note_levelling(self.level.commands)
            names = [rail.name for rail in self.rails]
            self.state.note_unlevelled(n for n in names if n not in self.level.commands)
            self.acknowledgement.check_every(self.check_interval)
            # Outside of all others that replace the command
            gcode = self.printer.lookup_object("gcode")
            host_G28 = gcode.register_command("G28", None)
            gcode.register_command("G28", look_alike(host_G28, self._homing))

    # Homing and probing moves
    def _homing(self, host_G28: Callable[[Any], None]) -> Callable[[Any], None]:
        def cmd_G28(gcmd: Any) -> None:
            # [homing_override] may call it from within itself
            was_homing, self.is_homing = self.is_homing, True
            try:
                host_G28(gcmd)
            finally:
                self.is_homing = was_homing

        return cmd_G28

    def _handle_move_begin(self, homing_move: Any) -> None:
        if homing_move.toolhead is not self.printer.lookup_object("toolhead"):
            # manual_stepper and the like bring a toolhead of their own
            return
        if self.acknowledgement is not None:
            self.acknowledgement.pause()
        try:
            if self.printer.is_shutdown():
                # The host would wait for the trigger for ever
                raise self.printer.command_error(
                    "multi_mcu_resync: the printer was shut down before"
                )
            self.moves.begin(homing_move)
        finally:
            self._go_on_checking()

    def _go_on_checking(self) -> None:
        if self.acknowledgement is not None and not self.moves.is_any():
            self.acknowledgement.resume()

    def _leave_move(self, homing_move: Any) -> None:
        if self.moves.leave(homing_move):
            self._go_on_checking()

    def _handle_move_end(self, homing_move: Any) -> None:
        span = self.moves.find(homing_move)
        if span is None:
            if homing_move.toolhead is self.printer.lookup_object("toolhead"):
                self.moves.lose(homing_move)
            return
        results: List[RailResult] = []
        error = ""
        before = {rail.name: self.state.get(rail.name) for rail in self.rails}
        try:
            self._resync(span, results)
            self._note_squared(span, results)
        except Exception as e:
            error = str(e) or type(e).__name__
            message = "multi_mcu_resync: %s" % (error,)
            self.failure.note(homing_move, message)
            if self.resyncer is not None:
                self._note_uncorrected(span, results, error)
            if isinstance(e, CountError):
                # Nothing that this MCU says of its steppers can be trusted
                self.printer.invoke_shutdown(message)
            elif not isinstance(e, (plan.PlanError, limit.LimitError, mapping.MappingError)):
                logging.exception("multi_mcu_resync: resync failed")
        for fault in self.moves.end(span):
            message = "multi_mcu_resync: %s" % (fault,)
            if self.signals.fallback:
                self.printer.lookup_object("gcode").respond_info(message + "; the host relays")
            else:
                self.failure.note(homing_move, message)
        for fault in span.faults:
            # The host has computed the new position from it
            self.failure.note(homing_move, "multi_mcu_resync: %s" % (fault,))
        self._go_on_checking()
        if results or error:
            self.history.note_homing_move(results, error)
            logging.info(log_line(results, error))
        self._advise_levelling(before)

    def _note_squared(self, span: HomingSpan, results: List[RailResult]) -> None:
        """Rails whose steppers have all homed to endstops of their own need no correction."""
        resynced = {r.part.rail.name for r in results}
        others = [rail for rail in self.rails if rail.name not in resynced]
        if self.resyncer is None or not others:
            return
        stopped = {
            sp.stepper_name
            for sp in span.homing_move.stepper_positions
            if sp.endstop_name in span.trigger_times
        }
        for rail in others:
            names = [s.get_name() for s in rail.steppers]
            if stopped.issuperset(names):
                self.state.note_squared(rail.name, names)

    def _note_uncorrected(
        self, span: HomingSpan, results: List[RailResult], reason: str
    ) -> None:
        corrected = {r.part.rail.name for r in results if r.corrected}
        for rail in moved_rails(span.homing_move, self.rails):
            if rail.name not in corrected:
                self.moves.note_failure(span, rail, reason)

    def _advise_levelling(self, before: Dict[str, RailState]) -> None:
        for rail in self.rails:
            state = self.state.get(rail.name)
            has_come_in_step = state.in_sync and not before[rail.name].in_sync
            if has_come_in_step and state.has_level_incident():
                line = console.level_line(rail, state, self.level.commands.get(rail.name))
                self.printer.lookup_object("gcode").respond_info("multi_mcu_resync: %s" % (line,))

    def _resync(self, span: HomingSpan, results: List[RailResult]) -> None:
        parts = span.readings()
        if self.resyncer is None:
            results += [
                RailResult(part, plan.plan_rail(part.readings, self.target)) for part in parts
            ]
            return
        results += self.resyncer.plan(parts)
        if self.printer.is_shutdown():
            return
        done_time = self.resyncer.correct(span, results)
        self.acknowledgement.expect(results, done_time)

    def get_status(self, eventtime: float) -> Dict[str, Any]:
        return self.status.get_status()


def load_config(config: Any) -> MultiMcuResync:
    return MultiMcuResync(config)
