# The Cartographer probe of a machine, which is an MCU of its own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Callable, Mapping, Tuple

from printer_config import probes
from printer_config.config import Config
from virtual_printer.boards import Boards
from virtual_printer.heat import cartographer as thermistor
from virtual_printer.heat.reader import body_name
from virtual_printer.model import Cartographer, Mcu

# What is drawn: the frequency far from the bed (Hz), and the place over the nozzle (mm)
_COIL_HZ = (2_930_000.0, 2_956_000.0)
_COIL_HEIGHT_MM = (2.4, 2.8)
_NOISE_HZ = 20.0
_DRIFT_PPM_PER_K = -50.0
# At which it is as its frequency says, and at which its maker has measured it
_NOMINAL_C, _BASE_C = 25.0, 20
_ADC_SAMPLES = 16
# The coil is faster by this share where it touches the bed, by a quarter of that so far from it.
# With these the thresholds that its firmware begins with are those of 2 to 3 mm.
_GAIN, _RANGE_MM = 0.12, 4.0
_COUNT_ONE = 1 << 28


def clock_divisor(frequency_hz: int) -> int:
    """Return by what the clock of an MCU is divided for its converter, as the plugins expect."""
    return 1 if frequency_hz < 20_000_000 else 2 if frequency_hz < 100_000_000 else 6


def load(
    printer: Config,
    truth: Config,
    boards: Boards,
    uniform: Callable[[str, float, float], float],
) -> Tuple[Cartographer, ...]:
    """Read it from printer.cfg and the machine file; the host knows one at most."""
    if probes.cartographer_mcu(printer) is None:
        return ()
    section = printer.section(probes.CARTOGRAPHER)
    true = truth.section(section.name)
    drawn_mm = uniform(f"{section.name} height", *_COIL_HEIGHT_MM)
    drawn_hz = uniform(f"{section.name} frequency", *_COIL_HZ)
    found = Cartographer(
        mcu=section.get("mcu"),
        thermistor_pin=thermistor.pin(section, boards),
        body=body_name(section.name),
        offset_x_mm=section.get_float("x_offset"),
        offset_y_mm=section.get_float("y_offset"),
        height_mm=true.get_float("coil_height_mm", drawn_mm, minimum=0.0),
        coil_hz=true.get_float("coil_hz", drawn_hz, minimum=1e5),
        noise_hz=true.get_float("noise_hz", _NOISE_HZ, minimum=0.0),
        drift_per_k=1e-6 * true.get_float("drift_ppm_per_k", _DRIFT_PPM_PER_K),
    )
    return (found,)


def line(one: Cartographer, mcus: Mapping[str, Mcu], adc_max: int) -> str:
    """Return its line of the simulation's description."""
    mcu = mcus[one.mcu]
    clock_hz = mcu.frequency_hz / clock_divisor(mcu.frequency_hz)
    base_hz = one.coil_hz * (1.0 + one.drift_per_k * (_BASE_C - _NOMINAL_C))
    curve = thermistor.curve()
    base_ratio = curve.ratios[_BASE_C - round(curve.lowest_c)]
    return (
        f"cartographer mcu={one.mcu} thermistor_pin={one.thermistor_pin.number} body={one.body}"
        f" offset_x={one.offset_x_mm!r} offset_y={one.offset_y_mm!r} height={one.height_mm!r}"
        f" coil_hz={one.coil_hz!r} noise_hz={one.noise_hz!r} drift_per_k={one.drift_per_k!r}"
        f" gain={_GAIN!r} range_mm={_RANGE_MM!r} clock_hz={clock_hz!r}"
        f" clock_factor={1.0 + mcu.drift_ppm * 1e-6!r}"
        f" base_count={round(base_hz / clock_hz * _COUNT_ONE)}"
        f" base_adc={round(base_ratio * adc_max * _ADC_SAMPLES)}"
    )
