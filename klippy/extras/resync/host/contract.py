# What the extra needs of every host, looked for before anything moves
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import sys
import types
from typing import Iterable, List, NamedTuple

from ..model.klippy import Config, HostRail, Opaque, Printer

# By what has them: names that are used anywhere in this extra.  What is not
# the same in every host is looked for in host.py instead.
CONFIG = """
    error get get_name get_prefix_options get_printer getboolean getchoice
    getfloat getlist getsection has_section
"""
PRINTER = """
    command_error config_error event_handlers get_reactor get_start_args
    invoke_shutdown is_shutdown lookup_object lookup_objects register_event_handler
"""
GCODE = "get_command_help register_command respond_info respond_raw run_script_from_command"
GCODE_COMMAND = (
    "error get get_command get_command_parameters get_float get_int"
    " get_raw_command_parameters respond_info"
)
REACTOR = "NEVER completion monotonic mutex register_callback register_timer update_timer"
COMPLETION = "complete test wait"
PINS = "lookup_pin setup_pin"
MCU = """
    add_config_cmd clock32_to_clock64 clock_to_print_time create_oid
    estimated_print_time get_name get_printer is_fileoutput lookup_command
    lookup_query_command print_time_to_clock register_config_callback
    seconds_to_clock
"""
TRSYNC = "get_command_queue get_mcu get_oid stop"
ENDSTOP = "home_start home_wait"
CHELPER = "get_ffi"
QUERY_COMMAND = "send"
SERIAL_READER = "#sent_time #receive_time"
STEPPER = """
    calc_position_from_coord dump_steps get_commanded_position get_dir_inverted
    get_mcu get_mcu_position get_name get_oid get_past_mcu_position get_step_dist
    get_trapq mcu_to_commanded_position note_homing_end set_position
    set_stepper_kinematics set_trapq
"""
HISTORY_MOVE = "first_clock last_clock start_position step_count"
RAIL = "get_endstops get_name get_steppers"
TOOLHEAD = """
    get_kinematics get_last_move_time get_max_velocity get_position get_trapq
    set_position wait_moves
"""
MOVE = "axes_d"
KINEMATICS = "calc_position check_move get_steppers"
HOMING_MOVE = "endstops homing_move printer stepper_positions toolhead"
STEPPER_POSITION = "endstop_name halt_pos start_pos stepper stepper_name trig_pos"
STEPPER_ENABLE = "lookup_enable"
ENABLE_TRACKING = "is_motor_enabled register_state_callback"
FORCE_MOVE = "cmd_FORCE_MOVE cmd_STEPPER_BUZZ manual_move"
LEVELLERS = "quad_gantry_level z_tilt z_tilt_ng"
LEVELLER = "z_helper z_status"
LEVEL_HELPER = "adjust_steppers z_steppers"
LEVEL_STATUS = "applied check_retry_result"
EDDY_ENDSTOP = "_trigger_time"
TRIGGER_ANALOG = "_last_trigger_time"
C_LIBRARY = """
    cartesian_stepper_alloc free itersolve_set_position trapq_alloc
    trapq_append trapq_free
"""


class Need(NamedTuple):
    """Names that an object of the host has to have, separated by blanks.

    The instances of a class may have them instead.  place says which
    object that is.
    """

    place: str
    owner: Opaque
    names: str


def _of(instance: Opaque, names: str) -> Need:
    kind = type(instance)
    return Need("%s.%s" % (kind.__module__, kind.__name__), instance, names)


def _module(name: str, names: str) -> Need:
    return Need(name, sys.modules.get(name), names)


def _class(module_name: str, class_name: str, names: str) -> Need:
    kind = getattr(sys.modules.get(module_name), class_name, None)
    return Need("%s.%s" % (module_name, class_name), kind, names)


