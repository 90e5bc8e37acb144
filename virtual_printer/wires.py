# The pins to which [multi_mcu_resync] says that the signal of an endstop goes too
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
from dataclasses import replace
from typing import Iterator, List, Optional, Sequence

from printer_config import kinematics, probes
from printer_config.config import Config
from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.model import Endstop, Pin, WiredEndstop
from virtual_printer.pins import parse_pin, parse_pin_text

_PREFIX = "endstop_pins_"


def wired_endstops(
    printer: Config, probe: Optional[Section], boards: Boards, endstops: Sequence[Endstop]
) -> List[WiredEndstop]:
    """Return them; a pin that has an endstop already is none of them."""
    section = printer.section("multi_mcu_resync")
    wires = list(_one_signal(printer, boards))
    for option in section.options:
        source = _source(printer, probe, boards, option)
        if source is None:
            continue
        for text in filter(str.strip, section.get(option).split(",")):
            pin = parse_pin_text(section, option, text, boards)
            taken = {(one.pin.mcu, one.pin.name) for one in (*endstops, *wires)}
            if (pin.mcu, pin.name) not in taken:
                wires.append(WiredEndstop(replace(pin, invert=source.invert), source))
    return wires


def _one_signal(printer: Config, boards: Boards) -> Iterator[WiredEndstop]:
    """Yield the switches of further steppers that carry the signal of their axis's first one."""
    for axis in kinematics.one_signal_axes(printer):
        first = printer.section(f"stepper_{axis}")
        for name, member in printer.sections.items():
            if not re.fullmatch(rf"stepper_{axis}\d+", name):
                continue
            if any("virtual_endstop" in one.get("endstop_pin", "") for one in (first, member)):
                # Klippy refuses that
                continue
            if first.has("endstop_pin") and member.has("endstop_pin"):
                source = parse_pin(first, "endstop_pin", boards)
                yield WiredEndstop(parse_pin(member, "endstop_pin", boards), source)


def _source(
    printer: Config, probe: Optional[Section], boards: Boards, option: str
) -> Optional[Pin]:
    """Return the pin whose signal an option of [multi_mcu_resync] wires to others."""
    if option == "probe_pins" and probe is not None:
        owner, pin_option = probe, probes.pin_option(probe)
    elif option.startswith(_PREFIX):
        owner, pin_option = printer.section(f"stepper_{option[len(_PREFIX) :]}"), "endstop_pin"
    else:
        return None
    if not owner.has(pin_option) or "virtual_endstop" in owner.get(pin_option):
        # Klippy refuses that
        return None
    return parse_pin(owner, pin_option, boards)
