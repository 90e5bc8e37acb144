# What a function shows to who inspects it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import inspect

CO_NOFREE = 0x40


def described(function):
    """What inspection of a function shows."""
    names = (
        "__name__ __qualname__ __module__ __doc__ __defaults__ __kwdefaults__ __annotations__"
        " __dict__"
    )
    code = function.__code__
    places = "co_varnames co_argcount co_kwonlyargcount co_posonlyargcount co_nlocals"
    places += " co_name co_filename co_firstlineno co_freevars"
    return (
        # Python before 3.11 shows by a flag that no variable is a closure's
        code.co_flags & ~CO_NOFREE,
        [getattr(function, name) for name in names.split()],
        [getattr(code, place) for place in places.split()],
        # Since Python 3.11, and shown in every traceback
        getattr(code, "co_qualname", ""),
        str(inspect.signature(function)),
        inspect.getfullargspec(function),
        inspect.getsource(function),
        inspect.ismethod(function),
        getattr(function, "__self__", None),
    )