def at_load(config: Config, package: str) -> List[Need]:
    """What is needed when the section is read; package is "" or "klippy."."""
    printer = config.get_printer()
    reactor = printer.get_reactor()
    return [
        _of(config, CONFIG),
        _of(printer, PRINTER),
        _of(reactor, REACTOR),
        _of(reactor.completion(), COMPLETION),
        _of(printer.lookup_object("gcode"), GCODE),
        _class(package + "gcode", "GCodeCommand", GCODE_COMMAND),
        _of(printer.lookup_object("mcu"), MCU),
        _class(package + "mcu", "MCU_endstop", ENDSTOP),
        _class(package + "mcu", "MCU_trsync", TRSYNC),
        _class(package + "mcu", "CommandQueryWrapper", QUERY_COMMAND),
        _of(printer.lookup_object("pins"), PINS),
        _class(package + "serialhdl", "SerialReader", SERIAL_READER),
        _module(package + "chelper", CHELPER),
    ]


def of_eddy_probe(printer: Printer, package: str) -> List[Need]:
    """What is needed to have [probe_eddy_current] measure later."""
    module = package + "extras.probe_eddy_current"
    if module not in sys.modules or not printer.lookup_objects("probe_eddy_current"):
        return []
    analog = package + "extras.trigger_analog"
    if analog in sys.modules:
        return [_class(analog, "MCU_trigger_analog", TRIGGER_ANALOG)]
    return [_class(module, "EddyEndstopWrapper", EDDY_ENDSTOP)]


def of_levellers(printer: Printer) -> List[Need]:
    """What is needed to see that a levelling command has done its work."""
    needs = []
    for name in LEVELLERS.split():
        owner = printer.lookup_object(name, None)
        if owner is not None:
            needs.append(_of(owner, LEVELLER))
            needs.append(_of(getattr(owner, "z_helper", None), LEVEL_HELPER))
            needs.append(_of(getattr(owner, "z_status", None), LEVEL_STATUS))
    return needs


def at_connect(printer: Printer, package: str, rails: Iterable[HostRail]) -> List[Need]:
    """What is needed once the kinematics with these rails is there."""
    toolhead = printer.lookup_object("toolhead")
    extras = package + "extras."
    ffi, library = sys.modules[package + "chelper"].get_ffi()
    history_move = ffi.new("struct pull_history_steps *")
    needs = [
        _of(toolhead, TOOLHEAD),
        _class(package + "toolhead", "Move", MOVE),
        _of(toolhead.get_kinematics(), KINEMATICS),
        _class(extras + "homing", "HomingMove", HOMING_MOVE),
        _class(extras + "homing", "StepperPosition", STEPPER_POSITION),
        _class(extras + "stepper_enable", "PrinterStepperEnable", STEPPER_ENABLE),
        _class(extras + "stepper_enable", "EnableTracking", ENABLE_TRACKING),
        _class(extras + "force_move", "ForceMove", FORCE_MOVE),
        Need(package + "chelper", library, C_LIBRARY),
        Need(package + "chelper.pull_history_steps", history_move, HISTORY_MOVE),
    ]
    needs += of_eddy_probe(printer, package)
    needs += of_levellers(printer)
    for rail in rails:
        needs.append(_of(rail, RAIL))
        needs += [_of(stepper, STEPPER) for stepper in rail.get_steppers()]
    return needs


def _has(owner: Opaque, name: str) -> bool:
    if hasattr(owner, name):
        return True
    # What an instance of this class will have is named by its functions
    functions = vars(owner).values() if isinstance(owner, type) else ()
    codes = [f.__code__ for f in functions if isinstance(f, types.FunctionType)]
    return any(name in code.co_names or name in code.co_consts for code in codes)


def missing(needs: Iterable[Need]) -> List[str]:
    """What the host lacks: place and name of each, every one only once."""
    found = []
    for place, owner, names in needs:
        if owner is None:
            found.append(place)
        else:
            found += ["%s.%s" % (place, n) for n in names.split() if not _has(owner, n)]
    return list(dict.fromkeys(found))
