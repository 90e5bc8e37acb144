# How far steppers overshoot on CAN buses of several speeds and loads, and whether a bus keeps up
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math
import random
from dataclasses import replace
from typing import Any, Dict, List, NamedTuple, Optional

import matplotlib

from scripts.developer.parallel import Task
from virtual_printer.samples import CAN_PRINTER, SamplePrinter, Section
from virtual_printer.session import GCodeError, Session, SessionError

PLOT_TITLE = "Overshoot against load"
PROBES = 40
PROBE_SPEED_MM_S = 20.0
STEP_MM = 0.0025
LOADS = (0.0, 0.3, 0.6)
WIRED_PIN = "PB6"
# On a crowded bus Klipper knows the MCUs' clocks less well than the default takes for granted
TOLERANCE_S = 0.01
# Foreign frames win against all of Klipper's
LOAD_ID = 16
BUSES: Dict[str, Section] = {
    "250 k": {"bit_rate": 250000},
    "500 k": {"bit_rate": 500000},
    "1 M": {"bit_rate": 1000000},
    "FD 1 M / 5 M": {"bit_rate": 1000000, "data_rate": 5000000},
}
# With Klipper's 25 ms the slow buses home seldom or never. From 0.1 s on, current hosts hold back
# the messages that extend it, and with them the one that stops the steppers.
PATIENCE_S = 0.09
LEVELLINGS = 25
LEVELLING_RUNS = 4
# A probe takes two seconds; on a bus that cannot keep up it may never end
PROBE_TIMEOUT_S = 30.0
ROW = "%-14s%6s%7s%18s%13s%18s%13s%7s%11s"
TITLES = ("bus, bit/s", "load", "busy", "overshoot mm", "steps", "skew mm", "steps")
TIMEOUT = "Communication timeout"
# What a host says of a bus that cannot keep up
SIGNS_OF_DELAY = (TIMEOUT, "no answer", "due to printer shutdown")


class Overshoot(NamedTuple):
    """What the probes on one bus have shown."""

    overshoot_mm: List[float]  # of each stepper and probe
    spread_mm: List[float]  # between the steppers, of each probe
    busy: float  # share of the bus's time
    in_time: int  # probes before the first one that times out with Klipper's own patience
    # The spread when the probe is wired to each stepper's MCU
    wired_spread_mm: List[float]


def wired(sample: SamplePrinter) -> SamplePrinter:
    """The same printer with the probe's signal wired to the MCU of each Z stepper."""
    pins = ["%s:%s" % (mcu, WIRED_PIN) for mcu in sample.z_mcus]
    return sample.with_resync(probe_pins=", ".join(pins), trigger_tolerance=TOLERANCE_S)


def bus_printer(bus: str, load: float) -> SamplePrinter:
    """The printer of the thread on one of the buses."""
    sample = CAN_PRINTER.with_can_bus(**BUSES[bus], load=load, load_id=LOAD_ID)
    return replace(sample, probe_speed_mm_s=PROBE_SPEED_MM_S)


def probe(printer: Session, rng: random.Random) -> None:
    """Probe at a random place, wherever the gantry is believed to be."""
    x_mm, y_mm = rng.uniform(20, 280), rng.uniform(10, 250)
    printer.gcode("SET_KINEMATIC_POSITION X=%.3f Y=%.3f Z=12\nG90\nG1 Z14 F600" % (x_mm, y_mm))
    printer.gcode("PROBE", timeout_s=PROBE_TIMEOUT_S)


def is_probe_in_time(printer: Session, rng: random.Random) -> bool:
    """Probe; returns whether the bus has kept up with it."""
    try:
        probe(printer, rng)
    except SessionError as e:
        if not any(sign in str(e) for sign in SIGNS_OF_DELAY):
            raise
        return False
    return True


def probe_all(host: str, sample: SamplePrinter, seed: int, patience: str) -> Overshoot:
    """Probe until the bus falls behind, and look how far the steppers went past the trigger."""
    rng = random.Random(seed)
    overshoot_mm: List[float] = []
    spread_mm: List[float] = []
    text = sample.printer_cfg() + patience
    with Session(host, text, sample.machine_cfg(), seed=seed) as printer:
        started_s, busy_ns = printer.now_s(), -int(printer.can_counters()["can0.busy_ns"])
        while len(spread_mm) < PROBES and is_probe_in_time(printer, rng):
            status = printer.status("multi_mcu_resync", "overshoot_mm")["overshoot_mm"]
            found_mm = [status[name] for name in sample.z_names]
            overshoot_mm += found_mm
            spread_mm.append(max(found_mm) - min(found_mm))
        busy_ns += int(printer.can_counters()["can0.busy_ns"])
        busy = busy_ns / ((printer.now_s() - started_s) * 1e9)
    return Overshoot(overshoot_mm, spread_mm, busy, len(spread_mm), [])


def measure_overshoot(host: str, bus: str, load: float, seed: int, say: Any) -> Overshoot:
    """Probe with the patience that Klipper has; if that does not do, with more."""
    sample, patience = bus_printer(bus, load), ""
    found = probe_all(host, sample, seed, patience)
    in_time = found.in_time
    say("%d of %d probes in time" % (in_time, PROBES))
    if in_time < PROBES:
        patience = "\n[resync_bench]\ntrsync_timeout: %g\n" % (PATIENCE_S,)
        found = probe_all(host, sample, seed, patience)
    by_wire = probe_all(host, wired(sample), seed, patience)
    return found._replace(in_time=in_time, wired_spread_mm=by_wire.spread_mm)


