# An owner who answers from the truth, and whose hands are requests to the virtual printer
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
import re
from typing import Callable, Dict, Optional

from printer_config import kinematics, pins, probes
from printer_config.config import Config
from scripts.developer.first_hour.printers import Rehearsal
from scripts.developer.moonraker import Pace
from scripts.owner.first_hour.console import NO, YES, Question
from scripts.owner.first_hour.printer import RESYNC
from virtual_printer import process
from virtual_printer.session import Session

# How far a motor has to turn to be seen (mm), and how well a ruler is read (mm)
_SEEN_MM = 0.2
_RULER_MM = 0.3
# A hand triggers when the axis has come down so far from where it began (mm), and lets go again
_FIRST_MM, _SECOND_MM = 3.0, 1.0
_HOLD_S = 0.3
# How often an owner looks who is asked to, how often one who is not, and how often both do while
# nothing moves, as the command may be over
_ATTENTIVE, _IDLE, _AT_REST = Pace(0.05, 0.001), Pace(0.2, 0.001), Pace(0.03, 0.003)
# Longer than idle_timeout, after which an hour is no different (s)
_AWAY_S = 660.0
# What an eye takes for the same instant
_TOGETHER_S = 0.15


class Owner:
    """Answers the questions of a trial; tick() is to be called while time passes."""

    def __init__(self, session: Session, printer: Rehearsal, seed: int) -> None:
        self._session = session
        self._printer = printer
        self._rng = random.Random(seed)
        self._truth = Config("truth")
        self._truth.add(printer.true_cfg.splitlines(), "truth")
        self._printer_cfg = printer.printer_cfg
        self._watching: Optional[Callable[[], None]] = None
        self._from_mm: Dict[str, float] = {}
        self._moved_mm: Dict[str, float] = {}
        self._last_mm: Dict[str, float] = {}
        self._stopped_s: Dict[str, float] = {}
        self._hand: Optional[_Hand] = None
        self._is_moving = False
        self.away_s = 0.0
        self.has_lost_power = False
        self._steppers = ""

    @property
    def pace(self) -> Pace:
        """How much time may pass from one look to the next."""
        if not self._is_moving:
            return _AT_REST
        is_busy = self._watching is not None or self._hand is not None
        return _ATTENTIVE if is_busy else _IDLE

    def tick(self) -> None:
        """Look at what moves."""
        steppers = self._session.control("steppers")
        self._is_moving, self._steppers = steppers != self._steppers, steppers
        if self._watching is not None:
            self._watching()
        if self._hand is not None:
            self._hand.tick()

    def read(self, question: Question) -> str:
        """The answer to a question; raises EOFError when the power goes."""
        if question.key == self._printer.cut_at and not self.has_lost_power:
            self.has_lost_power = True
            raise EOFError
        if question.key == self._printer.leaves_at and not self.away_s:
            self.away_s = _AWAY_S
            self._session.sleep(_AWAY_S)
        answer = getattr(self, "_answer_" + question.key, None)
        return str(answer(question)) if answer else ""

    # Eyes

    def _positions_mm(self) -> Dict[str, float]:
        return {n: t.position_mm for n, t in self._session.stepper_truth().items()}

    def _answer_buzz(self, question: Question) -> str:
        self._from_mm = self._positions_mm()
        self._moved_mm = {}
        self._watching = self._watch_motors
        return ""

    def _watch_motors(self) -> None:
        for name, position_mm in self._positions_mm().items():
            way_mm = position_mm - self._from_mm[name]
            if abs(way_mm) > _SEEN_MM:
                # Which way it went first stays
                self._moved_mm.setdefault(name, way_mm)

    def _answer_moved(self, question: Question) -> str:
        self._watching = None
        choices = {text.split()[0]: answer for answer, text in question.choices}
        moved = list(self._moved_mm)
        return choices["none"] if not moved else choices[moved[0]] if len(moved) == 1 else "m"

    def _answer_direction(self, question: Question) -> str:
        (way_mm,) = self._moved_mm.values()
        (name,) = self._moved_mm
        motors = {motor.name: motor for motor in kinematics.load(self._truth).motors}
        by = next(iter(motors[name].moves.values()))
        words = ("apart", "higher") if way_mm * by > 0.0 else ("together", "lower")
        return next(a for a, text in question.choices if any(word in text for word in words))

    def _answer_cable(self, question: Question) -> str:
        board = pins.split(self._truth.section(question.about).get("step_pin")).chip
        return next(a for a, text in question.choices if text.split()[-1] == board)

    def _answer_measure(self, question: Question) -> str:
        self._hand = None
        self._from_mm = self._positions_mm()
        return ""

    def _answer_distance(self, question: Question) -> str:
        now_mm = self._positions_mm()
        names = question.about.split()
        ways_mm = [abs(now_mm[n] - self._from_mm[n]) for n in names]
        return " ".join("%.1f" % (mm + self._rng.uniform(-_RULER_MM, _RULER_MM),) for mm in ways_mm)

    def _watch_stops(self) -> None:
        now_s, now_mm = self._session.now_s(), self._positions_mm()
        for name, position_mm in now_mm.items():
            if position_mm != self._last_mm.get(name, position_mm):
                self._stopped_s[name] = now_s
        self._last_mm = now_mm

    def _answer_together(self, question: Question) -> str:
        self._watching = None
        mine = [t for n, t in self._stopped_s.items() if n.startswith("stepper_" + question.about)]
        is_so = max(mine) - min(mine) <= _TOGETHER_S
        return YES if is_so else NO

    # Hands

    def _pin(self, name: str) -> str:
        """The pin that a switch is truly wired to."""
        if name == "probe":
            section = probes.sections(self._truth)[0]
            return section.get(probes.pin_option(section))
        axis = re.sub("^endstop of ", "", name)
        return self._truth.section("stepper_%s" % (axis,)).get("endstop_pin")

    def _hold(self, name: str, is_triggered: Optional[bool]) -> None:
        if self._printer.stuck is None or self._printer.stuck[0] != name:
            self._session.hold_endstop(self._pin(name), is_triggered)

    def hold_stuck(self) -> None:
        """Have the pin stuck that is."""
        if self._printer.stuck is not None:
            name, reads = self._printer.stuck
            self._session.hold_endstop(self._pin(name), reads)

    def _answer_release(self, question: Question) -> str:
        self._hold(question.about, None)
        return ""

    def _answer_press(self, question: Question) -> str:
        self._hold(question.about, True)
        return ""

    def _answer_mid_air(self, question: Question) -> str:
        self._last_mm, self._stopped_s = {}, {}
        self._watching = self._watch_stops
        axis = question.about
        switch = "endstop of " + axis
        if axis == "z" and "virtual" in self._truth.section("stepper_z").get("endstop_pin"):
            switch = "probe"
        self._hand = _Hand(self._session, axis, lambda is_held: self._hold(switch, is_held or None))
        return ""

    def _answer_again(self, question: Question) -> str:
        return YES

    def _answer_late_link(self, question: Question) -> str:
        return YES

    def _answer_saved(self, question: Question) -> str:
        self._hand = None
        option = "correct: False\n"
        text = self._printer_cfg.replace(option, "")
        if question.about == "False":
            header = "[%s]\n" % (RESYNC,)
            text = text.replace(header, header + option)
        self._printer_cfg = text
        self._session.write(str(process.CONFIG), text)
        return ""

    def _answer_home(self, question: Question) -> str:
        self._hand = None
        return ""


class _Hand:
    """Triggers once the axis has begun to go to its endstop, and again when it comes back."""

    def __init__(self, session: Session, axis: str, hold: Callable[[bool], None]) -> None:
        self._session = session
        self._axis = axis
        self._hold = hold
        self._furthest_mm: Optional[float] = None
        self._way_mm = _FIRST_MM
        self._let_go_s: Optional[float] = None

    def tick(self) -> None:
        """Look where the axis is, and do what is due."""
        if self._let_go_s is not None:
            if self._session.now_s() >= self._let_go_s:
                self._hold(False)
                self._let_go_s, self._furthest_mm = None, None
                self._way_mm = _SECOND_MM
            return
        x_mm, y_mm, height_mm = self._session.carriage_truth()
        # Z homes downwards, the sample's X and Y to their far ends
        place_mm = {"x": -x_mm, "y": -y_mm, "z": height_mm}[self._axis]
        if self._furthest_mm is None or place_mm > self._furthest_mm:
            self._furthest_mm = place_mm
        if place_mm < self._furthest_mm - self._way_mm:
            self._hold(True)
            self._let_go_s = self._session.now_s() + _HOLD_S
