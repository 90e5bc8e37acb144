# A G-code file as a slicer writes it: a skirt and two hollow objects, with retractions and hops
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import math
from dataclasses import dataclass, field
from typing import List, Sequence, Tuple

Point = Tuple[float, float]

LAYER_MM = 0.2
LINE_MM = 0.45
FILAMENT_MM2 = math.pi * 1.75**2 / 4.0
RETRACTION_MM = 0.8
HOP_MM = 0.4
TRAVEL_MM_MIN = 9000
OUTER_MM_MIN = 2400
INNER_MM_MIN = 4200
RETRACTION_MM_MIN = 2100
HOP_MM_MIN = 900
# Of the box and the cylinder
BOX_CENTRE, BOX_HALF_MM = (80.0, 90.0), 12.0
CYLINDER_CENTRE, CYLINDER_RADIUS_MM = (125.0, 105.0), 11.0
PARK = (20.0, 180.0)
RAISE_MM = 10.0


@dataclass
class SlicedFile:
    """Lines of G-code, and what a printer has done at their end."""

    has_arcs: bool
    extrudes: bool
    lines: List[str] = field(default_factory=list)
    place: Point = (0.0, 0.0)
    height_mm: float = 0.0
    extruded_mm: float = 0.0

    @property
    def text(self) -> str:
        """The content of the file."""
        return "".join(f"{line}\n" for line in self.lines)

    def feed(self, filament_mm: float) -> str:
        """Return the word that feeds filament."""
        if not self.extrudes:
            return ""
        self.extruded_mm += round(filament_mm, 5)
        return f" E{filament_mm:.5f}"

    def extrude_to(self, to: Point, speed_mm_min: int) -> None:
        """Print a straight line."""
        filament = self.feed(_filament_mm(math.dist(self.place, to)))
        self.lines.append(f"G1 X{to[0]:.3f} Y{to[1]:.3f}{filament} F{speed_mm_min}")
        self.place = to

    def extrude_arc(self, centre: Point, end_angle: float, speed_mm_min: int) -> None:
        """Print an arc around a centre, anticlockwise to an angle."""
        x, y = self.place[0] - centre[0], self.place[1] - centre[1]
        radius_mm = math.hypot(x, y)
        sweep = (end_angle - math.atan2(y, x)) % (2.0 * math.pi) or 2.0 * math.pi
        to = (
            centre[0] + radius_mm * math.cos(end_angle),
            centre[1] + radius_mm * math.sin(end_angle),
        )
        filament = self.feed(_filament_mm(radius_mm * sweep))
        self.lines.append(
            f"G3 X{to[0]:.3f} Y{to[1]:.3f} I{-x:.3f} J{-y:.3f}{filament} F{speed_mm_min}"
        )
        self.place = to

    def travel_to(self, to: Point) -> None:
        """Go elsewhere without printing, retracted and raised."""
        self._retract(-RETRACTION_MM)
        self.lines += [
            f"G1 Z{self.height_mm + HOP_MM:.3f} F{HOP_MM_MIN}",
            f"G0 X{to[0]:.3f} Y{to[1]:.3f} F{TRAVEL_MM_MIN}",
            f"G1 Z{self.height_mm:.3f} F{HOP_MM_MIN}",
        ]
        self._retract(RETRACTION_MM)
        self.place = to

    def _retract(self, filament_mm: float) -> None:
        if self.extrudes:
            self.lines.append(f"G1{self.feed(filament_mm)} F{RETRACTION_MM_MIN}")

    def print_loop(self, points: Sequence[Point], speed_mm_min: int) -> None:
        """Print a closed line that starts and ends at the first point."""
        self.travel_to(points[0])
        for point in (*points[1:], points[0]):
            self.extrude_to(point, speed_mm_min)

    def end(self) -> None:
        """Retract, raise the nozzle and park."""
        self._retract(-2.0 * RETRACTION_MM)
        self.height_mm += RAISE_MM
        self.place = PARK
        self.lines += [
            ";TYPE:Custom",
            f"G1 Z{self.height_mm:.3f} F{HOP_MM_MIN}",
            f"G0 X{PARK[0]:.3f} Y{PARK[1]:.3f} F{TRAVEL_MM_MIN}",
        ]


def _filament_mm(length_mm: float) -> float:
    return length_mm * LINE_MM * LAYER_MM / FILAMENT_MM2


def _box(half_mm: float) -> List[Point]:
    x, y = BOX_CENTRE
    return [(x + dx * half_mm, y + dy * half_mm) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]


def _infill(sliced: SlicedFile, layer: int) -> None:
    """Print lines across the box, along x and y in turn."""
    inner_mm, count = BOX_HALF_MM - 1.5 * LINE_MM, 8
    places = [-inner_mm + 2.0 * inner_mm * i / (count - 1) for i in range(count)]
    for index, place in enumerate(places):
        ends = [(-inner_mm, place), (inner_mm, place)][:: 1 if index % 2 else -1]
        points = [(a, b) if layer % 2 else (b, a) for a, b in ends]
        begin, end = [(BOX_CENTRE[0] + a, BOX_CENTRE[1] + b) for a, b in points]
        if index:
            sliced.extrude_to(begin, INNER_MM_MIN)
        else:
            sliced.travel_to(begin)
        sliced.extrude_to(end, INNER_MM_MIN)


def _ring(sliced: SlicedFile, radius_mm: float, speed_mm_min: int) -> None:
    x, y = CYLINDER_CENTRE
    if sliced.has_arcs:
        sliced.travel_to((x + radius_mm, y))
        sliced.extrude_arc(CYLINDER_CENTRE, math.pi, speed_mm_min)
        sliced.extrude_arc(CYLINDER_CENTRE, 0.0, speed_mm_min)
        return
    angles = [2.0 * math.pi * i / 72 for i in range(72)]
    points = [(x + radius_mm * math.cos(a), y + radius_mm * math.sin(a)) for a in angles]
    sliced.print_loop(points, speed_mm_min)


def _print_layer(sliced: SlicedFile, layer: int) -> None:
    sliced.height_mm = LAYER_MM * (layer + 1)
    sliced.lines += [";LAYER_CHANGE", f"G1 Z{sliced.height_mm:.3f} F{HOP_MM_MIN}"]
    if layer == 0:
        sliced.lines.append(";TYPE:Skirt")
        sliced.print_loop([(60.0, 70.0), (145.0, 70.0), (145.0, 125.0), (60.0, 125.0)], 1800)
    sliced.lines.append(";TYPE:Perimeter")
    sliced.print_loop(_box(BOX_HALF_MM - LINE_MM), INNER_MM_MIN)
    sliced.print_loop(_box(BOX_HALF_MM), OUTER_MM_MIN)
    sliced.lines.append(";TYPE:Internal infill")
    _infill(sliced, layer)
    sliced.lines.append(";TYPE:Perimeter")
    _ring(sliced, CYLINDER_RADIUS_MM - LINE_MM, INNER_MM_MIN)
    _ring(sliced, CYLINDER_RADIUS_MM, OUTER_MM_MIN)


def slice_objects(
    layers: int, start: Sequence[str], end: Sequence[str] = (), arcs: bool = False, e: bool = True
) -> SlicedFile:
    """Return a file that prints a box and a cylinder, between start and end G-code."""
    sliced = SlicedFile(has_arcs=arcs, extrudes=e)
    sliced.lines += [*start, "G90", *(("M83", "G92 E0") if e else ())]
    for layer in range(layers):
        _print_layer(sliced, layer)
    sliced.end()
    sliced.lines += end
    return sliced
