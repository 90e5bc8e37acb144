# What a printer.cfg asks of firmware that the virtual one does not have
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import configparser
from dataclasses import dataclass
from typing import Collection, Iterator, List, Sequence

from printer_config.config import Config
from printer_config.section import Section
from virtual_printer.firmware.dictionary import command_names
from virtual_printer.firmware.host_messages import HostMessages


@dataclass(frozen=True)
class Unsupported:
    """A section that needs a command which is not there, if `option` is given for its value."""

    section: str
    option: str
    value: str
    command: str

    def __str__(self) -> str:
        where = f"section [{self.section}]"
        if self.option:
            where = f"option '{self.option}' in {where}: '{self.value}'"
        return f"{where} is not simulated: the virtual firmware has no {self.command}"


def find(printer: Config, host: HostMessages) -> List[Unsupported]:
    """Return everything of a printer.cfg that a host's extras need a missing command for."""
    known = command_names()
    return [one for section in printer.sections.values() for one in _of(section, host, known)]


def _of(section: Section, host: HostMessages, known: Collection[str]) -> Iterator[Unsupported]:
    """Yield what one section lacks; an option may name a module too, as lcd_type does."""
    named = [("", section.name.split()[0])]
    named += [(option, value.strip()) for option, (value, _) in section.options.items()]
    for option, value in named:
        for command in host.set_up_by(value.lower()):
            if command not in known:
                yield Unsupported(section.name, option, value, command)


def without(text: str, left_out: Sequence[Unsupported]) -> str:
    """Return the text of a configuration file without the sections of what is left out."""
    names = {one.section for one in left_out}
    is_kept = True
    lines = []
    for line in text.split("\n"):
        header = configparser.RawConfigParser.SECTCRE.match(line)
        if header:
            is_kept = header.group("header") not in names
        # What SAVE_CONFIG has added begins like a comment
        lines.append(line if is_kept or line.startswith("#") else f"# {line}")
    return "\n".join(lines)
