# Ask MCUs for the counts of steppers, one at a time and never while the host asks
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
from typing import Dict, Optional

from ..model.following_error import Limits
from ..model.klippy import Completion, Printer, Stepper
from .comparison import Comparer, Comparison

# An MCU answers within milliseconds, and a lost message is repeated after 25 ms
ANSWER_TIMEOUT_S = 1.0
# So often an MCU is asked whose answers are of no use
QUESTIONS = 5


class AnswerError(Exception):
    """An MCU does not say how far a stepper has come."""

    def __init__(self, text: str, stepper_name: str) -> None:
        super().__init__(text)
        self.stepper_name = stepper_name


class Questions:
    """Whoever compares counts takes turns here.

    The host asks for the same counts while it homes, and two such questions
    at once would take each other's answer, so there are none of ours then.
    """

    def __init__(self, printer: Printer, steppers: Dict[str, Stepper]) -> None:
        self._printer = printer
        self._reactor = printer.get_reactor()
        self._steppers = steppers
        self._check = Comparer(self._reactor, steppers)
        # The stepper whose count is being asked for, or nothing, and what is
        # completed once it is known
        self._asked = ""
        self._answered: Completion[object]
        # Held by who asks; others wait for their turn
        self._turn = self._reactor.mutex()
        self._is_paused = False

    def pause(self) -> None:
        """Wait for the answer that is due, and ask nothing more; raises AnswerError."""
        self._is_paused = True
        if self._asked:
            self._answered.wait(self._reactor.monotonic() + ANSWER_TIMEOUT_S)
        if self._asked:
            self._is_paused = False
            raise self.unanswered()

    def resume(self) -> None:
        """Go on asking."""
        self._is_paused = False

    def is_stopped(self) -> bool:
        """Whether a homing move or a shutdown keeps us from asking."""
        return self._is_paused or self._printer.is_shutdown()

    def unanswered(self) -> AnswerError:
        """The error for the answer that is being waited for."""
        name = self._asked
        return AnswerError(
            "no answer from the MCU of '%s': check the link to MCU '%s'"
            % (name, self._steppers[name].get_mcu().get_name()),
            name,
        )

    def ask(self, name: str, limits: Limits) -> Optional[Comparison]:
        """Compare the count of one stepper; None if we are kept from asking.

        Raises AnswerError.  Waits for ever for an MCU that the host has lost.
        """
        with self._turn:
            if self.is_stopped():
                return None
            self._asked, self._answered = name, self._reactor.completion()
            try:
                comparison = self._ask_until_conclusive(name, limits)
            except self._printer.command_error as e:
                logging.info("multi_mcu_resync: %s", e)
                raise self.unanswered() from e
            finally:
                self._asked = ""
                self._answered.complete(True)
        return comparison

    def _ask_until_conclusive(self, name: str, limits: Limits) -> Optional[Comparison]:
        found = None
        for _ in range(QUESTIONS):
            found = self._check.compare(name, limits) or found
            if self.is_stopped() or (found is not None and found.is_conclusive()):
                return found
        if found is None:
            raise self.unanswered()
        return found
