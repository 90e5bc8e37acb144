# Resynchronize the steppers of an axis that is shared by several MCUs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
from typing import Dict, List, Tuple, Union

from .resync.count_check.checks import CountChecks
from .resync.homing.homing import Homing
from .resync.homing.homing_moves import HomingMoves
from .resync.homing.keep_mapping import MappingKeeper
from .resync.homing.losses import Losses
from .resync.homing.resyncer import Resyncer
from .resync.homing.settling import Settling
from .resync.homing.targets import Targets
from .resync.homing.ways import Correcting, Measuring
from .resync.host.chelper import Helper, HelperError
from .resync.host.home_command import HomeCommand
from .resync.host.host import Host
from .resync.host.patches import Patches
from .resync.host.rails import resyncable_rails
from .resync.host.settings import read_settings
from .resync.model import following_error
from .resync.model.correction_time import Pace
from .resync.model.klippy import (
    HOMING_MOVE_BEGIN,
    HOMING_MOVE_END,
    Config,
    HomingMove,
    HostRail,
    Toolhead,
)
from .resync.model.limit_settings import LimitSettings
from .resync.model.rail import Rail
from .resync.pins.signals import Signals
from .resync.report.commands import Queries, register_commands
from .resync.report.history import History
from .resync.report.homing_report import HomingReport
from .resync.report.repairs import NoRepairs, Repairs
from .resync.report.status import Status
from .resync.state.following_error_trip import FollowingErrorTrip
from .resync.state.force_move_watch import ForceMoveWatch
from .resync.state.guard import MoveGuard
from .resync.state.level import LevelWatch
from .resync.state.motor_watch import MotorWatch
from .resync.state.sync_state import NOT_CORRECTED, NOT_HOMED, SyncState


