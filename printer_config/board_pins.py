# Names that [board_pins] gives to pins
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from collections import defaultdict
from typing import Dict

from printer_config.config import Config
from printer_config.pins import MAIN_MCU
from printer_config.section import Section


class PinAliases:
    """The names of pins, for each MCU."""

    def __init__(self, printer: Config) -> None:
        self._pins: Dict[str, Dict[str, str]] = defaultdict(dict)
        for name, section in printer.sections.items():
            if name.split()[0] == "board_pins":
                self._add(section)

    def _add(self, section: Section) -> None:
        names = section.get("mcu", MAIN_MCU).split(",")
        for option in section.options:
            if not option.startswith("aliases"):
                continue
            for pair in section.get(option).replace("\n", ",").split(","):
                alias, equals, pin = (part.strip() for part in pair.partition("="))
                # What stands between <> cannot be used
                if equals and not pin.startswith("<"):
                    for name in names:
                        self._pins[name.strip()][alias] = pin

    def resolve(self, mcu: str, name: str) -> str:
        """Return what an MCU itself calls a pin."""
        seen = set()
        while name in self._pins[mcu] and name not in seen:
            seen.add(name)
            name = self._pins[mcu][name]
        return name
