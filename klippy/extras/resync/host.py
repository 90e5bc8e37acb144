# Everything that differs between Klipper versions and forks
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import sys
import types
from typing import Any, Callable, Optional, Tuple

# Steps need this lead over the MCU's present time (s); MIN_KIN_TIME of every
# host from v0.11 on
STEP_LEAD_S = 0.100

SHARED_AXIS_ERROR = "multi-mcu shared axis"


def _call_lift(self, stepper, *, multi_mcu_resync_lift):
    return multi_mcu_resync_lift(self, stepper)


class CheckLift:
    """Stands in for the host's add_stepper() while a printer has the section.

    The function's code is swapped, not the class attribute: v0.12's probe and
    bltouch keep a bound add_stepper from the time their section is read.
    """

    def __init__(
        self, function: types.FunctionType, printer: Any, allow: Callable[[str], bool]
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
        self._printer = printer
        self._allow = allow
        function.__kwdefaults__ = {"multi_mcu_resync_lift": self}
        function.__code__ = _call_lift.__code__

    def __call__(self, endstop: Any, stepper: Any) -> None:
        printer = stepper.get_mcu().get_printer()
        try:
            self._original(endstop, stepper)
        except printer.config_error as e:
            # Raised after the stepper has been added, so ignoring is enough
            if (
                printer is not self._printer
                or SHARED_AXIS_ERROR not in str(e)
                or not self._allow(stepper.get_name())
            ):
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
        # The host may be a package (klippy.mcu) or a folder (mcu)
        self._mcu_module = sys.modules[type(self._mcu).__module__]

    def get_ffi(self) -> Tuple[Any, Any]:
        """The host's own (ffi_main, ffi_lib)."""
        return self._mcu_module.chelper.get_ffi()

    def lift_shared_axis_check(self, allow: Callable[[str], bool]) -> None:
        """Let this printer's shared axes pass the start-up check.

        allow(stepper name) tells whether that stepper's axis is resynced.
        The check is as shipped again once the printer disconnects.
        """
        # v0.13 (2024) moved the check from MCU_endstop to TriggerDispatch
        owner = getattr(self._mcu_module, "TriggerDispatch", None)
        if owner is None:
            owner = self._mcu_module.MCU_endstop
        lift = CheckLift(owner.__dict__["add_stepper"], self._printer, allow)
        self._printer.register_event_handler("klippy:disconnect", lift.undo)

    def register_first(self, event: str, handler: Callable[..., None]) -> None:
        """Call the handler before all that are registered for the event."""
        self._printer.event_handlers.setdefault(event, []).insert(0, handler)

    def earliest_step_time(self) -> float:
        """Print time (s) from which on steps can be scheduled."""
        now = self._reactor.monotonic()
        return self._mcu.estimated_print_time(now) + STEP_LEAD_S

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
