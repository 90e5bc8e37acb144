# Strike at the wanted instant of the wanted homing move or command
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import random
from typing import Any, Callable, Dict, List, Tuple

from scripts.developer.faults import kinds
from scripts.developer.faults.random_printers import TRIGGER_HEIGHT_MM, XY_ENDSTOP_MM, RandomPrinter
from scripts.developer.faults.random_scripts import Command
from scripts.developer.faults.target import Target
from virtual_printer.session import Session, Truth

MESSAGE = "fault_watch "
# Hosts start moving no earlier than this (s) after a homing move
REST_S = 0.24
# A look at the carriage costs little, but not nothing
SHORTEST_LOOK_S = 0.001
LONGEST_LOOK_S = 0.5
AT_TRIGGER_S = 1e-3
# This part of the faults comes at most so long (s) before or after the trigger
NEAR_TRIGGER_PART = 0.4
NEAR_TRIGGER_S = 0.03
# How often to look whether the steppers move (s)
MOTION_LOOK_S = 0.02
# At most so long (s) after a command, and after what began in it
DURING_S = 4.0
TRAVEL_S = 1.2
CHECK_S = 0.012
ADJUST_S = 0.6
# Of GET_POSITION
POSITION_LINES = tuple("// %s" % (what,) for what in ("mcu", "stepper:", "kin", "tool", "gcode"))


