# Resynchronize the steppers of an axis that is shared by several MCUs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
from typing import Any, Dict, List, Optional

from .resync import check, event, mapping, plan
from .resync.host import Host
from .resync.motion import move_together
from .resync.status import RailResult, Status, log_line


class MultiMcuResync:
    def __init__(self, config: Any) -> None:
        self.printer = config.get_printer()
        # Read configuration
        self.axes = config.getlist("axes", None)
        for axis in self.axes or []:
            if not config.has_section("stepper_%s" % (axis,)):
                raise config.error(
                    "Option 'axes' in section 'multi_mcu_resync': '%s' is no axis,"
                    " there is no section [stepper_%s]" % (axis, axis)
                )
        self.speed = config.getfloat("speed", 5.0, above=0.0)
        self.accel = config.getfloat("accel", 200.0, above=0.0)
        self.target = config.getchoice(
            "target", {t: t for t in plan.TARGETS}, "trigger"
        )
        self.correct = config.getboolean("correct", True)
        self.max_correction = config.getfloat("max_correction", 1.0, above=0.0)
        # Lift the start-up check before kinematics and probes load
        self.host = Host(self.printer)
        self.host.lift_shared_axis_check(self._is_resynced)
        # Tracking of the present and the last homing move
        self.rails: List[event.SharedRail] = []
        self.span: Optional[event.HomingSpan] = None
        self.error = ""
        self.status = Status(self.correct)
        # Register events and commands
        self.printer.register_event_handler("klippy:connect", self._handle_connect)
        self.printer.register_event_handler("klippy:ready", self._handle_ready)
        gcode = self.printer.lookup_object("gcode")
        gcode.register_command(
            "QUERY_RESYNC", self.cmd_QUERY_RESYNC, desc=self.cmd_QUERY_RESYNC_help
        )

    def _is_resynced(self, stepper_name: str) -> bool:
        # The host's check compares names like "stepper_z1" up to the axis
        axis = stepper_name[len("stepper_") :][:1]
        return self.axes is None or axis in self.axes

    # Start-up
    def _handle_connect(self) -> None:
        toolhead = self.printer.lookup_object("toolhead")
        shared = event.shared_rails(toolhead.get_kinematics())
        names = [rail.axis for rail in shared]
        for axis in self.axes or []:
            if axis not in names:
                raise self.printer.config_error(
                    "Option 'axes' in section 'multi_mcu_resync': axis '%s' has"
                    " no steppers on several MCUs (shared axes: %s)"
                    % (axis, ", ".join(names) or "none")
                )
        self.rails = [r for r in shared if self.axes is None or r.axis in self.axes]
        self.status.note_axes([rail.axis for rail in self.rails])
        if not self.rails:
            logging.info(
                "multi_mcu_resync: no axis has steppers on several MCUs,"
                " nothing to resync"
            )
        for rail in self.rails:
            logging.info("multi_mcu_resync: %s", rail.describe())

    def _handle_ready(self) -> None:
        # Probes deploy and stow at the same events: note the mapping and move
        # the steppers before they move the toolhead, and fail after they did.
        self.host.register_first("homing:homing_move_begin", self._handle_move_begin)
        self.host.register_first("homing:homing_move_end", self._handle_move_end)
        self.printer.register_event_handler(
            "homing:homing_move_end", self._raise_error
        )

    # Homing and probing moves
    def _handle_move_begin(self, homing_move: Any) -> None:
        if self.span is not None:
            # The last move was given up before its end event
            self.span.watch.stop()
            self.span = None
        if not self.rails:
            return
        if homing_move.toolhead is not self.printer.lookup_object("toolhead"):
            # manual_stepper and the like bring a toolhead of their own
            return
        self.span = event.HomingSpan(homing_move, self.rails)

    def _handle_move_end(self, homing_move: Any) -> None:
        span, self.span = self.span, None
        if span is None:
            return
        span.watch.stop()
        self.error = ""
        results: List[RailResult] = []
        try:
            self._resync(span, results)
        except Exception as e:
            # Raised by _raise_error(), once the other handlers have run
            self.error = "multi_mcu_resync: %s" % (e,)
            if not isinstance(e, (plan.PlanError, check.LimitError, mapping.MappingError)):
                logging.exception("multi_mcu_resync: resync failed")
        if results or self.error:
            self.status.note_homing_move(results, self.error)
        for result in results:
            logging.info(log_line(result))

    def _resync(self, span: event.HomingSpan, results: List[RailResult]) -> None:
        for part in span.readings():
            target = self.target if part.triggered else "least_travel"
            results.append(RailResult(part, plan.plan_rail(part.readings, target)))
        if not self.correct or self.printer.is_shutdown():
            return
        check.check_limit([r.plan for r in results], self.max_correction)
        steppers = {s.get_name(): s for rail in self.rails for s in rail.steppers}
        corrections = [c for r in results for c in r.plan.corrections]
        move_together(
            self.host,
            [(steppers[c.name], c.correction_steps) for c in corrections],
            self.speed,
            self.accel,
        )
        mapping.settle(
            span.homing_move.toolhead,
            steppers,
            span.idle_offsets_mm(),
            [(r.part.readings, r.plan) for r in results],
        )
        results[:] = [r._replace(corrected=True) for r in results]

    def _raise_error(self, homing_move: Any) -> None:
        error, self.error = self.error, ""
        if not error or self.printer.is_shutdown():
            return
        # Unhome the axes, so that nothing moves a rail that is out of step
        self.printer.lookup_object("stepper_enable").motor_off()
        raise self.printer.command_error(error)

    # Status and commands
    def get_status(self, eventtime: float) -> Dict[str, Any]:
        return self.status.get_status()

    cmd_QUERY_RESYNC_help = "Report the corrections of the last homing move"

    def cmd_QUERY_RESYNC(self, gcmd: Any) -> None:
        gcmd.respond_info(self.status.console_text())


def load_config(config: Any) -> MultiMcuResync:
    return MultiMcuResync(config)
