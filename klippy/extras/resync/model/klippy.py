# What the extra uses of Klippy, as signatures
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
#
# The start-up checks look for every name in here, so nothing is in it that is not
# needed, and what differs from one host to the next is in host/host.py.
from typing import (
    Any,
    Callable,
    ContextManager,
    Dict,
    Iterable,
    List,
    Literal,
    Mapping,
    NewType,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    Type,
    TypedDict,
    TypeVar,
    overload,
)

# Events that are sent with the homing move
HOMING_MOVE_BEGIN = "homing:homing_move_begin"
HOMING_MOVE_END = "homing:homing_move_end"

# Of the host's C code, handed around only
Trapq = NewType("Trapq", object)
StepperKinematics = NewType("StepperKinematics", object)
CommandQueue = NewType("CommandQueue", object)

Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


class Completion(Protocol[Result_co]):
    """Something that comes about later, None if it does not in time."""

    def complete(self, result: object) -> None: ...
    def test(self) -> bool: ...
    def wait(self, waketime: float = ...) -> Optional[Result_co]: ...


# What comes about once an endstop has triggered
HomingCompletion = Completion[object]


class Timer(Protocol):
    """A timer of the host's loop."""


class Reactor(Protocol):
    """The host's loop; all times are system times (s)."""

    NEVER: float

    def monotonic(self) -> float: ...
    def pause(self, waketime: float) -> float: ...
    def completion(self) -> Completion[object]: ...
    def mutex(self) -> ContextManager[object]: ...
    def register_callback(
        self, callback: Callable[[float], Result], waketime: float = ...
    ) -> Completion[Result]: ...
    def register_timer(
        self, callback: Callable[[float], float], waketime: float = ...
    ) -> Timer: ...
    def update_timer(self, timer_handler: Timer, waketime: float) -> None: ...


class Mcu(Protocol):
    """A micro-controller; print times in s, clocks in its ticks."""

    def get_name(self) -> str: ...
    def get_printer(self) -> "Printer": ...
    def is_fileoutput(self) -> bool: ...
    def create_oid(self) -> int: ...
    def add_config_cmd(self, cmd: str, is_init: bool = ..., on_restart: bool = ...) -> None: ...
    def register_config_callback(self, cb: Callable[[], None]) -> None: ...
    def lookup_command(self, msgformat: str, cq: Optional[CommandQueue] = ...) -> "Command": ...
    def lookup_query_command(
        self,
        msgformat: str,
        respformat: str,
        oid: int = ...,
        cq: Optional[CommandQueue] = ...,
    ) -> "QueryCommand": ...
    def estimated_print_time(self, eventtime: float) -> float: ...
    def print_time_to_clock(self, print_time: float) -> int: ...
    def clock_to_print_time(self, clock: int) -> float: ...
    def clock32_to_clock64(self, clock32: int) -> int: ...
    def seconds_to_clock(self, time: float) -> int: ...


class Command(Protocol):
    """A command to an MCU."""

    def send(self, data: Sequence[int] = ..., minclock: int = ..., reqclock: int = ...) -> None: ...


# System times (s) between which a message and its answer were on their way
AnswerTimes = TypedDict("AnswerTimes", {"#sent_time": float, "#receive_time": float})


class AnswerParams(AnswerTimes, total=False):
    """An MCU's answer to one of the extra's questions."""

    pos: int
    pin_value: int
    next_clock: int


class QueryCommand(Protocol):
    """A question to an MCU."""

    def send(self, data: Sequence[int] = ...) -> AnswerParams: ...


class PinParams(TypedDict):
    """A pin as the host has read it."""

    chip: Mcu
    pin: str
    pullup: int
    invert: int


class Pins(Protocol):
    """Hands out pins."""

    def lookup_pin(
        self, pin_desc: str, can_invert: bool = ..., can_pullup: bool = ...
    ) -> PinParams: ...
    def setup_pin(self, pin_type: str, pin_desc: str) -> object: ...


class HistoryMove(Protocol):
    """Steps at a steady pace in the host's step history."""

    first_clock: int
    last_clock: int
    start_position: int
    step_count: int


