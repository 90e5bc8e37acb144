# The report's sections in their order
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Callable, List

from .document import Section
from .link_sections import bus_load, clock_sync, link_health, overview
from .log import Log
from .move_sections import faults, homing_moves, overshoot
from .verdict import verdict


def sections(log: Log) -> List[Section]:
    """The whole report."""
    makers: List[Callable[[Log], Section]] = [verdict, overview]
    if log.links:
        makers += [link_health]
        if log.busiest:
            makers += [bus_load]
        makers += [clock_sync]
    if log.links or log.moves.count:
        makers += [overshoot]
    return [make(log) for make in [*makers, homing_moves, faults]]
