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
        ("simulation_control", None, [pointer, time, text, text, size]),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
