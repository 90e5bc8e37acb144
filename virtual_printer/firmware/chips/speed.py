# How fast the CPUs of chips are: what timers, steps and commands take of them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Where the figures are from.

Klipper publishes (docs/Benchmarks.md) how many ticks lie between two steps at the highest rate
at which one stepper, and three of them, do 60,000 steps each, and how many of its simplest
commands a chip runs in a second.  Chips that were not measured have the figures of one with the
same kind of core.
"""

from dataclasses import dataclass
from typing import Dict

# A benchmark fails if the last of its steps are late by more than this
_BENCHMARK_STEPS = 60_000
_BENCHMARK_LATE_S = 0.001
# The true figure lies within the tick below the published one
_BENCHMARK_ROUNDING_TICKS = 0.5

# Pulses up to this rate (Hz) need no timers where firmware steps on both of their edges
_PLAIN_EDGE_HZ = 8_000_000


@dataclass(frozen=True)
class Speed:
    """What a chip's CPU takes, in ticks of its clock.

    `one_ticks` and `three_ticks` are from one step of each stepper to the next at the highest
    rate of one stepper and of three; `steps_per_timer` is 0.5 if the end of a pulse is a timer of
    its own there.  `command_ticks` is what the simplest command takes.  Firmware of some chips
    has a way to step which minds no pulses: on both edges (`has_plain_edges`), or on one for
    pulses up to `plain_unstep_ticks`.  Timers that are due within `hold_s` are waited for; tasks
    wait no longer than `repeat_s` for timers, and then get `yield_s`; a timer that is late by more
    than `late_s` shuts the firmware down.
    """

    one_ticks: float
    three_ticks: float
    command_ticks: float
    steps_per_timer: float = 1.0
    has_plain_edges: bool = True
    plain_unstep_ticks: int = 0
    hold_s: float = 2e-6
    repeat_s: float = 100e-6
    yield_s: float = 5e-6
    late_s: float = 1e-3

    def lone_timer_s(self, clock_hz: float) -> float:
        """Return what a timer takes if it is the one that ran before."""
        return self._timer_s(self.one_ticks, clock_hz)

    def timer_s(self, clock_hz: float) -> float:
        """Return what a timer takes if others have to be passed in the queue."""
        return self._timer_s(self.three_ticks, clock_hz) / 3.0

    def plain_edge_ticks(self, clock_hz: float) -> int:
        """Return the longest pulse of the fast way to step on both edges, 0 without it."""
        return -int(-clock_hz // _PLAIN_EDGE_HZ) if self.has_plain_edges else 0

    def _timer_s(self, ticks: float, clock_hz: float) -> float:
        # So much too slow that the last step of the benchmark is just not too late
        late_ticks = _BENCHMARK_LATE_S * clock_hz / _BENCHMARK_STEPS
        step_ticks = ticks + late_ticks - _BENCHMARK_ROUNDING_TICKS
        return step_ticks * self.steps_per_timer / clock_hz


_AVR_HZ = 16e6
_AVR = Speed(
    *(102, 486, 213),
    has_plain_edges=False,
    plain_unstep_ticks=40,
    hold_s=91 / _AVR_HZ,
    repeat_s=3000 / _AVR_HZ,
    yield_s=256 / _AVR_HZ,
)

# By how the name of the chip begins
_SPEEDS: Dict[str, Speed] = {
    "atmega": _AVR,
    "at90usb": _AVR,
    "lgt8f": _AVR,
    "sam3x": Speed(66, 257, 201),
    "sam4e": Speed(48, 215, 185),
    "sam4s": Speed(71, 260, 185),
    "same70": Speed(45, 190, 185),
    "samd21": Speed(70, 306, 215),
    "samc21": Speed(70, 306, 215),
    "samd51": Speed(39, 191, 139),
    "same5": Speed(39, 191, 139),
    "stm32f0": Speed(59, 249, 215),
    "stm32f1": Speed(61, 264, 203),
    "stm32f2": Speed(61, 264, 203),
    "stm32f4": Speed(46, 205, 207),
    "stm32f7": Speed(45, 190, 207),
    "stm32g0": Speed(58, 243, 215),
    "stm32g4": Speed(47, 208, 207),
    "stm32h7": Speed(70, 181, 207, has_plain_edges=False),
    "stm32l4": Speed(47, 208, 207),
    "hc32f4": Speed(46, 205, 207),
    "lpc1768": Speed(52, 222, 187),
    "lpc1769": Speed(51, 222, 191),
    # In ticks of 12 MHz, by which it schedules: it computes faster
    "rp2040": Speed(3, 14, 13.6),
    "rp2350": Speed(36, 169, 169),
    "pru": Speed(231, 847, 769, steps_per_timer=0.5, has_plain_edges=False),
    "ar100": Speed(85, 359, 2174),
    "linux": Speed(160, 380, 200, steps_per_timer=0.5, has_plain_edges=False, late_s=0.1),
    "simulator": Speed(160, 380, 200, steps_per_timer=0.5, has_plain_edges=False),
    # It has no steppers; its core is like that of an STM32L4
    "beacon": Speed(47, 208, 207),
    # That of an STM32F446, whichever clock is drawn
    "virtual": Speed(46, 205, 207),
}


def of_chip(name: str) -> Speed:
    """Return the speed of the chip of a name."""
    found = [start for start in _SPEEDS if name.startswith(start)]
    assert found, f"nobody knows how fast the chip '{name}' is"
    return _SPEEDS[max(found, key=len)]
