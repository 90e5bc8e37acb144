# The Beacons of a machine: coils on micro-controllers of their own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import math
import struct
from typing import Callable, Tuple

from printer_config import mcus
from printer_config.config import Config
from printer_config.section import Section
from virtual_printer.boards import Boards
from virtual_printer.firmware import chips
from virtual_printer.heat.reader import body_name
from virtual_printer.model import Beacon

# What is drawn: the frequency far from the bed (Hz), and the place over the nozzle (mm)
_COIL_HZ = (4_700_000.0, 5_100_000.0)
_COIL_HEIGHT_MM = (2.0, 3.0)
_NOISE_HZ = 30.0
# Where the coil has its nominal frequency, and what stands for the average make of its kind
_REFERENCE_C = 25.0
_CALIBRATION = (6.08660841 - 1.0) / 3.0
_NVM_VERSION = 1
# Of the thermometer in its MCU: two temperatures (C), and what its analog input shows there
_ROOM, _HOT = (25, 2731), (85, 3309)
# What the older firmware keeps of the coil's thermistor: 47 kOhm at 25 C, behind 10 kOhm
_THERMISTOR_RATIO = 47.0 / (47.0 + 10.0)
_ADC_STEPS = 16 * 4095


class Beacons:
    """Reads them from printer.cfg and the machine file."""

    def __init__(
        self,
        printer: Config,
        truth: Config,
        boards: Boards,
        uniform: Callable[[str, float, float], float],
    ) -> None:
        self._truth = truth
        self._boards = boards
        self._uniform = uniform
        self._sections = {
            name: section
            for name, section in mcus.sections(printer).items()
            if mcus.is_beacon(section)
        }

    def all(self) -> Tuple[Beacon, ...]:
        """Return all of them."""
        return tuple(self._beacon(name, section) for name, section in self._sections.items())

    def _beacon(self, name: str, section: Section) -> Beacon:
        truth = self._truth.section(section.name)
        coil_hz = truth.get_float(
            "coil_hz", self._uniform(f"{section.name} frequency", *_COIL_HZ), minimum=1e5
        )
        height_mm = self._uniform(f"{section.name} height", *_COIL_HEIGHT_MM)
        chip = self._boards.chips[name]
        is_old = chip.name == chips.OLD_BEACON.name
        return Beacon(
            mcu=name,
            body=body_name(section.name),
            offset_x_mm=section.get_float("x_offset", 0.0),
            offset_y_mm=section.get_float("y_offset", 0.0),
            height_mm=truth.get_float("coil_height_mm", height_mm, minimum=0.0),
            coil_hz=coil_hz,
            noise_hz=truth.get_float("noise_hz", _NOISE_HZ, minimum=0.0),
            nvm=_old_nvm(coil_hz, chip.frequency_hz) if is_old else _nvm(coil_hz),
            chip_data=_chip_data(),
        )


def _nvm(coil_hz: float) -> bytes:
    """Return what the maker has measured of a coil."""
    return struct.pack("<dfBxxxf", coil_hz, _REFERENCE_C, _NVM_VERSION, _CALIBRATION)


def _old_nvm(coil_hz: float, clock_hz: int) -> bytes:
    """Return the same as firmware before 2.0 has it; what it does not use is empty."""
    count = math.floor(coil_hz / clock_hz * 2**28)
    return struct.pack("<IH", count, round(_THERMISTOR_RATIO * _ADC_STEPS)) + 14 * b"\xff"


def _chip_data() -> bytes:
    """Return how the thermometer of the MCU was calibrated."""
    (room_c, room_steps), (hot_c, hot_steps) = _ROOM, _HOT
    return struct.pack("<II", room_c | hot_c << 12, room_steps << 8 | hot_steps << 20)
