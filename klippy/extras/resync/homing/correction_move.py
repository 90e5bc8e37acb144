# Move any number of steppers at once, each by its own whole number of steps
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Callable, List, Mapping, Optional, Sequence, Tuple

from ..host.chelper import Helper
from ..host.host import Host
from ..model.klippy import Stepper, Trapq


class CarriedStepper:
    """A stepper on kinematics and a move queue of ours, to go distance_mm.

    Kinematics that have never run have no last flush time, so their steps
    may lie before the time at which the toolhead could move again.  coord is
    where the host gets the stepper back (mm), None for where it had it before.
    """

    def __init__(
        self,
        helper: Helper,
        stepper: Stepper,
        distance_mm: float,
        trapq: Trapq,
        coord: Optional[Sequence[float]],
    ) -> None:
        self._helper = helper
        self._stepper = stepper
        # Held here: the host frees them once nobody does
        self._kinematics = helper.new_kinematics(stepper.get_name(), distance_mm)
        self._trapq = trapq
        self._coord = coord

    def take(self) -> None:
        """Put the stepper on our kinematics, which are new and so at position zero."""
        self._host_kinematics = self._stepper.set_stepper_kinematics(self._kinematics)
        self._host_trapq = self._stepper.set_trapq(self._trapq)

    def give_back(self) -> None:
        """Return the stepper to the host; its mcu position is kept."""
        if self._coord is not None:
            # Takes the host less time than the stepper's own set_position() afterwards
            self._helper.set_position(self._host_kinematics, self._coord)
        self._stepper.set_trapq(self._host_trapq)
        self._stepper.set_stepper_kinematics(self._host_kinematics)


def move_together(
    host: Host,
    helper: Helper,
    moves: List[Tuple[Stepper, int]],
    duration_s: float,
    flush: Callable[[], None],
    coordinates: Mapping[str, Sequence[float]],
) -> float:
    """Move each (stepper, steps) by its own steps, all on one carrier move.

    The motion starts as soon as steps can legally be scheduled, and the
    toolhead starts no earlier than its end.  All earlier steps have to be
    generated already.  flush() has the host generate and send all its steps;
    whatever else it does to steppers that have steps to go, only their counts
    are kept.  The host gets these back at their coordinates (mm), which go by
    name.  Returns the print time (s) of the end, zero if there is nothing to
    move.
    """
    ways = [(s, steps * s.get_step_dist()) for s, steps in moves if steps]
    if not ways:
        flush()
        return 0.0
    trapq = helper.alloc_trapq()
    carried = [
        CarriedStepper(helper, stepper, distance_mm, trapq, coordinates.get(stepper.get_name()))
        for stepper, distance_mm in ways
    ]
    start_time = host.earliest_step_time()
    helper.append_carrier_move(trapq, start_time, duration_s)
    taken = []
    try:
        for stepper in carried:
            stepper.take()
            taken.append(stepper)
        host.note_steps(start_time + duration_s)
        flush()
    finally:
        for stepper in taken:
            stepper.give_back()
    return start_time + duration_s
