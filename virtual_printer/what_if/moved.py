# printer.cfg with some steppers on boards of their own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Moves steppers to boards that printer.cfg does not have, in memory.

A board is one with an STM32G0B1 and two drivers, as one buys them for toolheads and Z motors. The
stepper's driver goes along, its endstop stays where it is wired to.
"""

import configparser
import re
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Tuple

from printer_config.config_file import ConfigFile
from printer_config.section import ConfigError, Section
from virtual_printer.drivers import MODELS

RESYNC = "multi_mcu_resync"
CAN_INTERFACE = "can_what_if"
# Of one stepper each: step, dir, enable, UART or select, diag
_SLOTS = (("PA0", "PA1", "PA2", "PA3", "PA4"), ("PC0", "PC1", "PC2", "PC3", "PC4"))
_SPI = {
    "spi_software_sclk_pin": "PB13",
    "spi_software_miso_pin": "PB14",
    "spi_software_mosi_pin": "PB15",
}
_SAVE_CONFIG = "#*# <---------------------- SAVE_CONFIG"
_PLACE = re.compile(r"(\w+)=(\w+)")

# Options to set by section, None to take one out
Changes = Dict[str, Dict[str, Optional[str]]]


@dataclass(frozen=True)
class Moved:
    """What is changed of a printer: options of printer.cfg, and more of the machine file."""

    changes: Changes
    machine_cfg: str
    # The boards, and what is on each
    boards: Mapping[str, Tuple[str, ...]]


def parse_places(text: str) -> Dict[str, str]:
    """Return the board of each stepper that "z1=board2,z3=board3" names."""
    places: Dict[str, str] = {}
    for part in text.split(","):
        found = _PLACE.fullmatch(part.strip())
        if not found:
            raise ConfigError(f"--what-if: '{part.strip()}' is not STEPPER=BOARD, as in z1=board2")
        name = found[1] if found[1].startswith("stepper_") else f"stepper_{found[1]}"
        if name in places:
            raise ConfigError(f"--what-if: {name} is named twice")
        places[name] = found[2]
    return places


def parse_bit_rate(text: str) -> int:
    """Return the bits per second that "1M" or "250k" means."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kM]?)", text)
    rate = float(found[1]) * {"": 1, "k": 1e3, "M": 1e6}[found[2]] if found else 0.0
    if not 10e3 <= rate <= 1e6:
        raise ConfigError(f"--can: '{text}' is not a bit rate between 10k and 1M")
    return int(rate)


def move(config: ConfigFile, places: Mapping[str, str], bit_rate: Optional[int] = None) -> Moved:
    """Return what is changed when steppers go to new boards; raises ConfigError.

    With a bit rate the boards are on a CAN bus of their own, otherwise each has a USB port.
    """
    boards: Dict[str, List[str]] = {}
    changes: Changes = {}
    for name, board in places.items():
        if name not in config.sections:
            raise ConfigError(f"{config.path}: section [{name}] is missing, so it cannot be moved")
        if f"mcu {board}" in config.sections or board == "mcu":
            raise ConfigError(f"{config.path}: [mcu {board}] is there already: name another board")
        on_board = boards.setdefault(board, [])
        if len(on_board) == len(_SLOTS):
            raise ConfigError(f"--what-if: {board} has drivers for {len(_SLOTS)} steppers only")
        on_board.append(name)
        _move_stepper(config, name, board, _SLOTS[len(on_board) - 1], changes)
    for number, board in enumerate(boards):
        changes[f"mcu {board}"] = _mcu(board, number, bit_rate)
    if RESYNC not in config.sections:
        changes[RESYNC] = {}
    machine_cfg = "".join(f"[mcu {board}]\nchip: stm32g0b1\n" for board in boards)
    if bit_rate:
        machine_cfg += f"[can_bus {CAN_INTERFACE}]\nbit_rate: {bit_rate}\n"
    return Moved(changes, machine_cfg, {board: tuple(names) for board, names in boards.items()})


def _mcu(board: str, number: int, bit_rate: Optional[int]) -> Dict[str, Optional[str]]:
    if bit_rate:
        return {"canbus_uuid": f"{0xA0000000 + number:012x}", "canbus_interface": CAN_INTERFACE}
    return {"serial": f"/dev/serial/by-id/what-if-{board}", "restart_method": "command"}


def _move_stepper(
    config: ConfigFile, name: str, board: str, slot: Tuple[str, ...], changes: Changes
) -> None:
    step, direction, enable, select, diag = slot
    section = config.sections[name]
    options = {"step_pin": step, "dir_pin": direction, "enable_pin": enable}
    changes[name] = {o: _moved_pin(section, o, board, p) for o, p in options.items()}
    for model in MODELS:
        driver = config.sections.get(f"{model} {name}")
        if driver is not None:
            changes[driver.name] = _moved_driver(driver, board, select, diag)


def _moved_driver(driver: Section, board: str, select: str, diag: str) -> Dict[str, Optional[str]]:
    moved: Dict[str, Optional[str]] = {}
    for option in driver.options:
        if option in ("uart_pin", "cs_pin"):
            moved[option] = f"{board}:{select}"
        elif option in ("diag_pin", "diag0_pin", "diag1_pin"):
            moved[option] = _moved_pin(driver, option, board, diag)
        elif option.startswith("spi_software_") or option in ("spi_bus", "tx_pin", "select_pins"):
            moved[option] = None
    if driver.has("cs_pin"):
        moved.update({option: f"{board}:{pin}" for option, pin in _SPI.items()})
    return moved


def _moved_pin(section: Section, option: str, board: str, pin: str) -> Optional[str]:
    """Return a pin of a board that is as the old one is: inverted, pulled up."""
    if not section.has(option):
        return None
    flags = re.match(r"[\^~]?\s*!?", section.get(option).strip())
    return f"{flags[0] if flags else ''}{board}:{pin}"


def changed_text(text: str, changes: Changes, is_last: bool) -> str:
    """Return the text of a file of printer.cfg with changed options.

    Those are taken out where they stand and added at the end of the last file, before what
    SAVE_CONFIG has saved.
    """
    written, mark, saved = text.partition(_SAVE_CONFIG)
    lines, section, is_taken_out = [], "", False
    for line in written.split("\n"):
        header = configparser.RawConfigParser.SECTCRE.match(line)
        option = re.match(r"([A-Za-z_]\w*)\s*[:=]", line)
        if header:
            section, is_taken_out = header.group("header"), False
        elif option:
            is_taken_out = option[1].lower() in changes.get(section, {})
        lines.append(f"# {line}" if is_taken_out and line.strip() else line)
    added = []
    for name, options in changes.items() if is_last else ():
        added += ["", f"[{name}]", *(f"{o}: {v}" for o, v in options.items() if v is not None)]
    return "\n".join([*lines, *added, mark + saved])
