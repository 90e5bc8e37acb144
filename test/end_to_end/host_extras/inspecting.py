# Looks at the host's functions as probes of all kinds do, and uses what it has learnt
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import inspect
import json

from .standin_sensor import host_module

# Once the host has started the endstops of a homing move (s)
HOMING_S = 0.3


def shipped_functions():
    """The functions of the host's classes, by the names under which they are shown."""
    mcu = host_module("mcu")
    dispatch = getattr(mcu, "TriggerDispatch", mcu.MCU_endstop)
    force_move = host_module("extras.force_move").ForceMove
    return {
        "set_position": host_module("toolhead").ToolHead.set_position,
        "check_move": host_module("kinematics.corexy").CoreXYKinematics.check_move,
        "manual_move": force_move.manual_move,
        "FORCE_MOVE": force_move.cmd_FORCE_MOVE,
        "STEPPER_BUZZ": force_move.cmd_STEPPER_BUZZ,
        "setup_pin": host_module("pins").PrinterPins.setup_pin,
        "G28": host_module("extras.safe_z_home").SafeZHoming.cmd_G28,
        "add_stepper": dispatch.add_stepper,
        "home_start": mcu.MCU_endstop.home_start,
        "home_wait": mcu.MCU_endstop.home_wait,
        "stop": mcu.MCU_trsync.stop,
        "homing_move": host_module("extras.homing").HomingMove.homing_move,
        "check_retry_result": host_module("extras.z_tilt").ZAdjustStatus.check_retry_result,
        "adjust_steppers": host_module("extras.z_tilt").ZAdjustHelper.adjust_steppers,
    }


def is_stood_in_for(function):
    """Whether the code of a function hands its calls to somebody else."""
    return any(type(c).__name__ == "StandIn" for c in function.__code__.co_consts)


def described(function):
    """All that a function shows of itself, as text."""
    code = function.__code__
    shown = {name: getattr(code, name) for name in dir(code) if name in CODE_FIELDS}
    # Python before 3.11 shows by a flag that no variable is a closure's
    shown["flags"] = code.co_flags & ~CO_NOFREE
    shown.update((name, getattr(function, name)) for name in FUNCTION_FIELDS)
    shown["signature"] = inspect.signature(function)
    shown["full"] = inspect.getfullargspec(function)
    shown["source"] = inspect.getsource(function)
    shown["wrapped"] = hasattr(function, "__wrapped__")
    return repr(shown)


FUNCTION_FIELDS = (
    "__annotations__ __defaults__ __dict__ __doc__ __kwdefaults__ __module__ __name__ __qualname__"
).split()
CODE_FIELDS = (
    "co_argcount co_filename co_firstlineno co_freevars co_kwonlyargcount co_name co_nlocals"
    " co_posonlyargcount co_qualname co_varnames"
).split()
CO_NOFREE = 0x40


def kind_by_defaults(function):
    return type(function.__defaults__[0])


def kind_by_signature(function):
    return type(inspect.signature(function).parameters["homing_axes"].default)


def kind_by_variables(function):
    code = function.__func__.__code__
    last = code.co_varnames[: code.co_argcount].index("homing_axes") - code.co_argcount
    return type(function.__func__.__defaults__[last])


class Inspecting:
    cmd_INSPECT_help = "Tell which functions are replaced, and which of these show it"
    cmd_INSPECT_SET_help = "Set the height where the toolhead is, in the host's own way"

    def __init__(self, config):
        self.printer = config.get_printer()
        shipped = shipped_functions()
        self.codes = {name: function.__code__ for name, function in shipped.items()}
        self.described = {name: described(function) for name, function in shipped.items()}
        self.shipped = shipped
        self.left = sorted(name for name, f in shipped.items() if is_stood_in_for(f))
        self.replaced, self.changed = set(), set()
        gcode = self.printer.lookup_object("gcode")
        for name in ("INSPECT", "INSPECT_SET"):
            gcode.register_command(
                name,
                getattr(self, "cmd_%s" % (name,)),
                desc=getattr(self, "cmd_%s_help" % (name,)),
            )
        self.is_watching = False

    def look(self, name, owner, function):
        if function.__code__ is not self.codes[name]:
            self.replaced.add(name)
        is_bound = inspect.ismethod(function) and function.__self__ is owner
        # A command is found by what is registered, all else by its class
        is_same = name == "G28" or function.__func__ is self.shipped[name]
        if not is_bound or not is_same or described(function.__func__) != self.described[name]:
            self.changed.add(name)

    def handle_begin(self, homing_move):
        self.look("homing_move", homing_move, homing_move.homing_move)
        for endstop, _ in homing_move.endstops:
            plain = getattr(endstop, "mcu_endstop", endstop)
            for name in ("home_start", "home_wait"):
                self.look(name, plain, getattr(endstop, name))
        reactor = self.printer.get_reactor()
        trsyncs = getattr(plain, "_dispatch", plain)._trsyncs

        def look_later(eventtime):
            for trsync in trsyncs:
                self.look("stop", trsync, trsync.stop)

        reactor.register_callback(look_later, reactor.monotonic() + HOMING_S)

    def cmd_INSPECT(self, gcmd):
        if not self.is_watching:
            # After all that have registered at the start
            self.printer.register_event_handler("homing:homing_move_begin", self.handle_begin)
            self.is_watching = True
        find = self.printer.lookup_object
        toolhead, kinematics = find("toolhead"), find("toolhead").get_kinematics()
        self.look("set_position", toolhead, toolhead.set_position)
        self.look("check_move", kinematics, kinematics.check_move)
        force_move = find("force_move")
        self.look("manual_move", force_move, force_move.manual_move)
        self.look("FORCE_MOVE", force_move, force_move.cmd_FORCE_MOVE)
        self.look("STEPPER_BUZZ", force_move, force_move.cmd_STEPPER_BUZZ)
        self.look("setup_pin", find("pins"), find("pins").setup_pin)
        gcode = find("gcode")
        handler = gcode.register_command("G28", None)
        gcode.register_command("G28", handler)
        self.look("G28", find("safe_z_home"), handler)
        endstop = kinematics.rails[0].get_endstops()[0][0]
        dispatch = getattr(endstop, "_dispatch", endstop)
        self.look("add_stepper", dispatch, dispatch.add_stepper)
        level = find("quad_gantry_level")
        self.look("check_retry_result", level.z_status, level.z_status.check_retry_result)
        self.look("adjust_steppers", level.z_helper, level.z_helper.adjust_steppers)
        shown = [sorted(self.replaced), sorted(self.changed), self.left]
        gcmd.respond_info(json.dumps(shown))

    def cmd_INSPECT_SET(self, gcmd):
        ways = {
            "defaults": kind_by_defaults,
            "signature": kind_by_signature,
            "variables": kind_by_variables,
        }
        toolhead = self.printer.lookup_object("toolhead")
        kind = ways[gcmd.get("WAY")](toolhead.set_position)
        position = toolhead.get_position()
        toolhead.set_position(position, homing_axes="z" if kind is str else [2])


def load_config(config):
    return Inspecting(config)
