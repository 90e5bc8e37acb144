# Stand in for what the host calls of an endstop while it homes
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Iterable, List, NamedTuple

from ..model.klippy import Endstop
from .stand_in import Call, Wrapper, Wrapping


class Layer(NamedTuple):
    """What is put around an endstop's home_start() and its home_wait()."""

    around_start: Wrapper
    around_wait: Wrapper


def _around(wrappers: List[Wrapper]) -> Wrapper:
    def wrapper(call: Call) -> Call:
        for around in wrappers:
            call = around(call)
        return call

    return wrapper


def stand_in_for_endstop(wrapping: Wrapping, endstop: Endstop, layers: Iterable[Layer]) -> None:
    """Put layers around an endstop, the innermost first, until the wrapping is undone."""
    found = list(layers)
    wrapping.wrap(endstop, "home_start", _around([layer.around_start for layer in found]))
    wrapping.wrap(endstop, "home_wait", _around([layer.around_wait for layer in found]))
