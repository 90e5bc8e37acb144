# The CAN buses of a machine and who is on them, from printer.cfg and the machine file
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
from typing import Callable, Dict, Optional, Tuple

from printer_config import mcus
from printer_config.config import Config
from printer_config.section import Section
from virtual_printer.model import CanBus, CanNode

# Draws a number for a purpose between two limits
Draw = Callable[[str, float, float], float]

_FASTEST_BIT_RATE = 1_000_000
_FASTEST_DATA_RATE = 8_000_000
_LARGEST_ID = 0x7FF


class CanBuses:
    """Collects the buses that MCUs name, each with its truth."""

    def __init__(self, truth: Config, draw: Draw) -> None:
        self._truth = truth
        self._draw = draw
        self._buses: Dict[str, CanBus] = {}
        self._owners: Dict[str, str] = {}

    def all(self) -> Tuple[CanBus, ...]:
        """Return the buses that have been named so far."""
        return tuple(self._buses.values())

    @property
    def sections(self) -> Tuple[str, ...]:
        """Return the names of their sections in the machine file."""
        return tuple(_section_name(name) for name in self._buses)

    def node(self, mcu: str, section: Section) -> Optional[CanNode]:
        """Return an MCU's place on a bus, or None if it is on none."""
        bus = mcus.can_interface(section)
        if bus is None:
            return None
        text = section.get("canbus_uuid").strip()
        if not re.fullmatch(r"[0-9a-fA-F]{1,12}", text):
            raise section.error("canbus_uuid", f"is not a number of 12 hex digits: '{text}'")
        uuid = f"{int(text, 16):012x}"
        if uuid in self._owners:
            other = self._owners[uuid]
            raise section.error("canbus_uuid", f"is that of MCU '{other}' too: '{text}'")
        self._owners[uuid] = mcu
        # The length that Linux has room for in the name of an interface
        if not re.fullmatch(r"[^\s/]{1,15}", bus):
            raise section.error("canbus_interface", f"is not an interface's name: '{bus}'")
        if bus not in self._buses:
            self._buses[bus] = self._bus(bus, self._truth.section(_section_name(bus)))
        return CanNode(bus, uuid)

    def _bus(self, name: str, truth: Section) -> CanBus:
        delays_us = {
            way: self._draw(f"{name} delay_{way}", 100.0, 300.0) for way in ("to_bus", "to_host")
        }
        return CanBus(
            name=name,
            bit_rate=_limited(truth, "bit_rate", _FASTEST_BIT_RATE, _FASTEST_BIT_RATE, 10_000),
            data_rate=_limited(truth, "data_rate", 0, _FASTEST_DATA_RATE, 0),
            error_rate=_share(truth, "error_rate", 1.0),
            load=_share(truth, "load", 0.99),
            load_id=_limited(truth, "load_id", 0, _LARGEST_ID, 0),
            delay_to_bus_us=truth.get_float("delay_to_bus_us", delays_us["to_bus"], minimum=0.0),
            delay_to_host_us=truth.get_float("delay_to_host_us", delays_us["to_host"], minimum=0.0),
            jitter_us=truth.get_float("jitter_us", 50.0, minimum=0.0),
        )


def _section_name(bus: str) -> str:
    return f"can_bus {bus}"


def _limited(section: Section, option: str, default: int, maximum: int, minimum: int) -> int:
    number = section.get_int(option, default, minimum=minimum)
    if number > maximum:
        raise section.error(option, f"must be at most {maximum}")
    return number


def _share(section: Section, option: str, maximum: float) -> float:
    share = section.get_float(option, 0.0, minimum=0.0)
    if share > maximum:
        raise section.error(option, f"must be at most {maximum:g}")
    return share
