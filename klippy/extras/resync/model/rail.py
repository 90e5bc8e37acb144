# Which steppers belong together
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, Tuple

from .klippy import Stepper


class Rail:
    """Several steppers of a rail that follow the toolhead alike.

    In the rail's own order, under the name of the first.  axes has the rail's
    name, or the names of all carriages that generic_cartesian moves by them.
    mcu_names has the name of each stepper's MCU, by the stepper's name.
    """

    def __init__(self, name: str, axes: Tuple[str, ...], steppers: List[Stepper]) -> None:
        self.name = name
        self.axes = axes
        self.steppers = steppers
        # Asked for in each homing move
        self.stepper_names = [s.get_name() for s in steppers]
        self.mcu_names = {s.get_name(): s.get_mcu().get_name() for s in steppers}

    def is_shared(self) -> bool:
        """Whether its steppers sit on several MCUs."""
        return len({s.get_mcu() for s in self.steppers}) > 1

    def coarsest_step_mm(self) -> float:
        """The largest step distance of its steppers."""
        return max(s.get_step_dist() for s in self.steppers)

    def describe(self) -> str:
        """Which stepper sits on which MCU, for the log."""
        places = ["%s on %s" % place for place in self.mcu_names.items()]
        return "axis %s has %s" % ("+".join(self.axes), ", ".join(places))
