# The sections of a printer's configuration, wherever that was read
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import configparser
from typing import Dict, Sequence

from printer_config.section import ConfigError, Section


class Config:
    """Sections by name; `source` is what errors name where no file does."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.sections: Dict[str, Section] = {}

    def section(self, name: str) -> Section:
        """Return a section; an absent one is empty, so that options fall back to their defaults."""
        return self.sections.get(name) or Section(name, self.source)

    def required_section(self, name: str) -> Section:
        """Return a section that must be there."""
        if name not in self.sections:
            raise ConfigError(f"{self.source}: section [{name}] is missing")
        return self.sections[name]

    def add(self, lines: Sequence[str], file: str, override: bool = True) -> None:
        """Add the sections of some lines; options that are there already may be kept."""
        parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(";", "#"))
        try:
            parser.read_string("\n".join(lines), file)
        except configparser.Error as error:
            raise ConfigError(f"{file}: {error}") from None
        for name in parser.sections():
            section = self.sections.setdefault(name, Section(name, file))
            for option, value in parser.items(name):
                if override or option not in section.options:
                    section.options[option] = (value, file)
