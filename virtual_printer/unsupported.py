# What a printer.cfg asks of firmware that the virtual one does not have
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import configparser
import re
from dataclasses import dataclass
from typing import Collection, FrozenSet, Iterator, List, Sequence, Tuple

from printer_config.config import Config
from printer_config.pins import MAIN_MCU
from printer_config.section import Section
from virtual_printer.firmware.dictionary import command_names
from virtual_printer.firmware.host_messages import HostMessages

# What Klippy says of a command that an MCU lacks, or has in another form
_LACKING = re.compile(
    r"(?:mcu '(?P<mcu>[^']*)': )?(?:Unknown command: |Command format mismatch: )(?P<command>\w+)"
)


@dataclass(frozen=True)
class Unsupported:
    """A section that needs a command which is not there, if `option` is given for its value."""

    section: str
    option: str
    value: str
    command: str

    @property
    def is_of_mcu(self) -> bool:
        """Whether the host itself needs it, so that no section can be left out instead."""
        return self.section.split()[0] == MAIN_MCU

    def __str__(self) -> str:
        where = f"section [{self.section}]"
        if self.is_of_mcu:
            return f"{where}: the host needs {self.command}, which the virtual firmware has not"
        if self.option:
            where = f"option '{self.option}' in {where}: '{self.value}'"
        return f"{where} is not simulated: the virtual firmware has no {self.command}"


def find(printer: Config, host: HostMessages) -> List[Unsupported]:
    """Return everything of a printer.cfg that a host's extras need a missing command for."""
    known = command_names()
    return [
        Unsupported(section.name, option, value if option else "", command)
        for section in printer.sections.values()
        for option, value in _named(section)
        for command in host.needed_by(value.lower())
        if command not in known and not _may_be_optional(command, known)
    ]


def _may_be_optional(command: str, known: Collection[str]) -> bool:
    """Whether an extra may do without a command, as others of the same kind are there.

    Some firmware has all of them, and extras find out by its constants.  What sets an object up
    is never optional.
    """
    kind = f"{command.split('_')[0]}_"
    return kind != "config_" and any(one.startswith(kind) for one in known)


def _named(section: Section) -> Iterator[Tuple[str, str]]:
    """Yield what may name a module: a section, and an option as lcd_type does."""
    yield "", section.name.split()[0]
    for option, (value, _) in section.options.items():
        yield option, value.strip()


def lacking(printer: Config, host: HostMessages, message: str) -> List[Unsupported]:
    """Return what a message of Klippy's means that complains of a command; empty if none does.

    If no section asks for it the host itself does, of all MCUs.
    """
    found = _LACKING.search(message)
    if not found:
        return []
    command = found.group("command")
    for users in host.users_of(command):
        asking = _naming(printer, users, command)
        if asking:
            return asking
    mcu = found.group("mcu") or MAIN_MCU
    section = MAIN_MCU if mcu == MAIN_MCU else f"{MAIN_MCU} {mcu}"
    return [Unsupported(section, "", "", command)]


def _naming(printer: Config, modules: FrozenSet[str], command: str) -> List[Unsupported]:
    """Return the sections and options that name one of the modules, which need a command."""
    return [
        Unsupported(section.name, option, value if option else "", command)
        for section in printer.sections.values()
        for option, value in _named(section)
        if value.lower() in modules
    ]


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