class Stepper(Protocol):
    """One stepper: counts in steps, commanded positions in mm."""

    def get_name(self, short: bool = ...) -> str: ...
    def get_mcu(self) -> Mcu: ...
    def get_oid(self) -> int: ...
    def get_step_dist(self) -> float: ...
    def get_dir_inverted(self) -> Tuple[bool, bool]: ...
    def get_mcu_position(self) -> int: ...
    def get_past_mcu_position(self, print_time: float) -> int: ...
    def dump_steps(
        self, count: int, start_clock: int, end_clock: int
    ) -> Tuple[Sequence[HistoryMove], int]: ...
    def get_commanded_position(self) -> float: ...
    def mcu_to_commanded_position(self, mcu_pos: int) -> float: ...
    def calc_position_from_coord(self, coord: Sequence[float]) -> float: ...
    def set_position(self, coord: Sequence[float]) -> None: ...
    def set_stepper_kinematics(self, sk: StepperKinematics) -> StepperKinematics: ...
    def set_trapq(self, tq: Trapq) -> Trapq: ...
    def get_trapq(self) -> Trapq: ...
    def note_homing_end(self) -> None: ...


class HostRail(Protocol):
    """Steppers that the host moves along one axis, and what they home to."""

    def get_name(self, short: bool = ...) -> str: ...
    def get_steppers(self) -> List[Stepper]: ...
    def get_endstops(self) -> List[Tuple["Endstop", str]]: ...


class Endstop(Protocol):
    """An endstop, or the probe that wraps one.

    home_wait() returns the print time (s) of the trigger, zero without one, and
    in some hosts less than zero after a communication timeout.
    """

    def get_mcu(self) -> Mcu: ...
    def get_steppers(self) -> List[Stepper]: ...
    def home_start(
        self,
        print_time: float,
        sample_time: float,
        sample_count: int,
        rest_time: float,
        triggered: bool = ...,
    ) -> HomingCompletion: ...
    def home_wait(self, home_end_time: float) -> float: ...


class McuEndstop(Endstop, Protocol):
    """An endstop on a pin of an MCU."""

    _pin: str


class EddyEndstop(Protocol):
    """The endstop of an eddy current probe."""

    _trigger_time: float


class TriggerAnalog(Protocol):
    """What later hosts have instead."""

    _last_trigger_time: float


class Trsync(Protocol):
    """What stops the steppers of one MCU at a trigger."""

    REASON_HOST_REQUEST: int
    _trsync_trigger_cmd: Command

    def get_mcu(self) -> Mcu: ...
    def get_oid(self) -> int: ...
    def get_command_queue(self) -> CommandQueue: ...
    def stop(self) -> int: ...


class Kinematics(Protocol):
    """How steppers and axes hang together."""

    def get_steppers(self) -> List[Stepper]: ...
    def calc_position(self, stepper_positions: Mapping[str, float]) -> List[Optional[float]]: ...
    def check_move(self, move: "Move") -> None: ...


class Move(Protocol):
    """A move of the toolhead, by axis (mm)."""

    axes_d: Sequence[float]


class Toolhead(Protocol):
    """The toolhead; positions in mm."""

    def get_position(self) -> List[float]: ...
    def set_position(self, newpos: Sequence[float], homing_axes: object = ...) -> None: ...
    def get_kinematics(self) -> Kinematics: ...
    def get_trapq(self) -> Trapq: ...
    def get_last_move_time(self) -> float: ...
    def get_max_velocity(self) -> Tuple[float, float]: ...
    def wait_moves(self) -> None: ...


class StepperPosition(Protocol):
    """Where a homing move found and left one stepper, in steps."""

    stepper: Stepper
    stepper_name: str
    endstop_name: str
    start_pos: int
    halt_pos: int
    trig_pos: int


class HomingMove(Protocol):
    """A homing or probing move of the host."""

    printer: "Printer"
    toolhead: Toolhead
    endstops: List[Tuple[Endstop, str]]
    stepper_positions: List[StepperPosition]

    def homing_move(self, movepos: Sequence[float], speed: float) -> object: ...


class EnableTracking(Protocol):
    """Whether the motor of one stepper is on."""

    def is_motor_enabled(self) -> bool: ...
    def register_state_callback(self, callback: Callable[[float, bool], None]) -> None: ...


class StepperEnable(Protocol):
    """The motors of all steppers."""

    def lookup_enable(self, name: str) -> EnableTracking: ...


class ForceMove(Protocol):
    """Moves one stepper alone."""

    def manual_move(
        self, stepper: Stepper, dist: float, speed: float, accel: float = ...
    ) -> None: ...
    def cmd_FORCE_MOVE(self, gcmd: "GCodeCommand") -> None: ...
    def cmd_STEPPER_BUZZ(self, gcmd: "GCodeCommand") -> None: ...


class LevelHelper(Protocol):
    """Moves the steppers of an axis one by one to level it."""

    z_steppers: List[Stepper]

    def adjust_steppers(self, adjustments: Sequence[float], speed: float) -> None: ...


class LevelStatus(Protocol):
    """Whether a levelling command has done its work."""

    applied: bool

    def check_retry_result(self, retry_result: object) -> object: ...


