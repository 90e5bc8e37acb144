# Everything that differs between Klipper versions and forks
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import importlib
import inspect
import os
import sys
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    NamedTuple,
    Optional,
    Protocol,
    Sequence,
    Set,
    Tuple,
    cast,
)

from ..model.correction_time import Pace
from ..model.klippy import (
    Config,
    EddyEndstop,
    Endstop,
    HomingMove,
    HostRail,
    Kinematics,
    LevelHelper,
    LevelStatus,
    Mcu,
    McuEndstop,
    Printer,
    TriggerAnalog,
    Trsync,
)
from ..model.rail import Rail
from . import contract
from .chelper import Helper
from .patches import Patches, Proceed
from .start_up_check import SharedAxisChecks

# Steps need this lead over the MCU's present time (s); MIN_KIN_TIME of every
# host from v0.11 on
STEP_LEAD_S = 0.100

# How well the host knows when the clock of an MCU was zero (s)
CLOCK_START_ERROR_S = 0.010

GENERIC_KINEMATICS = "generic_cartesian"

# Where the endstop of [probe_eddy_current] remembers when it was triggered:
# Klipper 2024-01-08 (v0.13) and Kalico, Klipper 2026-01-20 (after v0.13)
REMEMBERED_TRIGGERS = [*contract.names_of(EddyEndstop), *contract.names_of(TriggerAnalog)]

# How many layers there are at most around an endstop on a pin: a tool changer's, a
# probe's, and the host's wrapper of a probe
MOST_WRAPPED = 4

# Where keep_incidents() keeps them
INCIDENTS = "multi_mcu_resync"


class Carriage(Protocol):
    """One of generic_cartesian."""

    def get_name(self) -> str: ...
    def get_rail(self) -> HostRail: ...


class GenericCartesian(Protocol):
    """Kinematics with any number of carriages."""

    printer: Printer
    carriages: Dict[str, Carriage]


class Leveller(NamedTuple):
    """A levelling command, the names of its steppers, and the host's status of it.

    levelled() has the names of the steppers that it works on, helpers what moves
    them; there is none if that is FORCE_MOVE's code.
    """

    command: str
    steppers: Set[str]
    status: LevelStatus
    levelled: Callable[[], Set[str]]
    helpers: Sequence[LevelHelper]

    def is_done(self, result: object) -> bool:
        """Whether its work is done once check_retry_result() has returned this."""
        # Until Klipper 2024-12-19 (v0.13) there is no result where retries are zero
        return self.status.applied or result is None


def axis_of(kinematics: Kinematics, name: str) -> str:
    """The axis, "x" for one, along which a rail or carriage of this name moves."""
    # The carriages of generic_cartesian are called what one likes
    carriages = getattr(kinematics, "carriages", {})
    return "xyz"[carriages[name].get_axis()] if name in carriages else name


def pace_along(kinematics: Kinematics, axis: str, most: Pace) -> Pace:
    """What the kinematics allows along an axis of the most that the toolhead may do."""
    # Z has limits of its own, the others have in some kinematics of Kalico
    return most.bounded(
        getattr(kinematics, "max_%s_velocity" % (axis,), None),
        getattr(kinematics, "max_%s_accel" % (axis,), None),
    )


def _wrapped_in(endstop: object) -> List[object]:
    """What an endstop calls in its place: objects that it holds, or methods of them."""
    held = [
        getattr(value, "__self__", value) for value in getattr(endstop, "__dict__", {}).values()
    ]
    return [h for h in held if hasattr(h, "home_wait")]


def is_wrapped_around(endstop: object, kind: type) -> bool:
    """Whether an endstop is of that class, or wrapped around one that is."""
    wrapped = [endstop]
    for _ in range(MOST_WRAPPED):
        if any(isinstance(w, kind) for w in wrapped):
            return True
        wrapped = [inner for w in wrapped for inner in _wrapped_in(w)]
    return False


