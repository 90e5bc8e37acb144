# What the extra needs of every host, looked for before anything moves
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
#
# What that is, the signatures of model/klippy.py say.  What is not the same in
# every host is looked for in host.py instead.
import sys
import types
from typing import Iterable, List, NamedTuple

from ..model import klippy
from ..model.klippy import Config, HostRail, Printer


class HostClass(NamedTuple):
    """A class of the host by its name, and the signatures of its instances."""

    module: str
    name: str
    signatures: type


# Classes of which there is no instance yet when the section is read
AT_LOAD = (
    HostClass("gcode", "GCodeCommand", klippy.GCodeCommand),
    HostClass("mcu", "MCU_endstop", klippy.McuEndstop),
    HostClass("mcu", "MCU_trsync", klippy.Trsync),
    HostClass("mcu", "CommandWrapper", klippy.Command),
    HostClass("mcu", "CommandQueryWrapper", klippy.QueryCommand),
    HostClass("serialhdl", "SerialReader", klippy.AnswerTimes),
)
# The same once the kinematics is there
AT_CONNECT = (
    HostClass("toolhead", "Move", klippy.Move),
    HostClass("extras.homing", "HomingMove", klippy.HomingMove),
    HostClass("extras.homing", "StepperPosition", klippy.StepperPosition),
    HostClass("extras.stepper_enable", "PrinterStepperEnable", klippy.StepperEnable),
    HostClass("extras.stepper_enable", "EnableTracking", klippy.EnableTracking),
    HostClass("extras.force_move", "ForceMove", klippy.ForceMove),
)
EDDY_ENDSTOP = HostClass("extras.probe_eddy_current", "EddyEndstopWrapper", klippy.EddyEndstop)
TRIGGER_ANALOG = HostClass("extras.trigger_analog", "MCU_trigger_analog", klippy.TriggerAnalog)
# Sections that level the printer, and their commands
LEVELLING = {
    "quad_gantry_level": "QUAD_GANTRY_LEVEL",
    "z_tilt": "Z_TILT_ADJUST",
    "z_tilt_ng": "Z_TILT_ADJUST",
}
# Headers that the C helper is built from, and what is needed of each
HOST_HEADERS = {
    "itersolve.h": "struct stepper_kinematics",
    "trapq.h": "struct trapq",
    "list.h": "struct list_head",
}


class Need(NamedTuple):
    """Names of signatures that an object of the host has to have.

    The instances of a class may have them instead.  place says which
    object that is.
    """

    place: str
    owner: object
    signatures: type


def names_of(signatures: type) -> List[str]:
    """All names that a class of signatures has, but for those of Python."""
    names: List[str] = []
    for kind in signatures.__mro__:
        names += getattr(kind, "__annotations__", {})
        names += [n for n, value in vars(kind).items() if type(value) is types.FunctionType]
    return [name for name in dict.fromkeys(names) if not name.startswith("__")]


def _of(instance: object, signatures: type) -> Need:
    kind = type(instance)
    return Need("%s.%s" % (kind.__module__, kind.__name__), instance, signatures)


def _class(package: str, host_class: HostClass) -> Need:
    module = package + host_class.module
    kind = getattr(sys.modules.get(module), host_class.name, None)
    return Need("%s.%s" % (module, host_class.name), kind, host_class.signatures)


def at_load(config: Config, package: str) -> List[Need]:
    """What is needed when the section is read; package is "" or "klippy."."""
    printer = config.get_printer()
    reactor = printer.get_reactor()
    chelper = package + "chelper"
    return [
        _of(config, klippy.Config),
        _of(printer, klippy.Printer),
        _of(reactor, klippy.Reactor),
        _of(reactor.completion(), klippy.Completion),
        _of(printer.lookup_object("gcode"), klippy.GCode),
        _of(printer.lookup_object("mcu"), klippy.Mcu),
        _of(printer.lookup_object("pins"), klippy.Pins),
        Need(chelper, sys.modules.get(chelper), klippy.CHelper),
        *(_class(package, host_class) for host_class in AT_LOAD),
    ]


def of_eddy_probe(printer: Printer, package: str) -> List[Need]:
    """What is needed to have [probe_eddy_current] measure later."""
    if package + EDDY_ENDSTOP.module not in sys.modules or not printer.lookup_objects(
        "probe_eddy_current"
    ):
        return []
    if package + TRIGGER_ANALOG.module in sys.modules:
        return [_class(package, TRIGGER_ANALOG)]
    return [_class(package, EDDY_ENDSTOP)]


def of_levellers(printer: Printer) -> List[Need]:
    """What is needed to see that a levelling command has done its work."""
    needs = []
    for name in LEVELLING:
        owner = printer.lookup_object(name, None)
        if owner is not None:
            needs.append(_of(owner, klippy.LevelCommand))
            needs.append(_of(getattr(owner, "z_helper", None), klippy.LevelHelper))
            needs.append(_of(getattr(owner, "z_status", None), klippy.LevelStatus))
    return needs


def at_connect(printer: Printer, package: str, rails: Iterable[HostRail]) -> List[Need]:
    """What is needed once the kinematics with these rails is there."""
    toolhead = printer.lookup_object("toolhead")
    chelper = package + "chelper"
    ffi, library = sys.modules[chelper].get_ffi()
    history_move = ffi.new("struct pull_history_steps *")
    needs = [
        _of(toolhead, klippy.Toolhead),
        _of(toolhead.get_kinematics(), klippy.Kinematics),
        _of(ffi, klippy.Ffi),
        Need(chelper, library, klippy.CLibrary),
        Need(chelper + ".pull_history_steps", history_move, klippy.HistoryMove),
        *(_class(package, host_class) for host_class in AT_CONNECT),
    ]
    needs += of_eddy_probe(printer, package)
    needs += of_levellers(printer)
    for rail in rails:
        needs.append(_of(rail, klippy.HostRail))
        needs += [_of(stepper, klippy.Stepper) for stepper in rail.get_steppers()]
    return needs


def _has(owner: object, name: str) -> bool:
    if hasattr(owner, name):
        return True
    # What an instance of this class will have is named by its functions
    functions = vars(owner).values() if isinstance(owner, type) else ()
    codes = [f.__code__ for f in functions if isinstance(f, types.FunctionType)]
    return any(name in code.co_names or name in code.co_consts for code in codes)


def missing(needs: Iterable[Need]) -> List[str]:
    """What the host lacks: place and name of each, every one only once."""
    found = []
    for place, owner, signatures in needs:
        if owner is None:
            found.append(place)
        else:
            names = names_of(signatures)
            found += ["%s.%s" % (place, name) for name in names if not _has(owner, name)]
    return list(dict.fromkeys(found))
