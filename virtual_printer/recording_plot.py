# Plots what a recording has of positions, temperatures and endstops
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Any, Dict, List, Tuple

from virtual_printer import recording
from virtual_printer.recording import RecordingError

# At most so many points of each line are drawn; of more every second one is left out
_MOST_POINTS = 20_000

Line = Tuple[List[float], List[float]]


class _Thinned:
    """A line of points that stays small: the longer it gets, the fewer are kept."""

    def __init__(self) -> None:
        self.times_s: List[float] = []
        self.values: List[float] = []
        self.last_value = 0.0
        self._every = 1
        self._count = 0

    def add(self, time_s: float, value: float) -> None:
        """Take in a point, or leave it out."""
        self.last_value = value
        self._count += 1
        if self._count % self._every:
            return
        self.times_s.append(time_s)
        self.values.append(value)
        if len(self.times_s) > _MOST_POINTS:
            del self.times_s[::2], self.values[::2]
            self._every *= 2

    def end(self, time_s: float) -> None:
        """Draw the line on to the end of the recording: what has not changed stays as it is."""
        self.times_s.append(time_s)
        self.values.append(self.last_value)


def read_lines(path: Path) -> Dict[str, Dict[str, _Thinned]]:
    """Return the lines of each part of the plot: steppers, toolhead, temperatures."""
    parts: Dict[str, Dict[str, _Thinned]] = {"toolhead": {}, "steppers": {}, "temperatures": {}}
    time_s = 0.0
    for record in recording.records(path):
        time_s = float(record.time_s)
        if record.kind == "temperature":
            _add(parts["temperatures"], record.name, time_s, record.values)
        elif record.kind == "position" and record.name == "toolhead":
            for axis, value in zip("XYZ", record.values.split()):
                _add(parts["toolhead"], axis, time_s, value)
        elif record.kind == "position":
            _add(parts["steppers"], record.name, time_s, record.values)
    for lines in parts.values():
        for line in lines.values():
            line.end(time_s)
    return {name: lines for name, lines in parts.items() if lines}


def _add(lines: Dict[str, _Thinned], name: str, time_s: float, value: str) -> None:
    lines.setdefault(name, _Thinned()).add(time_s, float(value))


_TITLES = {
    "toolhead": "toolhead, Z over the bed (mm)",
    "steppers": "steppers (mm)",
    "temperatures": "temperatures (C)",
}


def write(source: Path, target: Path) -> None:
    """Plot a recording into a picture, whose kind follows from its name."""
    try:
        import matplotlib
    except ImportError:
        raise RecordingError("plots take matplotlib: pip install matplotlib") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    parts = read_lines(source)
    if not parts:
        raise RecordingError(f"{source}: has nothing to plot")
    figure, axes = pyplot.subplots(
        len(parts), 1, sharex=True, squeeze=False, figsize=(10, 3 * len(parts))
    )
    for axis, (name, lines) in zip(axes[:, 0], parts.items()):
        _draw(axis, _TITLES[name], lines)
    figure.supxlabel("virtual time (s)")
    figure.tight_layout()
    try:
        figure.savefig(str(target))
    except ValueError as error:
        raise RecordingError(f"{target}: {str(error).splitlines()[0]}") from None
    finally:
        pyplot.close(figure)


def _draw(axis: Any, title: str, lines: Dict[str, _Thinned]) -> None:
    for name, line in lines.items():
        axis.plot(line.times_s, line.values, drawstyle="steps-post", label=name, linewidth=1)
    axis.set_ylabel(title)
    axis.grid(alpha=0.3)
    axis.legend(loc="upper right", fontsize=8)
