# The rails of the host, and which of their steppers belong together
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, Iterable, List, Tuple

from ..model.klippy import Endstop, HostRail, Stepper
from ..model.rail import Rail
from . import mapping


def endstops_by_axis(host_rails: Iterable[HostRail]) -> Dict[str, List[Endstop]]:
    """The endstops that each axis, or carriage, homes to."""
    return {
        rail.get_name(short=True): [endstop for endstop, _ in rail.get_endstops()]
        for rail in host_rails
    }


def resyncable_rails(host_rails: Iterable[HostRail], include_single_mcu: bool) -> List[Rail]:
    """All steppers of the host's rails that belong together and sit on several MCUs.

    With include_single_mcu those that sit on one MCU too.
    """
    found: Dict[Tuple[str, ...], Rail] = {}
    for host_rail in host_rails:
        axis = host_rail.get_name(short=True)
        alike: Dict[Tuple[float, ...], List[Stepper]] = {}
        for stepper in host_rail.get_steppers():
            alike.setdefault(mapping.slopes(stepper), []).append(stepper)
        for steppers in alike.values():
            names = tuple(s.get_name() for s in steppers)
            axes = found[names].axes if names in found else ()
            found[names] = Rail(names[0], (*axes, axis), steppers)
    return [
        rail
        for rail in found.values()
        if rail.is_shared() or (include_single_mcu and len(rail.steppers) > 1)
    ]