class Aim:
    """Watches homing moves: strikes at one of them, and looks at what steppers do after each.

    levelled_mm has what levelling has changed on purpose (mm by stepper), wrong_steps
    what was stepped in the direction of travel between a homing move and the next motion.
    """

    def __init__(
        self,
        session: Session,
        printer: RandomPrinter,
        kind: kinds.Kind,
        rng: random.Random,
        say: Callable[[str], None],
    ) -> None:
        self._session, self._printer, self._kind = session, printer, kind
        self._rng, self._say = rng, say
        self.phase = rng.choice(kind.phases)
        self.command, self.axis, self._left = self._choose()
        self.is_armed = self.has_struck = False
        # What Klippy says of itself
        self.console: Callable[[str], None] = lambda line: None
        self.is_mute = False
        self._number = -1
        self.levelled_mm: Dict[str, float] = {}
        self.wrong_steps: List[str] = []
        self.wrong_step_count = 0
        self._moves = 0
        self._is_moving = False
        self._moving_axis = ""
        session.listen(self._listen)

    def _choose(self) -> Tuple[int, str, int]:
        """Number of a command, and an axis with the number of homing moves before the one meant."""
        script = self._printer.script
        by_kind: Dict[str, Callable[[Command], Any]] = {
            kinds.CHECK: lambda command: command.checks,
            kinds.DURING: lambda command: True,
            kinds.TRAVEL: lambda command: command.travels,
            kinds.DEPARTURE: lambda command: command.travels,
            kinds.ADJUST: lambda command: command.levels,
        }
        wanted = by_kind.get(self.phase)
        if self.phase == kinds.NEVER:
            return len(script), "z", 0
        if wanted is not None:
            # Something is to come after it
            numbers = [number for number, command in enumerate(script[:-1]) if wanted(command)]
            return self._rng.choice(numbers), "z", 0
        moves = [
            (command, axis, part.moves[:number].count(axis))
            for command, part in enumerate(script)
            for number, axis in enumerate(part.moves)
            if axis in self._kind.axes and (part.levels or not self._kind.while_levelling)
        ]
        return self._rng.choice(moves)

    def target(self) -> Target:
        """What the fault strikes."""
        number = self._number
        return Target(
            self._session,
            self._printer,
            self._rng,
            self.axis,
            self._left,
            self._say,
            lambda: number == self._number,
        )

    def before_command(self, number: int) -> None:
        """Get ready if this is the command that is aimed at."""
        self._number = number
        self.is_armed = number >= self.command
        if self._printer.script[number].strikes:
            self.has_struck = True
        if number == self.command:
            self._begin_command()

    def _begin_command(self) -> None:
        if self.phase in (kinds.COMMAND, kinds.DEPARTURE):
            self.strike()
        elif self.phase == kinds.DURING:
            self._strike_in(self._rng.uniform(0.0, DURING_S))
        elif self.phase == kinds.CHECK:
            self._strike_in(self._rng.uniform(0.0, CHECK_S))
        elif self.phase == kinds.TRAVEL:
            self._await_travel(self._number, self._session.stepper_truth())

    def _await_travel(self, number: int, before: Dict[str, Truth]) -> None:
        """Strike some time after the steppers have begun to move."""
        if number != self._number:
            return
        if self._session.stepper_truth() != before:
            self._strike_in(self._rng.uniform(0.0, TRAVEL_S))
            return
        self._session.call_at(
            self._session.now_s() + MOTION_LOOK_S, lambda: self._await_travel(number, before)
        )

    def after_command(self) -> None:
        """The command is over: an endstop that was held is let go."""
        self._number = -1
        if self.has_struck and self._kind.release is not None:
            self._kind.release(self.target())
            self._kind = self._kind._replace(release=None)

    def strike(self) -> None:
        """Let the fault happen now, once."""
        if self.has_struck:
            return
        self.has_struck = not self._kind.is_planned
        self._kind.strike(self.target())

    # Inside

    def _listen(self, message: str) -> None:
        if self.is_mute:
            return
        for line in message.split("\n"):
            if line.startswith(MESSAGE):
                self._say("    %s" % (line,))
                self._note_event(json.loads(line[len(MESSAGE) :]))
            elif not line.startswith(POSITION_LINES):
                self._say("    " + line)
                self.console(line)

    def _note_event(self, event: Dict[str, Any]) -> None:
        name = event["event"]
        if name == "begin":
            self._begin(event["endstops"], event["wait_s"])
        elif name == "end":
            self._end()
        elif name == "misbehaves":
            self._say("FAULT: as planned")
            self.has_struck = True
        elif name == "adjusting":
            if self.is_armed and self.phase == kinds.ADJUST:
                self._strike_in(self._rng.uniform(0.0, ADJUST_S))
        else:
            for stepper, shift_mm in event["shifts_mm"].items():
                self.levelled_mm[stepper] = self.levelled_mm.get(stepper, 0.0) + shift_mm

    def _begin(self, endstops: List[str], wait_s: float) -> None:
        name = endstops[0].replace("stepper_", "")
        self._moving_axis = "z" if name == "probe" else name
        self._moves += 1
        self._is_moving = True
        if not self.is_armed or self.has_struck or self._moving_axis != self.axis:
            return
        if self.phase not in kinds.HOMING_PHASES:
            return
        self._left -= 1
        if self._left >= 0:
            return
        number, starts_s = self._moves, self._session.now_s() + max(0.0, wait_s)
        if self.phase == kinds.BEGIN:
            self.strike()
        elif self.phase == kinds.MOVE:
            self._session.call_at(starts_s, lambda: self._aim_into_move(number))

    def _aim_into_move(self, number: int) -> None:
        travel_s = self._remaining_s()
        before_s = travel_s * self._rng.random()
        if self._rng.random() < NEAR_TRIGGER_PART:
            before_s = self._rng.uniform(-NEAR_TRIGGER_S, NEAR_TRIGGER_S)
        self._say("aim at %.4f s before the trigger, now %.3f s away" % (before_s, travel_s))
        self._look(number, before_s)

    def _remaining_s(self) -> float:
        """How long the carriage has yet to go, if it goes at full speed."""
        x_mm, y_mm, height_mm = self._session.carriage_truth()
        ways_mm = {
            "x": XY_ENDSTOP_MM - x_mm,
            "y": XY_ENDSTOP_MM - y_mm,
            "z": height_mm - TRIGGER_HEIGHT_MM,
        }
        return ways_mm[self.axis] / self._printer.speed_mm_s(self.axis)

    def _look(self, number: int, before_s: float) -> None:
        """Strike this long before the trigger; a negative time is one after it."""
        if self.has_struck:
            return
        remaining_s = self._remaining_s()
        is_over = not self._is_moving or number != self._moves
        if is_over or remaining_s <= max(before_s, AT_TRIGGER_S):
            self._strike_in(max(0.0, -before_s))
            return
        pause_s = min(max((remaining_s - before_s) / 2, SHORTEST_LOOK_S), LONGEST_LOOK_S)
        self._session.call_at(self._session.now_s() + pause_s, lambda: self._look(number, before_s))

    def _strike_in(self, pause_s: float) -> None:
        self._session.call_at(self._session.now_s() + pause_s, self.strike)

    def _end(self) -> None:
        self._is_moving = False
        self._watch_rest(self._moving_axis)
        if not self.is_armed or self.has_struck or self._left >= 0:
            return
        if self.phase == kinds.CORRECTION:
            self._strike_in(self._rng.uniform(0.0, 0.2))
        elif self.phase == kinds.BETWEEN:
            self._strike_in(self._rng.uniform(0.25, 1.2))

    def _watch_rest(self, axis: str) -> None:
        """Nothing may go on in the direction of travel while the toolhead rests."""
        signs = self._printer.travel_signs(axis)
        for name in signs:
            self._session.control("pulses %s reset" % (name,))
        self._session.call_at(self._session.now_s() + REST_S, lambda: self._check_rest(signs))

    def _check_rest(self, signs: Dict[str, int]) -> None:
        for name, sign in signs.items():
            up, down = (int(word) for word in self._session.control("pulses %s" % (name,)).split())
            wrong = up if sign > 0 else down
            if wrong:
                self.wrong_step_count += wrong
                self.wrong_steps.append("%s: %d steps" % (name, wrong))
                self._say("WRONG: %s made %d steps in the direction of travel" % (name, wrong))
