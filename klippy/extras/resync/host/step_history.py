# Where a stepper was at a past time, from the host's step history
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Sequence, Tuple

from ..model.klippy import HistoryMove, Stepper

# Klipper until 2023-12 (v0.12) forgets what is 30 s older than the last step that it
# has generated, the present too where a long and slow move is generated at once
REMEMBERED_S = 25.0
NEVER_CLOCK = 1 << 62
# So many moves of the step history are looked for at first
MOVES = 64
# Over how long (s) the speed of a homing move is measured
SPEED_WINDOW_S = 0.010


def _moves_between(stepper: Stepper, first_clock: int, last_clock: int) -> Sequence[HistoryMove]:
    size = MOVES
    while True:
        moves, found = stepper.dump_steps(size, first_clock, last_clock)
        if found < size:
            return moves[0:found]
        size *= 2


def is_remembered(stepper: Stepper, print_time: float) -> bool:
    """Whether the step history is sure to reach back to the present print time (s)."""
    clock = max(0, stepper.get_mcu().print_time_to_clock(print_time + REMEMBERED_S))
    _, found = stepper.dump_steps(1, clock, NEVER_CLOCK)
    return not found


def counts_between(stepper: Stepper, first: float, last: float) -> Tuple[int, int]:
    """Least and largest count of a stepper between two print times (s).

    From the host's step history, every turn in between included.
    """
    mcu = stepper.get_mcu()
    # Before its clock was zero an MCU had taken no step
    first_clock = max(0, mcu.print_time_to_clock(first))
    last_clock = max(first_clock, mcu.print_time_to_clock(last))
    counts = [
        stepper.get_past_mcu_position(mcu.clock_to_print_time(clock))
        for clock in (first_clock, last_clock)
    ]
    for move in _moves_between(stepper, first_clock, last_clock):
        if move.first_clock > first_clock:
            counts.append(move.start_position)
        if move.last_clock <= last_clock:
            counts.append(move.start_position + move.step_count)
    return min(counts), max(counts)


def speed_mm_s_at(stepper: Stepper, print_time: float, count: int) -> float:
    """Speed around a print time, at which the stepper had that count, from the step history.

    The faster of just before and just after: the endstop may trigger while
    the stepper still accelerates, and the stepper halts soon after.
    """
    before = stepper.get_past_mcu_position(print_time - SPEED_WINDOW_S)
    after = stepper.get_past_mcu_position(print_time + SPEED_WINDOW_S)
    steps = max(abs(count - before), abs(after - count))
    return steps * stepper.get_step_dist() / SPEED_WINDOW_S
