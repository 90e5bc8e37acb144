# Strike at the wanted instant of the wanted homing move
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import random
from typing import Any, Callable, Dict, List

import fault_kinds
from random_printers import TRIGGER_HEIGHT_MM, XY_ENDSTOP_MM, RandomPrinter

from virtual_printer.session import Session

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
        kind: fault_kinds.Kind,
        rng: random.Random,
        say: Callable[[str], None],
    ) -> None:
        self._session, self._printer, self._kind = session, printer, kind
        self._rng, self._say = rng, say
        self.phase = rng.choice(kind.phases)
        self.command, self.axis, self._left = self._choose_move()
        self.is_armed = self.has_struck = False
        self.levelled_mm: Dict[str, float] = {}
        self.wrong_steps: List[str] = []
        self.wrong_step_count = 0
        self._moves = 0
        self._is_moving = False
        self._moving_axis = ""
        session.listen(self._listen)

    def _choose_move(self) -> Any:
        script = self._printer.script
        moves = [
            (command, axis, part.moves[:number].count(axis))
            for command, part in enumerate(script)
            for number, axis in enumerate(part.moves)
            if axis in self._kind.axes
        ]
        return self._rng.choice(moves)

    def target(self) -> fault_kinds.Target:
        """What the fault strikes."""
        return fault_kinds.Target(
            self._session, self._printer, self._rng, self.axis, self.phase, self._say
        )

    def before_command(self, number: int) -> None:
        """Get ready if this is the command that is aimed at."""
        self.is_armed = number >= self.command and self.phase != fault_kinds.NEVER
        if self.is_armed and self.phase == fault_kinds.COMMAND:
            self.strike()

    def after_command(self) -> None:
        """An endstop that was held is let go."""
        if self.has_struck and self._kind.release is not None:
            self._kind.release(self.target())
            self._kind = self._kind._replace(release=None)

    def strike(self) -> None:
        """Let the fault happen now, once."""
        if self.has_struck:
            return
        self.has_struck = True
        self._kind.strike(self.target())

    # Inside

    def _listen(self, message: str) -> None:
        for line in message.split("\n"):
            if not line.startswith(MESSAGE):
                if not line.startswith(POSITION_LINES):
                    self._say("    " + line)
                continue
            event = json.loads(line[len(MESSAGE) :])
            self._say("    %s" % (line,))
            if event["event"] == "begin":
                self._begin(event["endstops"], event["wait_s"])
            elif event["event"] == "end":
                self._end()
            else:
                for name, shift_mm in event["shifts_mm"].items():
                    self.levelled_mm[name] = self.levelled_mm.get(name, 0.0) + shift_mm

    def _begin(self, endstops: List[str], wait_s: float) -> None:
        self._moving_axis = "z" if endstops == ["probe"] else endstops[0][-1:]
        self._moves += 1
        self._is_moving = True
        if not self.is_armed or self.has_struck or self._moving_axis != self.axis:
            return
        self._left -= 1
        if self._left >= 0:
            return
        number, starts_s = self._moves, self._session.now_s() + max(0.0, wait_s)
        if self.phase == fault_kinds.BEGIN:
            self.strike()
        elif self.phase == fault_kinds.MOVE:
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
        self._session.call_at(
            self._session.now_s() + pause_s, lambda: self._look(number, before_s)
        )

    def _strike_in(self, pause_s: float) -> None:
        self._session.call_at(self._session.now_s() + pause_s, self.strike)

    def _end(self) -> None:
        self._is_moving = False
        self._watch_rest(self._moving_axis)
        if not self.is_armed or self.has_struck or self._left >= 0:
            return
        if self.phase == fault_kinds.CORRECTION:
            self._strike_in(self._rng.uniform(0.0, 0.2))
        elif self.phase == fault_kinds.BETWEEN:
            self._strike_in(self._rng.uniform(0.25, 1.2))

    def _watch_rest(self, axis: str) -> None:
        """Nothing may go on in the direction of travel while the toolhead rests."""
        signs = self._printer.travel_signs(axis)
        for name in signs:
            self._session.control("pulses %s reset" % (name,))
        self._session.call_at(
            self._session.now_s() + REST_S, lambda: self._check_rest(signs)
        )

    def _check_rest(self, signs: Dict[str, int]) -> None:
        for name, sign in signs.items():
            up, down = (int(word) for word in self._session.control("pulses %s" % (name,)).split())
            wrong = up if sign > 0 else down
            if wrong:
                self.wrong_step_count += wrong
                self.wrong_steps.append("%s: %d steps" % (name, wrong))
                self._say("WRONG: %s made %d steps in the direction of travel" % (name, wrong))
