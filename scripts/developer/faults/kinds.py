# The kinds of faults of the campaign: when each strikes, and what it does
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
from functools import partial
from typing import Callable, Dict, Mapping, NamedTuple, Optional, Tuple

from scripts.developer.faults import noise
from scripts.developer.faults.random_printers import DrawScript
from scripts.developer.faults.random_scripts import Scripter
from scripts.developer.faults.target import Target

# Of a homing move: before it, while it runs, while it is corrected, thereafter
BEGIN, MOVE, CORRECTION, BETWEEN = "begin", "move", "correction", "between"
HOMING_PHASES = (BEGIN, MOVE, CORRECTION, BETWEEN)
# Before a command
COMMAND = "command"
NEVER = "never"
# At any time of a command, of one that travels, and of one that compares counts
DURING, TRAVEL, CHECK = "during", "travel", "check"
# When one that travels begins
DEPARTURE = "departure"
# While a levelling command moves single steppers
ADJUST = "adjust"
# What an MCU says while it homes, and how that can be wrong.  Nonsense in a trsync_state is a
# clock, which is the host's affair alone: it may then send later commands when that clock comes.
MALFORMED = {
    "stepper_position": ("cut", "long", "unknown", "value"),
    "trsync_state": ("cut", "long", "unknown"),
}
# Triggers' reasons on the wire: all steppers of one MCU stop, with this one
TRIP_REASONS = (0, 2)


def _no_trigger(target: Target) -> None:
    target.hold("open")


def _triggered_before(target: Target) -> None:
    target.hold("triggered")


def _let_go(target: Target) -> None:
    target.hold("free")


def _timeout_one(target: Target) -> None:
    target.delay(target.rng.choice(target.mcus))


def _timeout_several(target: Target) -> None:
    count = target.rng.randint(2, len(target.mcus))
    for mcu in target.rng.sample(target.mcus, count):
        target.delay(mcu)


def _timeout_endstop(target: Target) -> None:
    target.delay(target.printer.endstop(target.axis)[0])


def _lose(target: Target) -> None:
    target.suffer("mcu %s disconnect" % (target.any_mcu(),))


def _shut_down(target: Target) -> None:
    reason = target.rng.choice(["Command_request", "Timer_too_close"])
    target.suffer("mcu %s shutdown reason=%s" % (target.any_mcu(), reason))


def _m112(target: Target) -> None:
    target.suffer("host emergency_stop")


def _stop_in_mid_move(target: Target) -> None:
    target.rng.choice((_m112, _m112, _shut_down))(target)


def _stall(target: Target) -> None:
    target.suffer("host stall_s=%.4f" % (target.rng.uniform(0.02, 0.2),))


def _bounce(target: Target) -> None:
    reads, other, at_s = "triggered", "open", target.session.now_s()
    for _ in range(target.rng.randint(2, 12)):
        target.session.call_at(at_s, partial(target.hold, reads))
        reads, other = other, reads
        at_s += target.rng.choice([2e-5, 1e-4, 1e-3, 3e-3]) * target.rng.uniform(0.5, 1.5)
    target.session.call_at(at_s, lambda: target.hold("free"))


def _stop_early(target: Target) -> None:
    reason = target.rng.choice(TRIP_REASONS)
    target.suffer("mcu %s trip reason=%d" % (target.rng.choice(target.relayed_mcus), reason))


def _fail_handler(target: Target) -> None:
    left = target.rng.randint(1, 2)
    target.say("FAULT: the handler that stows the probe fails at call %d" % (left,))
    target.session.gcode("SET_GCODE_VARIABLE MACRO=STOW VARIABLE=left VALUE=%d" % (left,))


def _mend_handler(target: Target) -> None:
    if target.session.state() == "ready":
        target.session.gcode("SET_GCODE_VARIABLE MACRO=STOW VARIABLE=left VALUE=0")


