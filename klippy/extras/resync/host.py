# Everything that differs between Klipper versions and forks
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import importlib
import os
import sys
import types
from typing import Any, Callable, Iterable, Optional, Set, Tuple

from .chelper import Helper
from .rail import Rail

# Steps need this lead over the MCU's present time (s); MIN_KIN_TIME of every
# host from v0.11 on
STEP_LEAD_S = 0.100

GENERIC_KINEMATICS = "generic_cartesian"

SHARED_AXIS_ERROR = "Multi-mcu homing not supported on multi-mcu shared"

# "Descend" probing averages samples up to this long after the trigger (s);
# probe_eddy_current of Kalico and of Klipper since v0.13
EDDY_SAMPLING_S = 0.150

def _call_lift(self, argument, *, multi_mcu_resync_lift):
    return multi_mcu_resync_lift(self, argument)


class CheckLift:
    """Stands in for a function of the host that refuses shared axes.

    The function's code is swapped, not the class attribute: v0.12's probe and
    bltouch keep a bound add_stepper from the time their section is read.
    is_lifted(object, argument) of the function tells, once it has refused,
    whether this is to be let pass.
    """

    def __init__(
        self, function: types.FunctionType, is_lifted: Callable[[Any, Any], bool], error: Any
    ) -> None:
        present = (function.__kwdefaults__ or {}).get("multi_mcu_resync_lift")
        if present is not None:
            present.undo()
        self._function = function
        self._original = types.FunctionType(
            function.__code__,
            function.__globals__,
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        self._kwdefaults = function.__kwdefaults__
        self._is_lifted = is_lifted
        self._error = error
        function.__kwdefaults__ = {"multi_mcu_resync_lift": self}
        try:
            function.__code__ = _call_lift.__code__
        except ValueError as e:
            function.__kwdefaults__ = self._kwdefaults
            raise error(
                "multi_mcu_resync: another extra has replaced the host's %s(): remove"
                " that extra or the section [multi_mcu_resync]" % (function.__name__,)
            ) from e

    def __call__(self, instance: Any, argument: Any) -> None:
        try:
            self._original(instance, argument)
        except self._error as e:
            # Raised after all else has been done, so ignoring it is enough
            if not str(e).startswith(SHARED_AXIS_ERROR):
                raise
            if not self._is_lifted(instance, argument):
                raise

    def undo(self) -> None:
        """Leave the host's function as it was shipped."""
        self._function.__code__ = self._original.__code__
        self._function.__kwdefaults__ = self._kwdefaults


class Host:
    """The running host, as far as it differs from one version to the next."""

    def __init__(self, printer: Any) -> None:
        self._printer = printer
        self._reactor = printer.get_reactor()
        self._mcu = printer.lookup_object("mcu")
        # Names of steppers that the start-up check was to refuse
        self.lifted_steppers: Set[str] = set()
        # The host may be a package (klippy.mcu) or a folder (mcu)
        self._mcu_module = sys.modules[type(self._mcu).__module__]

    def load_helper(self) -> Helper:
        """Build and load the C helper for this host; raises HelperError."""
        chelper = self._mcu_module.chelper
        return Helper(os.path.dirname(chelper.__file__), chelper.get_ffi())

    def lift_shared_axis_checks(self, config: Any, is_resynced: Callable[[str], bool]) -> None:
        """Let this printer's shared axes pass the start-up checks.

        is_resynced(axis) tells whether the axis or carriage of that name is.
        The checks are as shipped again once the printer disconnects.
        """
        # v0.13 (2024) moved the check from MCU_endstop to TriggerDispatch
        owner = getattr(self._mcu_module, "TriggerDispatch", None)
        if owner is None:
            owner = self._mcu_module.MCU_endstop

        def is_stepper_lifted(endstop: Any, stepper: Any) -> bool:
            # The check compares names like "stepper_z1" up to the axis
            axis = stepper.get_name()[len("stepper_") :][:1]
            if stepper.get_mcu().get_printer() is not self._printer or not is_resynced(axis):
                return False
            self.lifted_steppers.add(stepper.get_name())
            return True

        self._lift(owner.__dict__["add_stepper"], is_stepper_lifted)
        if config.getsection("printer").get("kinematics", note_valid=False) == GENERIC_KINEMATICS:
            self._lift_carriage_check(is_resynced)

    def _lift_carriage_check(self, is_resynced: Callable[[str], bool]) -> None:
        # Klipper since 2025 has a kinematics with a check of its own
        package = self._mcu_module.__name__.rpartition("mcu")[0]
        module = importlib.import_module("%skinematics.%s" % (package, GENERIC_KINEMATICS))
        kinematics_class = module.GenericCartesianKinematics

        def is_kinematics_lifted(kinematics: Any, report_error: Any) -> bool:
            return kinematics.printer is self._printer and all(
                is_resynced(carriage.get_name())
                for carriage in kinematics.carriages.values()
                if len({s.get_mcu() for s in carriage.get_rail().get_steppers()}) > 1
            )

        self._lift(kinematics_class.__dict__["_check_multi_mcu_homing"], is_kinematics_lifted)

    def _lift(self, function: Any, is_lifted: Callable[[Any, Any], bool]) -> None:
        lift = CheckLift(function, is_lifted, self._printer.config_error)
        self._printer.register_event_handler("klippy:disconnect", lift.undo)

    def register_first(self, event: str, handler: Callable[..., None]) -> None:
        """Call the handler before all that are registered for the event.

        The host has no order of handlers but that of their registration.
        """
        self._printer.event_handlers.setdefault(event, []).insert(0, handler)

    def earliest_step_time(self) -> float:
        """Print time (s) from which on steps can be scheduled."""
        now = self._reactor.monotonic()
        return self._mcu.estimated_print_time(now) + STEP_LEAD_S

    def trsync_timeout_s(self) -> float:
        """After how long an MCU that hears nothing stops a homing move (s)."""
        timeout_s = getattr(self._mcu_module, "TRSYNC_TIMEOUT", None)
        if timeout_s is None:
            # An option in Kalico
            options = self._printer.lookup_object("danger_options")
            timeout_s = options.multi_mcu_trsync_timeout
        return timeout_s

    def max_speed_mm_s(self, rail: Rail) -> float:
        """Maximum speed of a rail."""
        toolhead = self._printer.lookup_object("toolhead")
        speed_mm_s = toolhead.get_max_velocity()[0]
        if "z" in rail.axes:
            kinematics = toolhead.get_kinematics()
            speed_mm_s = min(speed_mm_s, getattr(kinematics, "max_z_velocity", speed_mm_s))
        return speed_mm_s

    def call_at_print_time(self, print_time: float, callback: Callable[[float], None]) -> None:
        """Call back with the system time once a print time (s) has come."""
        now = self._reactor.monotonic()
        wait_s = print_time - self._mcu.estimated_print_time(now)
        self._reactor.register_callback(callback, now + max(0.0, wait_s))

    def sampling_end_time(self, endstops: Iterable[Tuple[Any, str]], trigger_time: float) -> float:
        """Print time (s) until which a probe samples at standstill, or zero."""
        if not self._printer.lookup_objects("probe_eddy_current"):
            return 0.0
        plain = self._mcu_module.MCU_endstop
        if all(isinstance(endstop, plain) for endstop, _ in endstops):
            return 0.0
        return trigger_time + EDDY_SAMPLING_S

    def flush_steps(self, end_print_time: Optional[float] = None) -> None:
        """Generate and send all steps, those up to end_print_time (s) too."""
        toolhead = self._printer.lookup_object("toolhead")
        if end_print_time is not None:
            self._note_steps(toolhead, end_print_time)
        toolhead.flush_step_generation()

    def _note_steps(self, toolhead: Any, end_print_time: float) -> None:
        motion_queuing = self._printer.lookup_object("motion_queuing", None)
        if motion_queuing is not None:
            # Master since 2025 flushes in a module of its own
            motion_queuing.note_mcu_movequeue_activity(end_print_time)
        elif hasattr(toolhead, "note_mcu_movequeue_activity"):
            # v0.13 and Kalico
            toolhead.note_mcu_movequeue_activity(
                end_print_time, set_step_gen_time=True
            )
        else:
            # v0.11 and v0.12
            toolhead.note_kinematic_activity(end_print_time)
