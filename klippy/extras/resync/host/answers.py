# Numbers that come from an MCU or from the host's transport, before they are used
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import NamedTuple, Optional, Sequence

from ..model.klippy import AnswerParams, QueryCommand, Reactor

# By how much the host may be wrong about an MCU's clock (s)
CLOCK_ERROR_S = 0.005

# A trigger that is further from its homing move (s) than the host plans ahead has
# nothing to do with it
NEAR_S = 3.0


def believed(value: float, least: float, most: float) -> Optional[float]:
    """The number if it can be true; None if not, which "nan" never can."""
    return value if least <= value <= most else None


class Answer(NamedTuple):
    """An MCU's answer, and the system times (s) between which it has made it."""

    params: AnswerParams
    first_time: float
    last_time: float


def ask(reactor: Reactor, query: QueryCommand, arguments: Sequence[int]) -> Optional[Answer]:
    """Ask an MCU, and wait for its answer; None if that belongs to an earlier question.

    Raises the host's error if there is none.  Waits for ever for an MCU that
    the host has lost.
    """
    asked_time = reactor.monotonic()
    params = query.send(arguments)
    answered_time = reactor.monotonic()
    if 0.0 < params["#sent_time"] < asked_time:
        return None
    # The host has no time of sending, zero, for what it has sent again
    first = believed(params["#sent_time"], asked_time, answered_time)
    if first is None:
        first = asked_time
    last = believed(params["#receive_time"], first, answered_time)
    if last is None:
        last = answered_time
    return Answer(params, first, last)


def trigger_fault(place: str, trigger_time: float, start_time: float, end_time: float) -> str:
    """What is wrong with the time of a trigger; empty if it can be true.

    All times are print times (s), the last two those of the homing move.
    place names what has triggered.
    """
    if believed(trigger_time, start_time - CLOCK_ERROR_S, end_time + CLOCK_ERROR_S) is not None:
        return ""
    if believed(trigger_time, start_time - NEAR_S, start_time) is not None:
        return (
            "%s has triggered %.3f s before the homing move began, while the move before it ran:"
            " lift the toolhead further or wait until the sensor is at rest, and home again"
            % (place, start_time - trigger_time)
        )
    if believed(trigger_time, end_time, end_time + NEAR_S) is not None:
        return (
            "%s says that it triggered %.3f s after the homing move had ended: home again, and"
            " if it comes again home more slowly or check the link to its MCU"
            % (place, trigger_time - end_time)
        )
    return (
        "%s reports a trigger at %.6f s, which is not within the move from %.6f to %.6f s:"
        " home again, and if it comes again check the firmware of its MCU"
        % (place, trigger_time, start_time, end_time)
    )
