# The kinds of faults of the campaign: when each strikes, and what it does
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from random_printers import RandomPrinter

from virtual_printer.dictionary import PIN_NUMBERS
from virtual_printer.session import Session

# Of a homing move: before it, while it runs, while it is corrected, thereafter
BEGIN, MOVE, CORRECTION, BETWEEN = "begin", "move", "correction", "between"
# Before a command
COMMAND = "command"
NEVER = "never"
# What an MCU tells while it homes, and how that can be wrong.  Nonsense in a trsync_state is a
# clock, which is the host's affair alone: it may then send later commands when that clock comes.
MALFORMED = {
    "stepper_position": ("cut", "long", "unknown", "value"),
    "trsync_state": ("cut", "long", "unknown"),
}
# Triggers' reasons on the wire: all steppers of one MCU stop, told as this
TRIP_REASONS = (0, 2)


class Target(NamedTuple):
    """What a fault strikes, and the axis whose homing move it is aimed at."""

    session: Session
    printer: RandomPrinter
    rng: random.Random
    axis: str
    phase: str
    say: Callable[[str], None]

    @property
    def mcus(self) -> List[str]:
        """MCUs of the shared rail, each once."""
        return list(dict.fromkeys(self.printer.rail(self.axis).mcus))

    @property
    def relayed_mcus(self) -> List[str]:
        """Those to which the host has to relay the stop."""
        endstop_mcu = self.printer.endstop(self.axis)[0]
        return [mcu for mcu in self.mcus if mcu != endstop_mcu]

    def control(self, request: str) -> None:
        """Have the virtual printer do it."""
        self.say("FAULT: %s" % (request,))
        self.session.control(request)

    def force(self, value: str) -> None:
        """Hold the endstop at a state, or let it go ("none")."""
        mcu, pin = self.printer.endstop(self.axis)
        self.control("endstop %s %d force=%s" % (mcu, PIN_NUMBERS[pin], value))

    def delay(self, mcu: str) -> None:
        """Hold up a link for longer than a homing move tolerates."""
        self.control(
            "link %s delay_us=%d for_s=%.4f from_s=%.6f direction=%s"
            % (
                mcu,
                self.rng.uniform(30e3, 90e3),
                self.rng.uniform(0.02, 0.08),
                self.session.now_s(),
                self.rng.choice(["both", "to_mcu", "to_host"]),
            )
        )


def _no_trigger(target: Target) -> None:
    target.force("0")


def _triggered_before(target: Target) -> None:
    target.force("1")


def _let_go(target: Target) -> None:
    target.force("none")


def _timeout_one(target: Target) -> None:
    target.delay(target.rng.choice(target.mcus))


def _timeout_several(target: Target) -> None:
    count = target.rng.randint(2, len(target.mcus))
    for mcu in target.rng.sample(target.mcus, count):
        target.delay(mcu)


def _timeout_endstop(target: Target) -> None:
    target.delay(target.printer.endstop(target.axis)[0])


def _any_mcu(target: Target) -> str:
    return target.rng.choice([*target.mcus, target.printer.endstop(target.axis)[0]])


def _lose(target: Target) -> None:
    target.control("mcu %s disconnect" % (_any_mcu(target),))


def _shut_down(target: Target) -> None:
    reason = target.rng.choice(["Command_request", "Timer_too_close"])
    target.control("mcu %s shutdown reason=%s" % (_any_mcu(target), reason))


def _m112(target: Target) -> None:
    target.say("FAULT: M112")
    target.session.emergency_stop()


def _stall(target: Target) -> None:
    target.control("stall %.4f" % (target.rng.uniform(0.02, 0.2),))


def _bounce(target: Target) -> None:
    level, at_s = 1, target.session.now_s()
    for _ in range(target.rng.randint(2, 12)):
        target.session.call_at(at_s, lambda value=str(level): target.force(value))
        level = 1 - level
        at_s += target.rng.choice([2e-5, 1e-4, 1e-3, 3e-3]) * target.rng.uniform(0.5, 1.5)
    target.session.call_at(at_s, lambda: target.force("none"))


