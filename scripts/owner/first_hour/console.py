# Asks the owner, and says what happens
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple, TypeVar

from .errors import Paused

Answer = TypeVar("Answer")

YES, NO = "y", "n"
_STOP_WORDS = ("stop", "quit", "exit", "q")
# So many answers that fit no question, and nobody is reading
_MOST_ANSWERS = 5


class Question(NamedTuple):
    """Something that takes an eye or a hand.

    key and about say what it is about to whoever answers in the owner's place; choices has what
    each answer means, by the answer.
    """

    key: str
    about: str
    text: str
    choices: Tuple[Tuple[str, str], ...] = ()


class Console:
    """The owner; read(question) returns one line, or raises EOFError, write(line) shows one."""

    def __init__(self, read: Callable[[Question], str], write: Callable[[str], None]) -> None:
        self._read = read
        self._write = write
        self.transcript: List[str] = []

    def say(self, *lines: str) -> None:
        """Show lines."""
        for line in lines:
            self.transcript.append(line)
            self._write(line)

    def go(self, key: str, text: str, about: str = "") -> None:
        """Wait until the owner agrees."""
        self._ask(Question(key, about, text + " [Enter = go on, stop = end here]"), _is_empty)

    def choose(self, key: str, text: str, choices: Dict[str, str], about: str = "") -> str:
        """One of the choices."""
        listed = ", ".join("%s = %s" % one for one in choices.items())
        question = Question(key, about, "%s [%s]" % (text, listed), tuple(choices.items()))
        return self._ask(question, lambda answer: answer if answer in choices else None)

    def is_so(self, key: str, text: str, about: str = "") -> bool:
        """Yes or no."""
        return self.choose(key, text, {YES: "yes", NO: "no"}, about) == YES

    def numbers(self, key: str, text: str, names: List[str]) -> List[float]:
        """A number for each of these names."""

        def parse(answer: str) -> Optional[List[float]]:
            words = [word for word in re.split(r"[\s;]+", answer.replace(",", ".")) if word]
            try:
                found = [float(word) for word in words]
            except ValueError:
                return None
            is_good = len(found) == len(names) and all(abs(one) < 1e4 for one in found)
            return found if is_good else None

        question = Question(
            key, " ".join(names), "%s [%d numbers: %s]" % (text, len(names), ", ".join(names))
        )
        return self._ask(question, parse)

    def _ask(self, question: Question, parse: Callable[[str], Optional[Answer]]) -> Answer:
        self.say(question.text)
        for _ in range(_MOST_ANSWERS):
            try:
                answer = self._read(question).strip().lower()
            except (EOFError, KeyboardInterrupt):
                raise Paused("stopped by the owner") from None
            self.transcript.append("> %s" % (answer[:200],))
            if answer in _STOP_WORDS:
                raise Paused("stopped by the owner")
            found = parse(answer)
            if found is not None:
                return found
            self.say("That is no answer to this: %s" % (question.text,))
        raise Paused("%d answers fitted no question" % (_MOST_ANSWERS,))


def _is_empty(answer: str) -> Optional[str]:
    # Also what one types who has not seen that Enter is enough
    return "" if answer in ("", "y", "yes", "go", "ok") else None
