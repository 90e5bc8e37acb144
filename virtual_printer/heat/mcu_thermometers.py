# The temperature sensors inside of micro-controllers, from their data sheets
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Callable, Optional, Tuple

from virtual_printer.heat.model import McuThermometer

# What all these chips are supplied with, and their analog inputs compared with
_SUPPLY_V = 3.3
_12_BITS, _16_BITS = 4095, 65535


def _typical(at_c: float, volt: float, slope_mv_per_k: float) -> McuThermometer:
    """Return one that no two chips differ in, as its data sheet knows no calibration."""
    at_100_k_more_v = volt + 0.1 * slope_mv_per_k
    return McuThermometer(at_c, volt / _SUPPLY_V, at_c + 100.0, at_100_k_more_v / _SUPPLY_V)


def _calibrated(
    low: Tuple[int, float, float],
    high: Tuple[int, float, float],
    reference_v: float = _SUPPLY_V,
    steps: int = _12_BITS,
) -> McuThermometer:
    """Return one whose chip has been measured at two temperatures.

    Each is an address, a temperature (C) and a voltage there, which the word
    at the address shows as steps of the reference voltage.
    """
    words = [(address, round(volt / reference_v * steps)) for address, _, volt in (low, high)]
    # What the word says is what is, rounded as it may be
    ratios = [word / steps * reference_v / _SUPPLY_V for _, word in words]
    return McuThermometer(low[1], ratios[0], high[1], ratios[1], tuple(words))


def _samd(address: int) -> McuThermometer:
    """Return that of a SAMD, which packs 25 and 85 C into two words."""
    room_c, hot_c = 25, 85
    # Of a reference of 1 V, which is just that at both temperatures
    room, hot = round(0.667 * _12_BITS), round(0.808 * _12_BITS)
    words = (room_c | hot_c << 12, room << 8 | hot << 20)
    ratios = [steps / _12_BITS / _SUPPLY_V for steps in (room, hot)]
    return McuThermometer(
        room_c, ratios[0], hot_c, ratios[1], ((address, words[0]), (address + 4, words[1]))
    )


# By the first letters of the constant MCU, longer ones before shorter ones
_KINDS: Tuple[Tuple[str, Callable[[], McuThermometer]], ...] = (
    ("rp2", lambda: _typical(27.0, 0.706, -1.721)),
    ("sam3", lambda: _typical(27.0, 0.8, 2.65)),
    ("sam4", lambda: _typical(27.0, 1.44, 4.7)),
    ("same70", lambda: _typical(25.0, 0.72, 2.33)),
    ("samd21", lambda: _samd(0x00806030)),
    ("samd51", lambda: _samd(0x00800100)),
    ("same5", lambda: _samd(0x00800100)),
    ("stm32f1", lambda: _typical(25.0, 1.43, -4.3)),
    ("stm32f2", lambda: _typical(25.0, 0.76, 2.5)),
    ("stm32f4", lambda: _calibrated((0x1FFF7A2C, 30.0, 0.7725), (0x1FFF7A2E, 110.0, 0.9725))),
    ("stm32f0", lambda: _calibrated((0x1FFFF7B8, 30.0, 1.4085), (0x1FFFF7C2, 110.0, 1.0645))),
    ("stm32g", lambda: _calibrated((0x1FFF75A8, 30.0, 0.76), (0x1FFF75CA, 130.0, 1.01), 3.0)),
    ("stm32l4", lambda: _calibrated((0x1FFF75A8, 30.0, 0.76), (0x1FFF75CA, 130.0, 1.01), 3.0)),
    ("stm32h723", lambda: _calibrated((0x1FF1E820, 30.0, 0.62), (0x1FF1E840, 130.0, 0.82))),
    (
        "stm32h7",
        lambda: _calibrated((0x1FF1E820, 30.0, 0.62), (0x1FF1E840, 110.0, 0.78), steps=_16_BITS),
    ),
)


def find(chip: str) -> Optional[McuThermometer]:
    """Return that of a chip by its constant MCU, None if it has none or none is known."""
    return next((make() for prefix, make in _KINDS if chip.startswith(prefix)), None)
