# What links do to messages: lose, repeat and delay them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
from typing import Callable, List

from scripts.developer.faults.target import Target

# What a host shrugs off, unless it homes meanwhile (s)
LATE_S = (0.002, 0.04)
# Two of these are rare enough to tell one from the other (s)
PAUSE_S = (0.3, 4.0)
MOST_REPETITIONS = 5
# How long a link is slow (s), less than a run pauses after a command
DELAY_S = (0.01, 0.3)
DIRECTIONS = ("to_mcu", "to_mcu", "to_host")


def lose_block(target: Target) -> None:
    """Have the next block of a link lost, and some more later on."""
    _now_and_again(target, lambda rng: "drop=1")


def repeat_block(target: Target) -> None:
    """Have the next block of a link come twice, and some more later on."""
    _now_and_again(target, lambda rng: "repeat=1")


def delay_block(target: Target) -> None:
    """Have the next block of a link late, and some more later on."""
    _now_and_again(target, lambda rng: "late_us=%d" % (rng.uniform(*LATE_S) * 1e6,))


def _now_and_again(target: Target, draw: Callable[[random.Random], str]) -> None:
    left = target.rng.randint(0, MOST_REPETITIONS)

    def spoil() -> None:
        nonlocal left
        mcu, direction = target.any_mcu(), target.rng.choice(DIRECTIONS)
        target.suffer("link %s %s direction=%s" % (mcu, draw(target.rng), direction))
        if left:
            left -= 1
            target.session.call_at(target.session.now_s() + target.rng.uniform(*PAUSE_S), spoil)

    spoil()


def delay_while_printing(target: Target) -> None:
    """Hold up a link now and then, for as long as a print takes."""

    def hold_up() -> None:
        if not target.is_under_way():
            return
        now_s = target.session.now_s()
        target.suffer(
            "link %s delay_us=%d for_s=%.4f direction=%s"
            % (
                target.any_mcu(),
                target.rng.uniform(*LATE_S) * 1e6,
                target.rng.uniform(*DELAY_S),
                target.rng.choice(["both", "to_mcu", "to_host"]),
            )
        )
        target.session.call_at(now_s + target.rng.uniform(0.3, 2.0), hold_up)

    target.session.call_at(target.session.now_s(), hold_up)


def _long_delay(rng: random.Random) -> str:
    length_s = rng.uniform(0.02, 0.08)
    return "delay_us=%d for_s=%.4f" % (rng.uniform(30e3, 90e3), length_s)


def _slow(rng: random.Random) -> str:
    length_s = rng.uniform(1.0, 3.0)
    return "delay_us=%d for_s=%.4f" % (rng.uniform(3e3, 11e3), length_s)


def _lost(rng: random.Random) -> str:
    return "drop=%d" % (rng.randint(1, 3),)


def _corrupt(rng: random.Random) -> str:
    return "corrupt=%d" % (rng.randint(1, 2),)


def _repeated(rng: random.Random) -> str:
    return "repeat=%d" % (rng.randint(1, 4),)


def _late(rng: random.Random) -> str:
    return "late_us=%d" % (rng.uniform(20e3, 90e3),)


SPOILINGS: List[Callable[[random.Random], str]] = [
    _long_delay,
    _slow,
    _lost,
    _corrupt,
    _repeated,
    _late,
]


def spoil_two_links(target: Target) -> None:
    """Spoil two links at once, each in its own way."""
    for mcu in target.rng.sample(target.printer.mcus, 2):
        spoiling = target.rng.choice(SPOILINGS)(target.rng)
        direction = target.rng.choice(["both", "to_mcu", "to_host"])
        target.suffer("link %s %s direction=%s" % (mcu, spoiling, direction))