class LevelCommand(Protocol):
    """What the section of a levelling command makes."""

    z_helper: LevelHelper
    z_status: LevelStatus


class GCodeCommand(Protocol):
    """A command as a user gave it."""

    error: Type[Exception]

    def get(self, name: str, default: Optional[str] = ...) -> str: ...
    def get_int(
        self, name: str, default: int = ..., minval: int = ..., maxval: int = ...
    ) -> int: ...
    def get_float(
        self, name: str, default: Optional[float] = ..., minval: float = ...
    ) -> Optional[float]: ...
    def get_command(self) -> str: ...
    def get_command_parameters(self) -> Dict[str, str]: ...
    def get_raw_command_parameters(self) -> str: ...
    def respond_info(self, msg: str, log: bool = ...) -> None: ...


CommandHandler = Callable[[GCodeCommand], None]


class GCode(Protocol):
    """Runs and registers commands."""

    def register_command(
        self, cmd: str, func: Optional[CommandHandler], desc: Optional[str] = ...
    ) -> Optional[CommandHandler]: ...
    def get_command_help(self) -> Dict[str, str]: ...
    def run_script_from_command(self, script: str) -> None: ...
    def respond_info(self, msg: str) -> None: ...
    def respond_raw(self, msg: str) -> None: ...


class Printer(Protocol):
    """Holds all objects of a printer by the names of their sections."""

    command_error: Type[Exception]
    config_error: Type[Exception]
    event_handlers: Dict[str, List[Callable[..., None]]]

    def get_reactor(self) -> Reactor: ...
    def get_start_args(self) -> Dict[str, object]: ...
    @overload
    def lookup_object(self, name: Literal["gcode"]) -> GCode: ...
    @overload
    def lookup_object(self, name: Literal["mcu"]) -> Mcu: ...
    @overload
    def lookup_object(self, name: Literal["pins"]) -> Pins: ...
    @overload
    def lookup_object(self, name: Literal["stepper_enable"]) -> StepperEnable: ...
    @overload
    def lookup_object(self, name: Literal["toolhead"]) -> Toolhead: ...
    @overload
    def lookup_object(self, name: Literal["force_move"], default: None) -> Optional[ForceMove]: ...
    @overload
    # Of other sections and extras, with what one host has of them and another has not
    def lookup_object(self, name: str, default: object) -> Any: ...
    def lookup_objects(self, module: Optional[str] = ...) -> Iterable[Tuple[str, object]]: ...
    def register_event_handler(self, event: str, callback: Callable[..., None]) -> None: ...
    def invoke_shutdown(self, msg: str) -> None: ...
    def is_shutdown(self) -> bool: ...


class Config(Protocol):
    """One section of printer.cfg; values out of bounds raise the host's error."""

    error: Type[Exception]

    def get_printer(self) -> Printer: ...
    def get_name(self) -> str: ...
    def has_section(self, section: str) -> bool: ...
    def getsection(self, section: str) -> "Config": ...
    def get(self, option: str, default: Optional[str] = ..., note_valid: bool = ...) -> str: ...
    def getboolean(self, option: str, default: bool = ...) -> bool: ...
    def getfloat(
        self, option: str, default: Optional[float] = ..., **limits: float
    ) -> Optional[float]: ...
    def getchoice(self, option: str, choices: Dict[str, str], default: str = ...) -> str: ...
    def getlist(self, option: str, default: Optional[Sequence[str]] = ...) -> Sequence[str]: ...
    def get_prefix_options(self, prefix: str) -> List[str]: ...


Pointer = TypeVar("Pointer")


class Ffi(Protocol):
    """The host's end of cffi."""

    # What it makes is of the kind that is named
    def cast(self, cdecl: str, source: object) -> Any: ...
    def gc(self, cdata: Pointer, destructor: Callable[[Pointer], object]) -> Pointer: ...
    def new(self, cdecl: str) -> object: ...


class CLibrary(Protocol):
    """The host's C helper; print times and durations in s, all else in mm."""

    def cartesian_stepper_alloc(self, axis: bytes) -> StepperKinematics: ...
    def free(self, pointer: object) -> None: ...
    def itersolve_set_position(
        self, sk: StepperKinematics, x: float, y: float, z: float
    ) -> None: ...
    def trapq_alloc(self) -> Trapq: ...
    def trapq_append(self, tq: Trapq, print_time: float, *move: float) -> None: ...
    def trapq_free(self, tq: Trapq) -> None: ...


class CHelper(Protocol):
    """The host's module of its C helper."""

    __file__: str

    def get_ffi(self) -> Tuple[Ffi, CLibrary]: ...
