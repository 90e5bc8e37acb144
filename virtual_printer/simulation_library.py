# The simulation alone, without virtual time, for processes that keep time themselves
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import ctypes
import functools

from virtual_printer import build

# Without the preload library, which would take over the process that loads it
SOURCES = build.SOURCES / "simulation"


class CanMessage(ctypes.Structure):
    """A CAN frame; `id` has the flags of Linux's struct can_frame, `time_ns` is its arrival"""

    _fields_ = [
        ("time_ns", ctypes.c_int64),
        ("id", ctypes.c_uint32),
        ("size", ctypes.c_uint8),
        ("is_fd", ctypes.c_uint8),
        ("origin", ctypes.c_uint8),
        ("data", ctypes.c_uint8 * 64),
    ]


class CanRule(ctypes.Structure):
    """Which identifiers a socket lets through: those equal to `id` in the mask's bits"""

    _fields_ = [("id", ctypes.c_uint32), ("mask", ctypes.c_uint32)]


@functools.lru_cache(maxsize=None)
def load() -> ctypes.CDLL:
    """Return the compiled simulation with the types of its functions declared"""
    library = ctypes.CDLL(str(build.library(sources=SOURCES)))
    pointer, number, time = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
    text, size = ctypes.c_char_p, ctypes.c_size_t
    for name, result, arguments in [
        ("simulation_load", pointer, [text, text, size]),
        ("simulation_free", None, [pointer]),
        ("simulation_find_link", number, [pointer, text]),
        ("simulation_next_event", time, [pointer]),
        ("simulation_advance", time, [pointer, time]),
        ("link_open", None, [pointer, number, time]),
        ("link_close", None, [pointer, number, time]),
        ("link_write", None, [pointer, number, text, size, time]),
        ("link_readable", size, [pointer, number]),
        ("link_read", size, [pointer, number, text, size]),
        ("link_is_hung_up", number, [pointer, number]),
        ("simulation_find_can_bus", number, [pointer, text]),
        ("can_socket_open", number, [pointer]),
        ("can_socket_close", None, [pointer, number]),
        ("can_socket_bind", None, [pointer, number, number]),
        ("can_socket_set", None, [pointer, number, number, number]),
        ("can_socket_filter", None, [pointer, number, ctypes.POINTER(CanRule), size]),
        ("can_socket_write", number, [pointer, number, ctypes.POINTER(CanMessage), time]),
        ("can_socket_readable", size, [pointer, number]),
        ("can_socket_read", number, [pointer, number, ctypes.POINTER(CanMessage)]),
        ("simulation_control", None, [pointer, time, text, text, size]),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
