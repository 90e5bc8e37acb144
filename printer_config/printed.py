# The configuration that Klippy prints into its log, as far as a damaged log still has it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from typing import List

from printer_config.config import Config

# The lines before and after it
START = b"===== Config file ====="
END = b"======================="

# Of a damaged log; what goes on for longer is no configuration
_MOST_LINES = 20000
_LONGEST_LINE_BYTES = 250
# Klippy leaves out comments, and indents what else belongs to an option: macros, mostly. Nothing
# here needs [DEFAULT], and many sections that all have many options of it would fill the memory
_HEADER = re.compile(r"\[(?!DEFAULT\])[^];#]+\]\s*$")
_OPTION = re.compile(r"\w+\s*[=:]")


class PrintedConfig:
    """Reads the lines between START and END; a later printout replaces an earlier one."""

    def __init__(self) -> None:
        self.config = Config("klippy.log")
        self._lines: List[str] = []

    def start(self) -> None:
        """Begin a printout."""
        self._lines = []

    def add_line(self, line: bytes) -> None:
        """Take in one line of a printout."""
        if len(self._lines) >= _MOST_LINES:
            return
        text = line[:_LONGEST_LINE_BYTES].decode("utf-8", "replace")
        # Options of a section whose header is gone belong to none
        if _HEADER.match(text) or (self._lines and _OPTION.match(text)):
            self._lines.append(text)

    def end(self) -> None:
        """Take the printout as complete."""
        self.config = Config("klippy.log")
        self.config.add(self._lines, "klippy.log")
        self._lines = []