class MultiMcuResync:
    def __init__(self, config: Config) -> None:
        self.printer = config.get_printer()
        self.host = Host(config)
        # Read configuration
        self.settings = read_settings(config)
        # Lift the start-up checks before kinematics and probes load
        self.host.lift_shared_axis_checks(config, self.settings.is_resynced)
        self.signals = Signals(config, self.host)
        # Macros may name commands and fields before the printer is connected
        register_commands(self.printer.lookup_object("gcode"), lambda name: self.commands[name])
        self.history = History()
        self.status = self._build_status([], SyncState([]), self._limit_settings({}))
        # Register events
        self.printer.register_event_handler("klippy:connect", self._handle_connect)
        self.printer.register_event_handler("klippy:ready", self._handle_ready)

    # Start-up
    def _handle_connect(self) -> None:
        self.host.check_connected()
        toolhead = self.printer.lookup_object("toolhead")
        host_rails = self.host.rails(toolhead.get_kinematics())
        self.signals.connect(host_rails)
        self.rails = self._find_rails(host_rails)
        self.steppers = {s.get_name(): s for rail in self.rails for s in rail.steppers}
        self._check_lifted()
        reason = NOT_HOMED if self.settings.correct else NOT_CORRECTED
        self.state = SyncState([rail.name for rail in self.rails], reason)
        self.state.note_incidents(self.host.earlier_incidents())
        self.limits = self._limit_settings(self._find_limits())
        self.status = self._build_status(self.rails, self.state, self.limits)
        if self.rails:
            self.host.keep_step_history({s.get_mcu() for s in self.steppers.values()})
        self._build_homing(toolhead)
        self.printer.register_event_handler("klippy:shutdown", self._handle_shutdown)
        self.printer.register_event_handler("klippy:disconnect", self._handle_disconnect)

    def _find_rails(self, host_rails: List[HostRail]) -> List[Rail]:
        found = resyncable_rails(host_rails, self.settings.include_single_mcu)
        names = [axis for rail in found for axis in rail.axes]
        for axis in self.settings.axes or ():
            if axis not in names:
                raise self.printer.config_error(
                    "Option 'axes' in section 'multi_mcu_resync': axis '%s' has no"
                    " steppers on several MCUs (those that have: %s)"
                    % (axis, ", ".join(names) or "none")
                )
        return [rail for rail in found if any(map(self.settings.is_resynced, rail.axes))]

    def _check_lifted(self) -> None:
        for name in self.host.lifted_steppers.difference(self.steppers):
            raise self.printer.config_error(
                "multi_mcu_resync: the kinematics of this printer is not supported,"
                " it does not say which axis moves '%s'" % (name,)
            )

    def _limit_settings(self, rails: Dict[str, following_error.Limits]) -> LimitSettings:
        return LimitSettings(rails, self.settings.max_correction_mm, self.settings.on_ferror)

    def _build_status(self, rails: List[Rail], state: SyncState, limits: LimitSettings) -> Status:
        return Status(self.settings.correct, self.history, limits, rails, state)

    def _find_limits(self) -> Dict[str, following_error.Limits]:
        found = {rail.name: self._rail_limits(rail) for rail in self.rails}
        if not self.rails:
            logging.info(
                "multi_mcu_resync: no axis has steppers on several MCUs, nothing to resync"
            )
        for rail in self.rails:
            limits = found[rail.name]
            logging.info(
                "multi_mcu_resync: %s; ferror %.6f at %.1f mm/s, min_ferror %.6f",
                rail.describe(),
                limits.ferror_mm,
                limits.max_speed_mm_s,
                limits.min_ferror_mm,
            )
        return found

    def _rail_limits(self, rail: Rail) -> following_error.Limits:
        try:
            return following_error.rail_limits(
                self.settings.ferror_mm,
                self.settings.min_ferror_mm,
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
        speed_mm_s, accel_mm_s2 = self.settings.speed_mm_s, self.settings.accel_mm_s2
        for option, wanted, limit_value in (
            ("speed", speed_mm_s, most.speed_mm_s),
            ("accel", accel_mm_s2, most.accel_mm_s2),
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
        return most.bounded(speed_mm_s, accel_mm_s2)

    def _build_homing(self, toolhead: Toolhead) -> None:
        # Where nothing is corrected the state is that nothing is known
        self.corrected_rails = self.rails if self.settings.correct else []
        losses = Losses(self.corrected_rails, self.state)
        host_moves: List[HomingMove] = []
        moves = HomingMoves(self.rails, self.state, self.signals, host_moves, losses)
        self.printer.register_event_handler("klippy:disconnect", moves.stop)
        self.patches = Patches()
        self.home_command = HomeCommand()
        way: Union[Correcting, Measuring] = Measuring()
        repairs: Union[Repairs, NoRepairs] = NoRepairs()
        if self.corrected_rails:
            way, repairs = self._build_correcting(toolhead, moves)
        self.queries = Queries(self.printer, self.rails, self.state, self.history)
        self.commands = {**self.queries.handlers(), **repairs.handlers()}
        self.report = HomingReport(self.printer, self.history)
        targets = Targets(self.settings.target, self.host.triggers_by_pin)
        self.homing = Homing(
            self.printer, self.rails, self.state, moves, way, losses, targets, self.report
        )
        self.host.follow_homing_moves(host_moves, self.homing.left)

    def _load_helper(self) -> Helper:
        try:
            return self.host.load_helper()
        except HelperError as e:
            raise self.printer.config_error("multi_mcu_resync: %s" % (e,)) from e

    def _build_correcting(
        self, toolhead: Toolhead, moves: HomingMoves
    ) -> Tuple[Correcting, Repairs]:
        printer, rails, state, patches = self.printer, self.rails, self.state, self.patches
        self.helper = self._load_helper()
        paces = {rail.name: self._pace(rail) for rail in rails}
        ferror = FollowingErrorTrip(printer, self.limits)
        resyncer = Resyncer(printer, self.host, self.helper, rails, state, ferror, paces)
        printer.register_event_handler("klippy:disconnect", patches.undo)
        has_dual_carriage = self.host.has_dual_carriage()
        MappingKeeper(toolhead, rails, moves.is_started, has_dual_carriage, patches)
        kinematics, home_command = toolhead.get_kinematics(), self.home_command
        MoveGuard(printer, kinematics, rails, state, lambda: home_command.is_running, patches)
        MotorWatch(printer, rails, state)
        ForceMoveWatch(printer, rails, state, patches)
        self.count_check = CountChecks(
            printer, self.host, rails, state, ferror, self.status.note_checks
        )
        repairs = Repairs(printer, rails, state, ferror, resyncer, self.count_check)
        way = Correcting(printer, rails, state, resyncer, self.count_check)
        return way, repairs

    def _handle_ready(self) -> None:
        # Probes deploy and stow at the same events, some by a homing move of
        # their own: note the mapping once they have deployed, move the
        # steppers before they stow, and fail once they have stowed.
        settling = Settling(self.host, self.corrected_rails)
        self.printer.register_event_handler(HOMING_MOVE_BEGIN, settling.before)
        self.printer.register_event_handler(HOMING_MOVE_BEGIN, self.homing.begin)
        self.host.register_first(HOMING_MOVE_END, self.homing.end)
        self.printer.register_event_handler(HOMING_MOVE_END, self.homing.failure.raise_for)
        if self.corrected_rails:
            levelling = LevelWatch(self.host, self.rails, self.state, self.patches).commands
            self.queries.note_levelling(levelling)
            self.report.note_levelling(levelling)
            names = [rail.name for rail in self.rails]
            self.state.note_unlevelled(n for n in names if n not in levelling)
            self.count_check.check_every(self.settings.check_interval_s)
            self.home_command.follow(self.printer.lookup_object("gcode"), self.patches)

    # The end of a printer
    def _handle_shutdown(self) -> None:
        self.state.close()
        self.report.write()

    def _handle_disconnect(self) -> None:
        self.host.keep_incidents(self.state.incidents())
        self.report.write()

    # What the user sees
    def stats(self, eventtime: float) -> Tuple[bool, str]:
        self.report.write()
        return False, ""

    def get_status(self, eventtime: float) -> Dict[str, object]:
        return self.status.get_status()


def load_config(config: Config) -> MultiMcuResync:
    return MultiMcuResync(config)
