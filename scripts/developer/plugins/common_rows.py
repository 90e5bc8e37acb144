# Rows that several plugins have
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
import re
from dataclasses import dataclass
from typing import Sequence

from scripts.developer.plugins.trial import Failed, Trial

_START_MM = 10.0


def number(lines: Sequence[str], pattern: str) -> float:
    """Return the number that the first group of a pattern finds in what Klippy has said."""
    text = "\n".join(lines)
    found = re.search(pattern, text)
    if found is None:
        raise Failed(f"nothing like '{pattern}' in '{text[:200]}'")
    return float(found.group(1))


@dataclass(frozen=True)
class Endurance:
    """Homes Z and probes at random places, both many times; `start` is run once before."""

    home: str = "G28 Z"
    probe: str = "PROBE"
    start: str = "G28"
    homings: int = 100
    probes: int = 300
    start_mm: float = _START_MM

    def __call__(self, trial: Trial) -> None:
        """Run it on a printer."""
        rng = random.Random(1)
        trial.gcode(self.start)
        for _ in range(self.homings):
            trial.gcode(self.home)
        for _ in range(self.probes):
            x_mm, y_mm = rng.uniform(50, 250), rng.uniform(50, 220)
            trial.gcode(f"G90\nG1 Z{self.start_mm:g} F600\nG1 X{x_mm:.3f} Y{y_mm:.3f} F9000")
            trial.gcode(self.probe)


@dataclass(frozen=True)
class Accuracy:
    """PROBE_ACCURACY at one place: the mean is a result, the range is bounded."""

    command: str = "PROBE_ACCURACY SAMPLES=10"
    place: str = "G90\nG1 Z10 F600\nG1 X150 Y120 F9000"
    within_mm: float = 0.005
    range_mm: float = 0.01

    def __call__(self, trial: Trial) -> None:
        """Run it on a printer."""
        trial.gcode("G28\n" + self.place)
        lines = trial.gcode(self.command)
        trial.result("mean_mm", number(lines, r"average (-?[\d.]+)"), self.within_mm)
        range_mm = number(lines, r"range ([\d.]+)")
        trial.expect(range_mm <= self.range_mm, f"range {range_mm:g} mm in '{lines[-1]}'")


def levels(trial: Trial) -> None:
    """QUAD_GANTRY_LEVEL ends with the steppers where it has them on one MCU."""
    trial.gcode("G28\nQUAD_GANTRY_LEVEL\nG28 Z")
    trial.levelled()
    for name, moved_mm in trial.gantry_mm().items():
        trial.result(name, moved_mm, within=0.02)


def starts_homes_and_probes(trial: Trial) -> None:
    """What can be asked of any plugin."""
    trial.gcode("G28\nG90\nG1 X150 Y120 Z10 F6000")
    trial.gcode("PROBE")
