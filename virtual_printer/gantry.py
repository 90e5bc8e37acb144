# Where Z steppers lift the gantry, from printer.cfg's levelling section
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import List, Sequence, Tuple

from printer_config.config import Config
from printer_config.section import Section

Point = Tuple[float, float]

# What the simulated mechanics can span a gantry over
MAX_Z_STEPPERS = 4


def lift_points(printer: Config, count: int, low: Point, high: Point) -> List[Point]:
    """Return the place (mm) of each Z stepper.

    Without a levelling section the steppers stand at the edges of the area from `low` to `high`.
    """
    if "quad_gantry_level" in printer.sections:
        return _gantry_corners(printer.sections["quad_gantry_level"], count)
    for name in ("z_tilt", "z_tilt_ng"):
        if name in printer.sections:
            return _z_positions(printer.sections[name], count)
    corners = _corners(low, high)
    middle = ((low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0)
    return {
        1: [middle],
        2: [(low[0], middle[1]), (high[0], middle[1])],
        3: [corners[0], corners[3], (middle[0], high[1])],
        4: corners,
    }[count]


def _gantry_corners(section: Section, count: int) -> List[Point]:
    points = _points(section, "gantry_corners")
    if len(points) < 2:
        raise section.error("gantry_corners", "must have two points")
    if count != MAX_Z_STEPPERS:
        raise section.error("gantry_corners", f"is for {MAX_Z_STEPPERS} Z steppers, not {count}")
    low, high = points[0], points[1]
    if low[0] >= high[0] or low[1] >= high[1]:
        raise section.error("gantry_corners", "must be the least corner, then the greatest")
    return _corners(low, high)


def _z_positions(section: Section, count: int) -> List[Point]:
    points = _points(section, "z_positions")
    if len(points) != count:
        raise section.error("z_positions", f"has {len(points)} points for {count} Z steppers")
    if _are_degenerate(points):
        raise section.error("z_positions", "must not coincide or lie on one line")
    if count == MAX_Z_STEPPERS and not _is_rectangle(points):
        raise section.error("z_positions", "of 4 must be the corners of an upright rectangle")
    return points


def _points(section: Section, option: str) -> List[Point]:
    rows = section.get_rows(option)
    if any(len(row) != 2 for row in rows):
        raise section.error(option, "must have two numbers on each line")
    return [(row[0], row[1]) for row in rows]


def _corners(low: Point, high: Point) -> List[Point]:
    """Return a rectangle's corners in QUAD_GANTRY_LEVEL's order, clockwise from the front left."""
    return [low, (low[0], high[1]), high, (high[0], low[1])]


def _are_degenerate(points: Sequence[Point]) -> bool:
    """Whether the lift points leave the gantry's line or plane undetermined."""
    if len(set(points)) != len(points):
        return True
    if len(points) < 3:
        return False
    (x0, y0), (x1, y1) = points[:2]
    return all((x1 - x0) * (y - y0) == (y1 - y0) * (x - x0) for x, y in points[2:])


def _is_rectangle(points: Sequence[Point]) -> bool:
    return all(len({point[axis] for point in points}) == 2 for axis in (0, 1))
