# Move any number of steppers at once, each by its own whole number of steps
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, List, Tuple

from .host import Host
from .profile import Profile, common_profile


class Carrier:
    """A solver and a move queue of its own that carry one stepper.

    A solver that has never run has no last flush time, so its steps may lie
    before the time at which the toolhead could move again.
    """

    def __init__(self, host: Host, stepper: Any) -> None:
        ffi_main, self._ffi_lib = host.get_ffi()
        self._stepper = stepper
        self._trapq = ffi_main.gc(
            self._ffi_lib.trapq_alloc(), self._ffi_lib.trapq_free
        )
        self._kinematics = ffi_main.gc(
            self._ffi_lib.cartesian_stepper_alloc(b"x"), self._ffi_lib.free
        )

    def take(self) -> None:
        """Put the stepper on this carrier, at position zero."""
        stepper = self._stepper
        self._host_kinematics = stepper.set_stepper_kinematics(self._kinematics)
        self._host_trapq = stepper.set_trapq(self._trapq)
        stepper.set_position((0.0, 0.0, 0.0))

    def queue(self, print_time: float, distance_mm: float, profile: Profile) -> None:
        """Queue one move from zero to distance_mm (signed), from print_time."""
        cruise_speed = profile.cruise_speed(abs(distance_mm))
        self._ffi_lib.trapq_append(
            self._trapq,
            print_time,
            profile.accel_s,
            profile.cruise_s,
            profile.accel_s,
            0.0,
            0.0,
            0.0,
            1.0 if distance_mm > 0.0 else -1.0,
            0.0,
            0.0,
            0.0,
            cruise_speed,
            cruise_speed / profile.accel_s,
        )

    def give_back(self) -> None:
        """Return the stepper to the host; its mcu position is kept."""
        self._stepper.set_trapq(self._host_trapq)
        self._stepper.set_stepper_kinematics(self._host_kinematics)


def move_together(
    host: Host,
    moves: List[Tuple[Any, int]],
    speed_mm_s: float,
    accel_mm_s2: float,
) -> None:
    """Move each (stepper, steps) by its own steps, all on one time profile.

    The motion starts as soon as steps can legally be scheduled, and the
    toolhead starts no earlier than its end.
    """
    ways = [(s, steps * s.get_step_dist()) for s, steps in moves if steps]
    if not ways:
        return
    longest_mm = max(abs(distance_mm) for _, distance_mm in ways)
    profile = common_profile(longest_mm, speed_mm_s, accel_mm_s2)
    carriers = [Carrier(host, stepper) for stepper, _ in ways]
    host.flush_steps()
    print_time = host.earliest_step_time()
    for carrier in carriers:
        carrier.take()
    try:
        for carrier, (_, distance_mm) in zip(carriers, ways):
            carrier.queue(print_time, distance_mm, profile)
        host.flush_steps(print_time + profile.duration_s)
    finally:
        for carrier in carriers:
            carrier.give_back()
