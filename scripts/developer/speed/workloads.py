# What printers do while they are measured
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math
from typing import Callable, Dict

from virtual_printer.session import Session

PROBES = 20
CIRCLES = 10
IDLE_S = 60.0
HOTEND_C, BED_C = 210.0, 60.0

# As a slicer writes circles
SEGMENTS = 72
RADIUS_MM, CENTRE_MM, SPEED_MM_S = 20.0, 150.0, 60.0
# Of a line of 0.45 by 0.2 mm
FILAMENT_PER_MM = 0.45 * 0.2 / (math.pi * 1.75**2 / 4.0)
LEVEL_HEIGHT_MM = 10.0


def get_ready(printer: Session, is_hot: bool) -> None:
    """Heat, home and level; switch on all that can be on."""
    if is_hot:
        printer.gcode(f"M140 S{BED_C:g}\nM104 S{HOTEND_C:g}\nM106 S128")
        printer.gcode("SET_FAN_SPEED FAN=a SPEED=0.5\nSET_FAN_SPEED FAN=b SPEED=1")
        printer.gcode("SET_LED LED=lights RED=1")
    printer.gcode("G28\nQUAD_GANTRY_LEVEL")
    if is_hot:
        printer.gcode(f"M190 S{BED_C:g}\nM109 S{HOTEND_C:g}\nM83")
    printer.gcode(f"G90\nG1 X{CENTRE_MM:g} Y{CENTRE_MM:g} Z{LEVEL_HEIGHT_MM:g} F9000\nM400")


def probe(printer: Session) -> None:
    """Probe one point again and again."""
    printer.gcode(f"G1 Z{LEVEL_HEIGHT_MM:g} F600\nPROBE_ACCURACY SAMPLES={PROBES}\nM400")


def circles(count: int, with_filament: bool) -> str:
    """Return G-code that goes round in circles of short lines, as a print does."""
    length_mm = 2.0 * RADIUS_MM * math.sin(math.pi / SEGMENTS)
    filament = f" E{length_mm * FILAMENT_PER_MM:.5f}" if with_filament else ""
    lines = [f"G1 X{CENTRE_MM + RADIUS_MM:g} Y{CENTRE_MM:g} F{SPEED_MM_S * 60.0:g}"]
    for i in range(1, count * SEGMENTS + 1):
        angle = 2.0 * math.pi * i / SEGMENTS
        x_mm = CENTRE_MM + RADIUS_MM * math.cos(angle)
        y_mm = CENTRE_MM + RADIUS_MM * math.sin(angle)
        lines.append(f"G1 X{x_mm:.3f} Y{y_mm:.3f}{filament}")
    return "\n".join((*lines, "M400"))


def move(printer: Session) -> None:
    """Move as a print does, without filament."""
    printer.gcode(circles(CIRCLES, with_filament=False))


def print_circles(printer: Session) -> None:
    """Print."""
    printer.gcode(circles(CIRCLES, with_filament=True))


def stand(printer: Session) -> None:
    """Do nothing for a while."""
    printer.sleep(IDLE_S)


# What every printer can do, and what it takes filament for
COMMON: Dict[str, Callable[[Session], None]] = {"probing": probe, "moving": move, "idle": stand}
PRINTING = "printing"