class Host:
    """The running host, as far as it differs from one version to the next."""

    def __init__(self, config: Config) -> None:
        self._printer = config.get_printer()
        self._reactor = self._printer.get_reactor()
        self._mcu = self._printer.lookup_object("mcu")
        # Known once the toolhead is there
        self._note_steps: Optional[Callable[[float], None]] = None
        self._has_eddy_probe = False
        # Names of steppers that the start-up check was to refuse
        self.lifted_steppers: Set[str] = set()
        # Kalico since 2024-12-11, and what the registries have, is a package, Klipper
        # is a folder of modules
        self._package = type(self._mcu).__module__.rpartition("mcu")[0]
        self._refuse_without(contract.missing(contract.at_load(config, self._package)))

    def _refuse_without(self, missing: Sequence[str]) -> None:
        if missing:
            raise self._printer.config_error(
                "multi_mcu_resync: this version of the host is not supported, it has no"
                " %s. Look for an update of multi_mcu_resync, or remove its section"
                % (", ".join(missing),)
            )

    def _refuse_without_function(self, owner: type, name: str) -> None:
        if name not in vars(owner):
            self._refuse_without(["%s.%s.%s" % (owner.__module__, owner.__name__, name)])

    # Of classes and constants that one host has and another has not
    def _module(self, name: str) -> Any:
        return sys.modules[self._package + name]

    def check_connected(self) -> None:
        """Raise a config error if the host lacks something that is needed to move."""
        toolhead = self._printer.lookup_object("toolhead")
        rails = self.rails(toolhead.get_kinematics())
        missing = contract.missing(contract.at_connect(self._printer, self._package, rails))
        if self._find_trsync_timeout_s() is None:
            missing.append("%smcu.TRSYNC_TIMEOUT" % (self._package,))
        self._note_steps = self._find_note_steps()
        self._has_eddy_probe = bool(self._printer.lookup_objects("probe_eddy_current"))
        if self._note_steps is None:
            missing.append("%stoolhead.ToolHead.note_mcu_movequeue_activity" % (self._package,))
        self._refuse_without(missing)

    def load_helper(self) -> Helper:
        """Build and load the C helper for this host; raises HelperError."""
        chelper = self._module("chelper")
        return Helper(os.path.dirname(chelper.__file__), chelper.get_ffi())

    def lift_shared_axis_checks(self, config: Config, is_resynced: Callable[[str], bool]) -> None:
        """Let this printer's shared axes pass the start-up checks.

        is_resynced(axis) says whether the axis or carriage of that name is.
        The checks are as shipped again once the printer disconnects.
        """
        # Klipper 2024-01-06 (v0.13) moved the check from MCU_endstop to
        # TriggerDispatch; so has Kalico.  Probes have copies of either
        mcu_module = self._module("mcu")
        owner = getattr(mcu_module, "TriggerDispatch", mcu_module.MCU_endstop)
        self._refuse_without_function(owner, "add_stepper")
        checks = SharedAxisChecks(self._printer, is_resynced)
        self.lifted_steppers = checks.lifted_steppers
        if config.getsection("printer").get("kinematics", note_valid=False) == GENERIC_KINEMATICS:
            self._lift_carriage_check(checks, is_resynced)

    def _lift_carriage_check(
        self, checks: SharedAxisChecks, is_resynced: Callable[[str], bool]
    ) -> None:
        # Klipper 2025-05-07 (after v0.13) has a kinematics with a check of its own
        module = importlib.import_module("%skinematics.%s" % (self._package, GENERIC_KINEMATICS))

        def is_kinematics_lifted(kinematics: GenericCartesian, report_error: object) -> bool:
            return kinematics.printer is self._printer and all(
                is_resynced(carriage.get_name())
                for carriage in kinematics.carriages.values()
                if len({s.get_mcu() for s in carriage.get_rail().get_steppers()}) > 1
            )

        owner, name = module.GenericCartesianKinematics, "_check_multi_mcu_homing"
        self._refuse_without_function(owner, name)
        checks.lift(vars(owner)[name], is_kinematics_lifted)

    def rails(self, kinematics: Kinematics) -> List[HostRail]:
        """The host's rails; delta and the like have none with several steppers."""
        # Klipper 2025-05-07 (after v0.13) has carriages in generic_cartesian
        carriages = getattr(kinematics, "carriages", {})
        rails = getattr(kinematics, "rails", [c.get_rail() for c in carriages.values()])
        # Klipper until 2023-08-01 (v0.11) keeps both carriages of a cartesian
        # IDEX printer apart, and only the active one is among the rails
        return list(dict.fromkeys([*rails, *getattr(kinematics, "dual_carriage_rails", ())]))

    def has_dual_carriage(self) -> bool:
        """Whether a carriage of an IDEX printer may be parked."""
        # Klipper 2023-08-01 (v0.12) made an object of it
        kinematics = self._printer.lookup_object("toolhead").get_kinematics()
        return bool(getattr(kinematics, "dual_carriage_rails", ())) or (
            self._printer.lookup_object("dual_carriage", None) is not None
        )

    def register_first(self, event: str, handler: Callable[..., None]) -> None:
        """Call the handler before all that are registered for the event.

        The host has no order of handlers but that of their registration.
        """
        self._printer.event_handlers.setdefault(event, []).insert(0, handler)

    def follow_homing_moves(
        self, running: List[HomingMove], left: Callable[[HomingMove], None]
    ) -> None:
        """Keep the homing moves whose function the host has not left yet among those running.

        left(homing_move) is called when it does, whatever is raised.  Neither
        is known of a class that has its own homing_move().
        """
        owner = self._module("extras.homing").HomingMove
        self._refuse_without_function(owner, "homing_move")

        def follow(proceed: Proceed, move: HomingMove) -> object:
            running.append(move)
            try:
                return proceed()
            finally:
                running.remove(move)
                left(move)

        patches = Patches()
        patches.around_homing_move(owner, follow)
        self._printer.register_event_handler("klippy:disconnect", patches.undo)

    def levellers(self) -> List[Leveller]:
        """What levels the printer by moving single steppers."""
        found = []
        for name, command in contract.LEVELLING.items():
            owner = self._printer.lookup_object(name, None)
            if owner is not None:
                steppers = {s.get_name() for s in owner.z_helper.z_steppers}
                found.append(
                    Leveller(command, steppers, owner.z_status, steppers.copy, [owner.z_helper])
                )
        return found + self._motor_synchronizers()

    def _motor_synchronizers(self) -> List[Leveller]:
        # An extra of its own, github.com/MRX8024/motors-sync
        owner = self._printer.lookup_object("motors_sync", None)
        if not all(hasattr(owner, name) for name in ("axes", "motion", "status")):
            return []

        def steppers_of(axes: Iterable[str]) -> Set[str]:
            return {s.get_name() for axis in axes for s in owner.motion[axis].get_steppers()}

        all_steppers = steppers_of(owner.motion)
        return [
            Leveller("SYNC_MOTORS", all_steppers, owner.status, lambda: steppers_of(owner.axes), ())
        ]

    def earlier_incidents(self) -> Dict[str, str]:
        """What keep_incidents() was given by the printer before a restart, by rail."""
        return cast(Dict[str, str], self._printer.get_start_args().pop(INCIDENTS, {}))

    def keep_incidents(self, incidents: Dict[str, str]) -> None:
        """Remember something of each rail beyond a restart of this process's printer."""
        # The host hands the same dictionary to each printer that it makes
        self._printer.get_start_args()[INCIDENTS] = incidents

    def earliest_step_time(self) -> float:
        """Print time (s) from which on steps can be scheduled."""
        if self._mcu.is_fileoutput():
            # No time passes in batch mode: steps come one after the other
            toolhead = self._printer.lookup_object("toolhead")
            return toolhead.get_last_move_time()
        now = self._reactor.monotonic()
        return self._mcu.estimated_print_time(now) + STEP_LEAD_S

    def probe_endstop(self) -> Optional[Endstop]:
        """What the host's probe is in a homing move, None if there is no probe with a pin."""
        probe = self._printer.lookup_object("probe", None)
        # Klipper 2024-06-10 (v0.13) to 2026-05-25: bltouch and smart_effector have it there
        owner = probe if hasattr(probe, "mcu_probe") else getattr(probe, "probe_session", None)
        return getattr(owner, "mcu_probe", None)

    def is_probe(self, endstop: Endstop) -> bool:
        """Whether an axis with this endstop homes to the probe."""
        # Klipper since 2026-05-11 (after v0.13) gives the axis a stand-in of this class
        is_stand_in = type(endstop).__name__ == "HomingViaProbeHelper"
        return is_stand_in or endstop is self.probe_endstop()

    def plain_endstop(self, endstop: Optional[Endstop]) -> Optional[Endstop]:
        """The endstop on an MCU's pin that a probe of the host wraps."""
        # That of [smart_effector] wraps that of [probe]
        wrapper = getattr(endstop, "probe_wrapper", endstop)
        return getattr(wrapper, "mcu_endstop", wrapper)

    def triggers_by_pin(self, endstop: Endstop) -> bool:
        """Whether an endstop is read at a pin of an MCU, by whatever it is wrapped in.

        All else is a sensor with code of its own, on the MCU and in the host.
        """
        kind = self._module("mcu").MCU_endstop
        # Nearly all are, and each homing move asks
        return isinstance(self.plain_endstop(endstop), kind) or is_wrapped_around(endstop, kind)

    def knows_its_begin(self, endstop: Endstop) -> bool:
        """Whether an endstop is told when the homing move begins, and is silent before.

        Those on pins are, and the host's own sensors.
        """
        return self.triggers_by_pin(endstop) or any(
            hasattr(endstop, name) for name in REMEMBERED_TRIGGERS
        )

    def endstop_trsyncs(self, endstop: Optional[Endstop]) -> List[Trsync]:
        """One for each MCU whose steppers it stops, its own first; none if it has no pin."""
        if not isinstance(endstop, self._module("mcu").MCU_endstop):
            return []
        # Klipper 2024-01-06 (v0.13) moved them to TriggerDispatch; so has Kalico
        owner = getattr(endstop, "_dispatch", endstop)
        return list(owner._trsyncs)

    def stop_steppers_of(self, endstop: Endstop) -> None:
        """Stop the steppers of an endstop that is being waited for."""
        for trsync in self.endstop_trsyncs(endstop):
            trsync._trsync_trigger_cmd.send([trsync.get_oid(), trsync.REASON_HOST_REQUEST])

    def print_time_at(self, eventtime: float) -> float:
        """Print time (s) at a system time."""
        return self._mcu.estimated_print_time(eventtime)

    def endstop_pin(self, endstop: Endstop) -> str:
        """Name of an endstop's pin, for messages."""
        return "%s:%s" % (endstop.get_mcu().get_name(), cast(McuEndstop, endstop)._pin)

    def trsync_timeout_s(self) -> float:
        """After how long an MCU that hears nothing stops a homing move (s)."""
        timeout_s = self._find_trsync_timeout_s()
        assert timeout_s is not None, "check_connected() has not been called"
        return timeout_s

    def _find_trsync_timeout_s(self) -> Optional[float]:
        # Kalico 2023-11-07 has made the constant an option
        options = self._printer.lookup_object("danger_options", None)
        constant = getattr(self._module("mcu"), "TRSYNC_TIMEOUT", None)
        return getattr(options, "multi_mcu_trsync_timeout", constant)

    def max_pace(self, rail: Rail) -> Pace:
        """Maximum speed and acceleration of a rail."""
        toolhead = self._printer.lookup_object("toolhead")
        kinematics = toolhead.get_kinematics()
        most = Pace(*toolhead.get_max_velocity())
        for name in rail.axes:
            most = pace_along(kinematics, axis_of(kinematics, name), most)
        return most

    def system_time_at(self, print_time: float) -> float:
        """System time (s) at which a print time (s) comes; now if it has passed."""
        now = self._reactor.monotonic()
        return now + max(0.0, print_time - self._mcu.estimated_print_time(now))

    def measure_after(
        self,
        endstops: Iterable[Tuple[Endstop, str]],
        trigger_times: Dict[str, float],
        done_time: float,
    ) -> None:
        """Have a probe that measures at standstill do so after a print time (s)."""
        if not self._has_eddy_probe:
            return
        # It averages what it measures from 0.050 to 0.150 s after what its endstop
        # remembers of the trigger, for the height of where the toolhead is by then
        for endstop, name in endstops:
            for attribute in REMEMBERED_TRIGGERS:
                # Another endstop may call something else so
                if vars(endstop).get(attribute) == trigger_times.get(name, 0.0) > 0.0:
                    setattr(endstop, attribute, done_time)

    def keep_step_history(self, mcus: Iterable[Mcu]) -> None:
        """Have the host remember the steps of these MCUs from their start on."""
        motion_queuing = self._printer.lookup_object("motion_queuing", None)
        if not hasattr(motion_queuing, "clear_history_time"):
            return
        # Klipper 2025-09-18 (after v0.13) forgets what is older than 30 s.  On
        # an MCU whose clock started later than that, the clock of that time is
        # below zero, which its C code takes for the far future: all is
        # forgotten, and with it where the steppers were at the trigger.
        start_time = max(mcu.clock_to_print_time(0) for mcu in mcus) + CLOCK_START_ERROR_S

        def before_flush(flush_time: float, step_gen_time: float) -> None:
            if motion_queuing.clear_history_time < start_time:
                motion_queuing.clear_history_time = start_time

        motion_queuing.register_flush_callback(before_flush)

    def note_steps(self, end_print_time: float) -> None:
        """Have the next flush generate and send all steps up to end_print_time (s)."""
        # What is noted lets the host flush for another 0.25 s after it, and no
        # move starts before that.  The homing move has had it flush past the
        # end already, as a rule, and then the next move starts no later.
        if end_print_time > self._flushed_time():
            assert self._note_steps is not None, "check_connected() has not been called"
            self._note_steps(end_print_time)

    def _flushed_time(self) -> float:
        """Print time (s) up to which the host generates steps at any flush."""
        # Klipper 2025-08-12 (after v0.13) moved it, 2024-01-18 (v0.13) brought it
        toolhead = self._printer.lookup_object("toolhead")
        owner = self._printer.lookup_object("motion_queuing", toolhead)
        return float(getattr(owner, "last_flush_time", 0.0))

    def _find_note_steps(self) -> Optional[Callable[[float], None]]:
        """What lets the host know until when it has steps to generate."""
        toolhead = self._printer.lookup_object("toolhead")
        motion_queuing = self._printer.lookup_object("motion_queuing", None)
        for owner, name in (
            # Klipper 2025-08-12 (after v0.13)
            (motion_queuing, "note_mcu_movequeue_activity"),
            # Klipper 2024-01-18 (v0.13), Kalico
            (toolhead, "note_mcu_movequeue_activity"),
            # Klipper v0.11, v0.12
            (toolhead, "note_kinematic_activity"),
        ):
            function: Optional[Callable[..., None]] = getattr(owner, name, None)
            if function is None:
                continue
            # Klipper 2023-12-11 (v0.13) added whether these are steps, False
            # unless given, and 2025-08-06 gave it another name
            if len(inspect.signature(function).parameters) > 1:
                return lambda print_time: function(print_time, True)
            return function
        return None
