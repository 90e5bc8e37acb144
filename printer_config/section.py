# One section's options, checked as they are read, with errors that name file and section
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import configparser
import math
from typing import Callable, Dict, List, Optional, Sequence, Set, Tuple, TypeVar

Value = TypeVar("Value")


class ConfigError(Exception):
    """A file does not describe a printer that is understood; the message is one line."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(part.strip() for part in message.splitlines()))


class Section:
    """One section's options, checked as they are read."""

    def __init__(self, name: str, fallback_file: str) -> None:
        self.name = name
        # option: (value, file it stands in)
        self.options: Dict[str, Tuple[str, str]] = {}
        self._fallback_file = fallback_file
        self._used: Set[str] = set()

    def error(self, option: str, problem: str) -> ConfigError:
        """Return an error about an option, to be raised."""
        file = self.options.get(option, ("", self._fallback_file))[1]
        return ConfigError(f"{file}: option '{option}' in section [{self.name}] {problem}")

    def has(self, option: str) -> bool:
        """Whether the option is given."""
        return option in self.options

    def get(self, option: str, default: Optional[str] = None) -> str:
        """Return an option's text; without a default it must be given."""
        self._used.add(option)
        if option in self.options:
            return self.options[option][0]
        if default is None:
            raise self.error(option, "must be specified")
        return default

    def get_float(
        self,
        option: str,
        default: Optional[float] = None,
        above: Optional[float] = None,
        minimum: Optional[float] = None,
    ) -> float:
        """Return a finite number, above or at least the given limits."""
        value = self._parse(option, default, float, "is not a number")
        if not math.isfinite(value):
            raise self.error(option, "is not a finite number")
        if above is not None and value <= above:
            raise self.error(option, f"must be above {above:g}")
        if minimum is not None and value < minimum:
            raise self.error(option, f"must be at least {minimum:g}")
        return value

    def get_int(self, option: str, default: Optional[int] = None, minimum: int = 0) -> int:
        """Return a whole number, at least the minimum."""
        value = self._parse(option, default, _whole, "is not a whole number")
        if value < minimum:
            raise self.error(option, f"must be at least {minimum}")
        return value

    def get_boolean(self, option: str, default: bool) -> bool:
        """Return a boolean in any of the spellings that Klipper takes."""
        return self._parse(option, default, _boolean, "is not a boolean")

    def get_rows(self, option: str, separators: Sequence[str] = ("\n", ",")) -> List[List[float]]:
        """Return rows of numbers, by default one row on each line and commas between numbers."""

        def parse(text: str) -> List[List[float]]:
            rows = [row for row in text.split(separators[0]) if row.strip()]
            return [[float(number) for number in row.split(separators[1])] for row in rows]

        rows = self._parse(option, None, parse, "is not a list of numbers")
        if not all(math.isfinite(number) for row in rows for number in row):
            raise self.error(option, "is not a list of finite numbers")
        return rows

    def check_all_used(self) -> None:
        """Refuse options that nobody has read, as they are most likely misspelled."""
        for option in self.options:
            if option not in self._used:
                raise self.error(option, "is not known")

    def _parse(
        self, option: str, default: Optional[Value], parser: Callable[[str], Value], problem: str
    ) -> Value:
        if default is not None and option not in self.options:
            self._used.add(option)
            return default
        text = self.get(option)
        try:
            return parser(text)
        except (ValueError, KeyError, OverflowError):
            raise self.error(option, f"{problem}: '{text}'") from None


def _whole(text: str) -> int:
    value = int(text)
    # Raises OverflowError for what is no count of anything
    float(value)
    return value


def _boolean(text: str) -> bool:
    return configparser.RawConfigParser.BOOLEAN_STATES[text.lower()]