def _stop_early(target: Target) -> None:
    reason = target.rng.choice(TRIP_REASONS)
    target.control("mcu %s trip reason=%d" % (target.rng.choice(target.relayed_mcus), reason))


def _fail_handler(target: Target) -> None:
    left = target.rng.randint(1, 2)
    target.say("FAULT: the handler that stows the probe fails at call %d" % (left,))
    target.session.gcode("SET_GCODE_VARIABLE MACRO=STOW VARIABLE=left VALUE=%d" % (left,))


def _mend_handler(target: Target) -> None:
    if target.session.state() == "ready":
        target.session.gcode("SET_GCODE_VARIABLE MACRO=STOW VARIABLE=left VALUE=0")


def _slow_link(target: Target) -> None:
    mcu = target.rng.choice(target.relayed_mcus)
    target.control(
        "link %s delay_us=%d direction=to_mcu from_s=%.6f for_s=8"
        % (mcu, target.rng.uniform(7e3, 11e3), target.session.now_s())
    )


def _miss_steps(target: Target) -> None:
    stepper = target.rng.choice(target.printer.rail(target.axis).steppers)
    for direction in ("up", "down"):
        steps = target.rng.randint(2, 12)
        target.control("stepper %s lose=%d direction=%s" % (stepper, steps, direction))


def _malform(target: Target) -> None:
    reply = target.rng.choice(list(MALFORMED))
    malformed = target.rng.choice(MALFORMED[reply])
    target.control("reply %s %s malformed=%s" % (_any_mcu(target), reply, malformed))


def _nothing(target: Target) -> None:
    pass


class Kind(NamedTuple):
    """When a fault may strike, and what it does."""

    phases: Tuple[str, ...]
    strike: Callable[[Target], None]
    # Which homing moves it can be aimed at
    axes: str = "xyz"
    # What ends the fault once the command that it struck is over
    release: Optional[Callable[[Target], None]] = None
    # Options of [multi_mcu_resync] without which nobody could notice it
    options: Mapping[str, object] = {}
    # Whether the host may lose an MCU, which it notices late
    loses_mcu: bool = False


KINDS: Dict[str, Kind] = {
    "no_trigger": Kind((BEGIN,), _no_trigger, release=_let_go),
    "triggered_before_movement": Kind((BEGIN,), _triggered_before, release=_let_go),
    "timeout_one_mcu": Kind((MOVE,), _timeout_one),
    "timeout_several_mcus": Kind((MOVE,), _timeout_several),
    "timeout_endstop_mcu": Kind((MOVE,), _timeout_endstop),
    "mcu_lost_during_move": Kind((MOVE,), _lose, loses_mcu=True),
    "mcu_lost_during_correction": Kind((CORRECTION,), _lose, loses_mcu=True),
    "mcu_lost_between": Kind((BETWEEN,), _lose, loses_mcu=True),
    "shutdown_during_move": Kind((MOVE,), _shut_down),
    "shutdown_during_correction": Kind((CORRECTION,), _shut_down),
    "shutdown_between": Kind((BETWEEN,), _shut_down),
    "m112_during_move": Kind((MOVE,), _m112),
    "m112_during_correction": Kind((CORRECTION,), _m112),
    "m112_between": Kind((BETWEEN,), _m112),
    "host_stall": Kind((MOVE, MOVE, CORRECTION, BETWEEN), _stall),
    "bouncing_endstop": Kind((MOVE,), _bounce),
    "stepper_stopped_early": Kind((MOVE,), _stop_early),
    "handler_error": Kind((COMMAND,), _fail_handler, "z", _mend_handler),
    "correction_over_limit": Kind((BEGIN,), _slow_link),
    "missed_steps": Kind(
        (MOVE, CORRECTION, BETWEEN, BETWEEN), _miss_steps, options={"check_interval": 0.1}
    ),
    "malformed_reply": Kind((MOVE, CORRECTION, BETWEEN), _malform, loses_mcu=True),
    "none": Kind((NEVER,), _nothing),
}
