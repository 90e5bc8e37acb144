# What every host has in its source files, looked for before the extra is installed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import os
import types
from typing import Iterator, NamedTuple, Optional

from ..model import klippy
from .contract import AT_CONNECT, AT_LOAD, HOST_HEADERS, HostClass, names_of
from .start_up_check import METHOD

# Classes whose instances are looked at themselves when a printer starts
OF_INSTANCES = (
    HostClass("gcode", "GCodeDispatch", klippy.GCode),
    HostClass("mcu", "MCU", klippy.Mcu),
    HostClass("pins", "PrinterPins", klippy.Pins),
    HostClass("stepper", "MCU_stepper", klippy.Stepper),
    HostClass("toolhead", "ToolHead", klippy.Toolhead),
)


class Text(NamedTuple):
    """What a file of the host, by its path below klippy/, has to hold."""

    path: str
    text: str


# What has no signature
OTHERS = (
    Text("mcu.py", "def %s" % (METHOD,)),
    Text("extras/homing.py", klippy.HOMING_MOVE_BEGIN),
    Text("extras/homing.py", klippy.HOMING_MOVE_END),
    *(Text("chelper/%s" % (header,), struct) for header, struct in HOST_HEADERS.items()),
)


def needed() -> Iterator[Text]:
    """All of it."""
    for module, name, signatures in (*AT_LOAD, *AT_CONNECT, *OF_INSTANCES):
        path = module.replace(".", "/") + ".py"
        yield Text(path, "class %s" % (name,))
        for member in names_of(signatures):
            is_function = type(getattr(signatures, member, None)) is types.FunctionType
            yield Text(path, ("def %s" if is_function else "%s") % (member,))
    yield from OTHERS


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def first_missing(klippy_folder: str) -> Optional[Text]:
    """What is missing first in the host with this folder klippy/."""
    return next(
        (
            need
            for need in needed()
            if need.text not in _read(os.path.join(klippy_folder, need.path))
        ),
        None,
    )
