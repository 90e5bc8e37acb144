# Reads configuration files as Klipper does, with errors that name file, section and option
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import configparser
import glob
import math
import os
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Set, Tuple, TypeVar

Value = TypeVar("Value")

# The lines that Klipper's SAVE_CONFIG puts between what the user wrote and what it saved
_SAVE_CONFIG_HEADER = """
#*# <---------------------- SAVE_CONFIG ---------------------->
#*# DO NOT EDIT THIS BLOCK OR BELOW. The contents are auto-generated.
#*#
"""
_SAVE_CONFIG_PREFIX = "#*#"


class MachineError(Exception):
    """A file does not describe a machine that can be simulated; the message is one line"""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(part.strip() for part in message.splitlines()))


class Section:
    """One section's options, checked as they are read"""

    def __init__(self, name: str, fallback_file: str) -> None:
        self.name = name
        # option: (value, file it stands in)
        self.options: Dict[str, Tuple[str, str]] = {}
        self._fallback_file = fallback_file
        self._used: Set[str] = set()

    def error(self, option: str, problem: str) -> MachineError:
        """Return an error about an option, to be raised"""
        file = self.options.get(option, ("", self._fallback_file))[1]
        return MachineError(f"{file}: option '{option}' in section [{self.name}] {problem}")

    def has(self, option: str) -> bool:
        """Whether the option is given"""
        return option in self.options

    def get(self, option: str, default: Optional[str] = None) -> str:
        """Return an option's text; without a default it must be given"""
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
        """Return a finite number, above or at least the given limits"""
        value = self._parse(option, default, float, "is not a number")
        if not math.isfinite(value):
            raise self.error(option, "is not a finite number")
        if above is not None and value <= above:
            raise self.error(option, f"must be above {above:g}")
        if minimum is not None and value < minimum:
            raise self.error(option, f"must be at least {minimum:g}")
        return value

    def get_int(self, option: str, default: Optional[int] = None, minimum: int = 0) -> int:
        """Return a whole number, at least the minimum"""
        value = self._parse(option, default, int, "is not a whole number")
        if value < minimum:
            raise self.error(option, f"must be at least {minimum}")
        return value

    def get_boolean(self, option: str, default: bool) -> bool:
        """Return a boolean in any of the spellings that Klipper takes"""
        return self._parse(option, default, _boolean, "is not a boolean")

    def get_rows(self, option: str, separators: Sequence[str] = ("\n", ",")) -> List[List[float]]:
        """Return rows of numbers, by default one row on each line and commas between numbers"""

        def parse(text: str) -> List[List[float]]:
            rows = [row for row in text.split(separators[0]) if row.strip()]
            return [[float(number) for number in row.split(separators[1])] for row in rows]

        rows = self._parse(option, None, parse, "is not a list of numbers")
        if not all(math.isfinite(number) for row in rows for number in row):
            raise self.error(option, "is not a list of finite numbers")
        return rows

    def check_all_used(self) -> None:
        """Refuse options that nobody has read, as they are most likely misspelled"""
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


class ConfigFile:
    """A configuration file with the files it includes and what SAVE_CONFIG has added to it"""

    def __init__(self, path: Path, text: Optional[str] = None) -> None:
        self.path = path
        self.sections: Dict[str, Section] = {}
        # Text of each file it includes, by path
        self.included: Dict[str, str] = {}
        self.text = text = _read(str(path)) if text is None else text
        regular, _, saved = text.partition(_SAVE_CONFIG_HEADER)
        saved_lines = saved.strip().split("\n")
        if all(line.startswith(_SAVE_CONFIG_PREFIX) for line in saved_lines):
            self._add_file(str(path), regular, [])
            # Values written by hand win over saved ones
            self._add_piece(str(path), [line[4:] for line in saved_lines], override=False)
        else:
            # Nothing was saved, or its block was changed by hand: Klipper ignores it then
            self._add_file(str(path), text, [])

    def section(self, name: str) -> Section:
        """Return a section; an absent one is empty, so that options fall back to their defaults"""
        return self.sections.get(name) or Section(name, str(self.path))

    def required_section(self, name: str) -> Section:
        """Return a section that must be there"""
        if name not in self.sections:
            raise MachineError(f"{self.path}: section [{name}] is missing")
        return self.sections[name]

    def _add_file(self, path: str, text: str, including: List[str]) -> None:
        """Add a file's sections; text between two includes is one piece to parse, as in Klipper"""
        absolute = os.path.abspath(path)
        if absolute in including:
            raise MachineError(f"{path}: includes itself")
        piece: List[str] = []
        for line in text.split("\n"):
            line = line.split("#", 1)[0]
            header = configparser.RawConfigParser.SECTCRE.match(line)
            if header and header.group("header").startswith("include "):
                self._add_piece(path, piece)
                piece = []
                self._include(path, header.group("header")[8:].strip(), [*including, absolute])
            else:
                piece.append(line)
        self._add_piece(path, piece)

    def _include(self, path: str, pattern: str, including: List[str]) -> None:
        full_pattern = os.path.join(os.path.dirname(path), pattern)
        found = sorted(glob.glob(full_pattern))
        if not found and not glob.has_magic(full_pattern):
            raise MachineError(f"{path}: included file '{pattern}' does not exist")
        for included in found:
            self.included[included] = _read(included)
            self._add_file(included, self.included[included], including)

    def _add_piece(self, path: str, lines: List[str], override: bool = True) -> None:
        parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(";", "#"))
        try:
            parser.read_string("\n".join(lines), path)
        except configparser.Error as error:
            raise MachineError(f"{path}: {error}") from None
        for name in parser.sections():
            section = self.sections.setdefault(name, Section(name, path))
            for option, value in parser.items(name):
                if override or option not in section.options:
                    section.options[option] = (value, path)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise MachineError(f"{path}: cannot be read ({reason})") from None


def _boolean(text: str) -> bool:
    return configparser.RawConfigParser.BOOLEAN_STATES[text.lower()]
