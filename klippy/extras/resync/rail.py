# Which steppers belong together
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Dict, Iterable, List, NamedTuple, Tuple

from . import mapping


class Rail(NamedTuple):
    """Several steppers of a rail that follow the toolhead alike.

    In the rail's own order, under the name of the first.  axes has the rail's
    name, or the names of all carriages that generic_cartesian moves by them.
    """

    name: str
    axes: Tuple[str, ...]
    steppers: List[Any]

    def is_shared(self) -> bool:
        """Tell whether its steppers sit on several MCUs."""
        return len({s.get_mcu() for s in self.steppers}) > 1

    def coarsest_step_mm(self) -> float:
        """The largest step distance of its steppers."""
        return max(s.get_step_dist() for s in self.steppers)

    def mcu_names(self) -> Dict[str, str]:
        """The name of each stepper's MCU, by the stepper's name."""
        return {s.get_name(): s.get_mcu().get_name() for s in self.steppers}

    def describe(self) -> str:
        """Which stepper sits on which MCU, for the log."""
        places = ["%s on %s" % place for place in self.mcu_names().items()]
        return "axis %s has %s" % ("+".join(self.axes), ", ".join(places))


def endstops_by_axis(host_rails: Iterable[Any]) -> Dict[str, List[Any]]:
    """The endstops that each axis, or carriage, homes to."""
    return {
        rail.get_name(short=True): [endstop for endstop, _ in rail.get_endstops()]
        for rail in host_rails
    }


def resyncable_rails(host_rails: Iterable[Any], include_single_mcu: bool) -> List[Rail]:
    """All steppers of the host's rails that belong together and sit on several MCUs.

    With include_single_mcu those that sit on one MCU too.
    """
    found: Dict[Tuple[str, ...], Rail] = {}
    for host_rail in host_rails:
        axis = host_rail.get_name(short=True)
        alike: Dict[Tuple[float, ...], List[Any]] = {}
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
