# Whether the memory of a full printer stays as it is, over many hours
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import os
from typing import Any, Dict, List, NamedTuple

from scripts.developer.speed import workloads
from scripts.developer.speed.usage import resident_kb
from virtual_printer import full_sample
from virtual_printer.session import Session

WHOLE_S = 100_000.0
LOOK_EVERY_S = 5_000.0
PROBES, CIRCLES = 10, 60
COOL_C, REST_S = 180.0, 120.0


class Look(NamedTuple):
    """Resident memory (kB) of Klippy's process and of ours, and what the simulation has taken."""

    virtual_s: float
    host_kb: int
    driver_kb: int
    simulation_blocks: int
    simulation_bytes: int


def run_lap(printer: Session) -> None:
    """Heat, print, probe, and cool down a little."""
    printer.gcode(f"M140 S{workloads.BED_C:g}\nM109 S{workloads.HOTEND_C:g}")
    printer.gcode(workloads.circles(CIRCLES, with_filament=True))
    printer.gcode(f"SET_LED LED=lights BLUE={(printer.now_s() / 1e3) % 1.0:.2f}\nM106 S100")
    printer.gcode(f"M104 S{COOL_C:g}\nPROBE_ACCURACY SAMPLES={PROBES}")
    printer.gcode(f"G1 Z{workloads.LEVEL_HEIGHT_MM:g} F600\nG28\nM107\nM400")
    printer.sleep(REST_S)


def of_simulation(printer: Session) -> Dict[str, int]:
    """Return the blocks and the bytes of memory that the simulation has."""
    words = (word.split("=") for word in printer.control("memory").split())
    return {name: int(value) for name, value in words}


def _look(printer: Session, started_s: float) -> Look:
    taken = of_simulation(printer)
    return Look(
        round(printer.now_s() - started_s, 1),
        resident_kb(printer.process_id),
        resident_kb(os.getpid()),
        taken["blocks"],
        taken["bytes"],
    )


def measure(host: str, seed: int, whole_s: float, say: Any) -> List[Look]:
    """Run the full printer for so many virtual seconds; look at its memory now and then."""
    sample = full_sample.six_mcus()
    with Session(host, sample.printer_cfg(), sample.machine_cfg(), seed=seed) as printer:
        workloads.get_ready(printer, is_hot=True)
        started_s = printer.now_s()
        looks: List[Look] = []
        while not looks or looks[-1].virtual_s < whole_s:
            until_s = min((len(looks) + 1) * LOOK_EVERY_S, whole_s)
            while printer.now_s() - started_s < until_s:
                run_lap(printer)
            looks.append(_look(printer, started_s))
            say("%.0f virtual s: %d kB (Klippy), %d kB (driver), %d blocks, %d bytes" % looks[-1])
        return looks


def _slope_kb(looks: List[Look], field: str) -> float:
    """Return by how much a figure grows in 10,000 virtual seconds (least squares)."""
    if len(looks) < 2:
        return 0.0
    times = [look.virtual_s / 1e4 for look in looks]
    values = [getattr(look, field) for look in looks]
    mean_time, mean_value = sum(times) / len(times), sum(values) / len(values)
    above = sum((t - mean_time) * (v - mean_value) for t, v in zip(times, values))
    return float(above / sum((t - mean_time) ** 2 for t in times))


def report(looks: List[Look]) -> Dict[str, Any]:
    """Return all looks, and how much each figure grows after the first fifth."""
    settled = looks[len(looks) // 5 :]
    return {
        "looks": [look._asdict() for look in looks],
        "growth_per_10000_s": {
            field: round(_slope_kb(settled, field), 2) for field in Look._fields[1:]
        },
    }


def table(figures: Dict[str, Any]) -> str:
    """Return the figures as text."""
    titles = ("virtual s", "Klippy, kB", "driver, kB", "blocks", "bytes of the simulation")
    lines = ["%12s%14s%14s%10s%26s" % titles]
    for look in figures["looks"]:
        lines.append("%12.0f%14d%14d%10d%26d" % tuple(look.values()))
    growth = tuple(figures["growth_per_10000_s"].values())
    lines.append("%12s%14.1f%14.1f%10.1f%26.1f" % ("growth", *growth))
    lines.append("Growth is that in 10,000 s, after the first fifth.")
    return "\n".join(lines)