def _slow_link(target: Target) -> None:
    mcu = target.rng.choice(target.relayed_mcus)
    target.suffer(
        "link %s delay_us=%d direction=to_mcu for_s=8" % (mcu, target.rng.uniform(7e3, 11e3))
    )


def _miss_steps(target: Target) -> None:
    stepper = target.rng.choice(target.printer.rail(target.axis).steppers)
    for direction in ("up", "down"):
        steps = target.rng.randint(2, 12)
        target.suffer("stepper %s lose=%d direction=%s" % (stepper, steps, direction))


def _malform(target: Target) -> None:
    reply = target.rng.choice(list(MALFORMED))
    malformed = target.rng.choice(MALFORMED[reply])
    target.suffer("reply %s %s malformed=%s" % (target.any_mcu(), reply, malformed))


def _answer_well(target: Target) -> None:
    # One that nobody has asked for yet is not to spoil what puts all right
    for mcu in dict.fromkeys([*target.mcus, target.printer.endstop(target.axis)[0]]):
        for reply in MALFORMED:
            target.session.control("reply %s %s malformed=none" % (mcu, reply))


def _nest(target: Target) -> None:
    _have_handlers(target, target.rng.choice(("nest_z", "nest_z", "nest_stepper", "nest_x")))


def _abandon(target: Target) -> None:
    _have_handlers(target, target.rng.choice(("refuse_begin", "refuse_start")))


def _have_handlers(target: Target, what: str) -> None:
    target.say("PLAN: %s" % (what,))
    target.session.gcode("FAULT_HANDLERS WHAT=%s AFTER=%d" % (what, target.left))


def _nothing(target: Target) -> None:
    pass


class Kind(NamedTuple):
    """When a fault may strike, what it does, and what may come of it."""

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
    # The G-code, whether all of it is run, and further sections of printer.cfg
    draw_script: DrawScript = Scripter.usual
    runs_to_end: bool = False
    sections: str = ""
    # Whether it strikes while the printer levels
    while_levelling: bool = False
    # Whether it is no more than a host shrugs off, unless it homes meanwhile
    is_noise: bool = False
    # Whether a printer may shut down by it, and whether by the word of the extra
    shuts_down: bool = False
    extra_shuts_down: bool = False
    # Whether what strikes are commands, of which each accounts for itself
    is_by_command: bool = False
    # Whether an extra is to strike later on
    is_planned: bool = False


NOISE_PHASES = (BEGIN, MOVE, CORRECTION, CORRECTION, BETWEEN, DURING, CHECK, CHECK)
LINK_PHASES = (BEGIN, MOVE, MOVE, CORRECTION, BETWEEN, CHECK)
MANUAL_STEPPER = """
[manual_stepper dock]
step_pin: PA0
dir_pin: PA1
enable_pin: !PA2
microsteps: 16
rotation_distance: 40
endstop_pin: PA3
velocity: 20
accel: 500
"""


def _noise(strike: Callable[[Target], None]) -> Kind:
    return Kind(
        NOISE_PHASES,
        strike,
        options={"check_interval": 0.3},
        draw_script=Scripter.with_checks,
        is_noise=True,
    )