def level(host: str, seed: int, say: Any) -> int:
    """QUAD_GANTRY_LEVEL again and again on the bus of 1 Mbit/s; return how often it timed out."""
    timeouts = 0
    with Session(host, CAN_PRINTER.printer_cfg(), CAN_PRINTER.machine_cfg(), seed=seed) as printer:
        printer.gcode("G28")
        for i in range(LEVELLINGS):
            if i % 5 == 0:
                say("QUAD_GANTRY_LEVEL %d of %d" % (i, LEVELLINGS))
            try:
                printer.gcode("QUAD_GANTRY_LEVEL\nM400")
            except GCodeError as e:
                if TIMEOUT not in str(e):
                    raise
                timeouts += 1
                printer.gcode("G28")
    return timeouts


def task_groups(host: str, seed: int) -> List[Dict[str, Task]]:
    """All measurements."""
    found = {"levelling %d" % (i,): Task(level, (host, seed + i)) for i in range(LEVELLING_RUNS)}
    for bus in BUSES:
        for load in LOADS:
            found["%s %g" % (bus, load)] = Task(measure_overshoot, (host, bus, load, seed))
    return [found]


def mean_mm(values_mm: List[float]) -> Optional[float]:
    """Mean to the nearest 10 nm; None without any."""
    return round(sum(values_mm) / len(values_mm), 5) if values_mm else None


def greatest_mm(values_mm: List[float]) -> Optional[float]:
    """Greatest to the nearest 10 nm; None without any."""
    return round(max(values_mm), 5) if values_mm else None


def report(results: Dict[str, Any]) -> Dict[str, Any]:
    """The figures of the measurements; lengths in mm."""
    rows = []
    for bus in BUSES:
        for load in LOADS:
            found = results["%s %g" % (bus, load)]
            rows.append(
                {
                    "bus": bus,
                    "load": load,
                    "busy": round(found.busy, 4),
                    "overshoot_mean_mm": mean_mm(found.overshoot_mm),
                    "overshoot_max_mm": greatest_mm(found.overshoot_mm),
                    "skew_mean_mm": mean_mm(found.spread_mm),
                    "skew_max_mm": greatest_mm(found.spread_mm),
                    "wired_skew_max_mm": greatest_mm(found.wired_spread_mm),
                    "probes_in_time": found.in_time,
                }
            )
    return {
        "probe_speed_mm_s": PROBE_SPEED_MM_S,
        "probes": PROBES,
        "buses": rows,
        "levellings": LEVELLINGS * LEVELLING_RUNS,
        "levelling_timeouts": sum(results["levelling %d" % (i,)] for i in range(LEVELLING_RUNS)),
    }


def table(figures: Dict[str, Any]) -> str:
    """The figures as text."""
    lines = [
        "overshoot of a stepper, and skew of the four by one probe at %g mm/s, mean and greatest;"
        % (figures["probe_speed_mm_s"],),
        "wired: greatest skew in steps when the signal is wired to each of the four boards;",
        "probes in time before the first that exceeds Klipper's 25 ms (the others: %g ms)"
        % (PATIENCE_S * 1000.0,),
        "",
        ROW % (*TITLES, "wired", "in time"),
    ]
    for row in figures["buses"]:
        cells = []
        for kind in ("overshoot", "skew"):
            found_mm = [row["%s_%s_mm" % (kind, which)] for which in ("mean", "max")]
            if None in found_mm:
                cells += ["-", "-"]
                continue
            cells.append("%.4f  %.4f" % tuple(found_mm))
            cells.append("%.1f  %.0f" % tuple(mm / STEP_MM for mm in found_mm))
        wired_mm = row["wired_skew_max_mm"]
        lines.append(
            ROW
            % (
                row["bus"],
                "%.0f%%" % (row["load"] * 100.0,),
                "%.0f%%" % (row["busy"] * 100.0,),
                *cells,
                "-" if wired_mm is None else "%.0f" % (wired_mm / STEP_MM,),
                "%d of %d" % (row["probes_in_time"], figures["probes"]),
            )
        )
    lines.append("")
    lines.append(
        "QUAD_GANTRY_LEVEL at 1 Mbit/s: %d communication timeouts in %d runs"
        % (figures["levelling_timeouts"], figures["levellings"])
    )
    return "\n".join(lines)


def plot(results: Dict[str, Any], path: str, title: str) -> None:
    """Draw mean and greatest overshoot against load, a line a bus, into a PNG."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    for number, bus in enumerate(BUSES):
        found = [results["%s %g" % (bus, load)] for load in LOADS]
        color = "C%d" % (number,)
        # A row that ends no probe has no point
        means_mm = [mean_mm(one.overshoot_mm) or math.nan for one in found]
        greatest = [greatest_mm(one.overshoot_mm) or math.nan for one in found]
        axes.plot(LOADS, means_mm, "o-", color=color, label=bus)
        axes.plot(LOADS, greatest, "x:", color=color)
    axes.set_xlabel("share of the bus that foreign frames take")
    axes.set_ylabel("overshoot at %g mm/s (mm)\nmean, dotted: greatest" % (PROBE_SPEED_MM_S,))
    axes.set_ylim(bottom=0)
    axes.set_xticks(LOADS)
    axes.grid(alpha=0.3)
    axes.legend()
    axes.set_title(title)
    figure.tight_layout()
    figure.savefig(path, dpi=120, format="png")
