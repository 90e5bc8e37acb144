# The simulation alone, without virtual time, for processes that keep time themselves
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import functools
from typing import Any

import cffi

from virtual_printer import build

# Without the preload library, which would take over the process that loads it
SOURCES = build.SOURCES / "simulation"
# What declares its interface; a header comes behind those that it includes
HEADERS = ("links/can_message.h", "simulation.h")

FFI = cffi.FFI()


def _declarations() -> str:
    """Return what the headers declare; the preprocessor's lines are of no use here."""
    lines = [
        line
        for header in HEADERS
        for line in (SOURCES / header).read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    return "\n".join(lines)


@functools.lru_cache(maxsize=None)
def load() -> Any:
    """Return the compiled simulation; from then on FFI knows its types."""
    path = build.library(sources=SOURCES)
    FFI.cdef(_declarations())
    return FFI.dlopen(str(path))