KINDS: Dict[str, Kind] = {
    "no_trigger": Kind((BEGIN,), _no_trigger, release=_let_go),
    "triggered_before_movement": Kind((BEGIN,), _triggered_before, release=_let_go),
    "timeout_one_mcu": Kind((MOVE,), _timeout_one, shuts_down=True),
    "timeout_several_mcus": Kind((MOVE,), _timeout_several, shuts_down=True),
    "timeout_endstop_mcu": Kind((MOVE,), _timeout_endstop, shuts_down=True),
    "mcu_lost_during_move": Kind((MOVE,), _lose, loses_mcu=True, shuts_down=True),
    "mcu_lost_during_correction": Kind((CORRECTION,), _lose, loses_mcu=True, shuts_down=True),
    "mcu_lost_between": Kind((BETWEEN,), _lose, loses_mcu=True, shuts_down=True),
    "shutdown_during_move": Kind((MOVE,), _shut_down, shuts_down=True),
    "shutdown_during_correction": Kind((CORRECTION,), _shut_down, shuts_down=True),
    "shutdown_between": Kind((BETWEEN,), _shut_down, shuts_down=True),
    "m112_during_move": Kind((MOVE,), _m112, shuts_down=True),
    "m112_during_correction": Kind((CORRECTION,), _m112, shuts_down=True),
    "m112_between": Kind((BETWEEN,), _m112, shuts_down=True),
    "host_stall": Kind((MOVE, MOVE, CORRECTION, BETWEEN), _stall, shuts_down=True),
    "bouncing_endstop": Kind((MOVE,), _bounce),
    "stepper_stopped_early": Kind((MOVE,), _stop_early),
    "handler_error": Kind((COMMAND,), _fail_handler, "z", _mend_handler),
    "correction_over_limit": Kind((BEGIN,), _slow_link),
    "missed_steps": Kind(
        (MOVE, CORRECTION, BETWEEN, BETWEEN), _miss_steps, options={"check_interval": 0.1}
    ),
    "malformed_reply": Kind(
        (MOVE, CORRECTION, BETWEEN),
        _malform,
        release=_answer_well,
        loses_mcu=True,
        shuts_down=True,
        extra_shuts_down=True,
    ),
    "block_lost": _noise(noise.lose_block),
    "block_repeated": _noise(noise.repeat_block),
    "block_late": _noise(noise.delay_block),
    "two_links": Kind(
        LINK_PHASES,
        noise.spoil_two_links,
        draw_script=Scripter.with_checks,
        shuts_down=True,
    ),
    "fault_during_levelling": Kind((BEGIN,), _nothing),
    "restart_in_mid_move": Kind(
        (TRAVEL,),
        _stop_in_mid_move,
        draw_script=Scripter.restarting,
        runs_to_end=True,
        shuts_down=True,
    ),
    "nested_homing": Kind(
        (COMMAND,),
        _nest,
        "z",
        draw_script=Scripter.probing,
        runs_to_end=True,
        sections=MANUAL_STEPPER,
        is_planned=True,
    ),
    "abandoned_homing": Kind(
        (COMMAND,), _abandon, draw_script=Scripter.probing, runs_to_end=True, is_planned=True
    ),
    "lone_motions": Kind(
        (NEVER,), _nothing, draw_script=Scripter.lone_motions, runs_to_end=True, is_by_command=True
    ),
    "check_while_printing": Kind(
        (DEPARTURE,),
        noise.delay_while_printing,
        draw_script=Scripter.printing,
        runs_to_end=True,
        is_noise=True,
    ),
    "none": Kind((NEVER,), _nothing, draw_script=Scripter.with_checks, is_noise=True),
}
# Kinds that can strike while the printer levels, and those of them that can while it adjusts
LEVELLING_FAULTS = (
    "no_trigger",
    "triggered_before_movement",
    "timeout_one_mcu",
    "timeout_several_mcus",
    "shutdown_during_move",
    "shutdown_between",
    "m112_during_move",
    "m112_between",
    "host_stall",
    "stepper_stopped_early",
    "handler_error",
)
ADJUSTING_FAULTS = (
    "timeout_one_mcu",
    "timeout_several_mcus",
    "shutdown_between",
    "m112_between",
    "host_stall",
)


def draw_kind(name: str, rng: random.Random) -> Kind:
    """The kind of a run; one that is made of others becomes one of them."""
    if name == "fault_during_levelling":
        chosen = rng.choice(LEVELLING_FAULTS)
        kind = KINDS[chosen]
        phases = (*kind.phases, ADJUST) if chosen in ADJUSTING_FAULTS else kind.phases
        return kind._replace(
            phases=phases, axes="z", draw_script=Scripter.levelling, while_levelling=True
        )
    if name == "check_while_printing":
        return KINDS[name]._replace(options={"check_interval": rng.choice([0.3, 1, 1.5])})
    return KINDS[name]
