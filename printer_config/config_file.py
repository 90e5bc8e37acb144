# Reads a configuration file as Klipper does, with what it includes and what SAVE_CONFIG added
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import configparser
import glob
import os
from pathlib import Path
from typing import Dict, List, Optional

from printer_config.config import Config
from printer_config.section import ConfigError

# The lines that Klipper's SAVE_CONFIG puts between what the user wrote and what it saved
_SAVE_CONFIG_HEADER = """
#*# <---------------------- SAVE_CONFIG ---------------------->
#*# DO NOT EDIT THIS BLOCK OR BELOW. The contents are auto-generated.
#*#
"""
_SAVE_CONFIG_PREFIX = "#*#"


class ConfigFile(Config):
    """A configuration file with the files it includes and what SAVE_CONFIG has added to it."""

    def __init__(self, path: Path, text: Optional[str] = None) -> None:
        super().__init__(str(path))
        self.path = path
        # Text of each file it includes, by path
        self.included: Dict[str, str] = {}
        self.text = text = _read(str(path)) if text is None else text
        regular, _, saved = text.partition(_SAVE_CONFIG_HEADER)
        saved_lines = saved.strip().split("\n")
        if all(line.startswith(_SAVE_CONFIG_PREFIX) for line in saved_lines):
            self._add_file(str(path), regular, [])
            # Values written by hand win over saved ones
            self.add([line[4:] for line in saved_lines], str(path), override=False)
        else:
            # Nothing was saved, or its block was changed by hand: Klipper ignores it then
            self._add_file(str(path), text, [])

    def _add_file(self, path: str, text: str, including: List[str]) -> None:
        """Add a file's sections; text between two includes is one piece to parse, as in Klipper."""
        absolute = os.path.abspath(path)
        if absolute in including:
            raise ConfigError(f"{path}: includes itself")
        piece: List[str] = []
        for line in text.split("\n"):
            line = line.split("#", 1)[0]
            header = configparser.RawConfigParser.SECTCRE.match(line)
            if header and header.group("header").startswith("include "):
                self.add(piece, path)
                piece = []
                self._include(path, header.group("header")[8:].strip(), [*including, absolute])
            else:
                piece.append(line)
        self.add(piece, path)

    def _include(self, path: str, pattern: str, including: List[str]) -> None:
        full_pattern = os.path.join(os.path.dirname(path), pattern)
        found = sorted(glob.glob(full_pattern))
        if not found and not glob.has_magic(full_pattern):
            raise ConfigError(f"{path}: included file '{pattern}' does not exist")
        for included in found:
            self.included[included] = _read(included)
            self._add_file(included, self.included[included], including)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise ConfigError(f"{path}: cannot be read ({reason})") from None
