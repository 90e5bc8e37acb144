# One printer, three ways: all Z on one MCU, shared and uncorrected, shared and resynced
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import random
import re
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import matplotlib

from scripts.developer.arguments import parse_arguments
from scripts.developer.parallel import Task, run_tasks
from scripts.developer.stopwatch import Stopwatch
from virtual_printer import hosts
from virtual_printer.build import BuildError, library
from virtual_printer.samples import CAN_PRINTER, SamplePrinter
from virtual_printer.session import GCodeError, Session, SessionError

PROBES = 100
ACCURACY_SAMPLES = 20
LEVEL_HEIGHT_MM = 10.0
# Two of the runs lie upon each other, and both are to be seen
LINES = {"one_mcu": (0, (1, 2)), "shared_uncorrected": "-", "shared_resync": "-"}
PROGRESS_EVERY = 20


class Outcome(NamedTuple):
    """The figures of one run, and the skew (um) after each random probe."""

    figures: Dict[str, Any]
    skew_um: List[float]


class Run:
    """One printer through homing, levelling and probing."""

    def __init__(self, printer: Session, say: Any) -> None:
        self._printer = printer
        self._say = say
        self._errors: List[str] = []

    def _try(self, command: str) -> List[str]:
        try:
            return self._printer.gcode(command)
        except GCodeError as e:
            self._errors.append("%s: %s" % (command.split()[0], e))
            self._say(self._errors[-1])
            return []

    def _level_heights_mm(self) -> Dict[str, float]:
        """True height of each Z stepper's corner, at the same commanded height."""
        self._printer.gcode("G90\nG1 Z%.3f F600\nM400" % (LEVEL_HEIGHT_MM,))
        truth = self._printer.stepper_truth()
        return {n: t.position_mm for n, t in truth.items() if n[:9] == "stepper_z"}

    def execute(self, seed: int) -> Outcome:
        """Run it all and return the figures."""
        self._say("G28")
        self._try("G28\nM400")
        stopwatch = Stopwatch(self._printer)
        self._say("QUAD_GANTRY_LEVEL")
        levelling = self._try("QUAD_GANTRY_LEVEL\nM400")
        qgl_seconds = stopwatch.seconds()
        retries = [int(n) for n in re.findall(r"Retries: (\d+)/", "\n".join(levelling))]
        self._printer.gcode("G90\nG1 X150 Y125 Z%.3f F9000\nM400" % (LEVEL_HEIGHT_MM,))
        self._say("PROBE_ACCURACY SAMPLES=%d" % (ACCURACY_SAMPLES,))
        stopwatch = Stopwatch(self._printer)
        accuracy = self._try("PROBE_ACCURACY SAMPLES=%d\nM400" % (ACCURACY_SAMPLES,))
        accuracy_seconds = stopwatch.seconds()
        skew_um = self._probe_at_random(random.Random(seed))
        figures = {
            "probes": len(skew_um),
            "range_mm": _figure("range", accuracy),
            "stddev_mm": _figure("standard deviation", accuracy),
            "seconds_per_probe": round(accuracy_seconds / ACCURACY_SAMPLES, 5),
            "qgl_seconds": round(qgl_seconds, 3),
            "qgl_retries": max(retries, default=0),
            "drift_um": round(skew_um[-1], 6) if skew_um else None,
            "comm_timeouts": sum("Communication timeout" in e for e in self._errors),
            "errors": self._errors,
        }
        return Outcome(figures, skew_um)

    def _probe_at_random(self, rng: random.Random) -> List[float]:
        before_mm = self._level_heights_mm()
        skew_um: List[float] = []
        for i in range(PROBES):
            if i % PROGRESS_EVERY == 0:
                self._say("probe %d of %d" % (i, PROBES))
            x_mm, y_mm = rng.uniform(20, 280), rng.uniform(10, 250)
            try:
                self._printer.gcode("G1 X%.3f Y%.3f F9000\nPROBE" % (x_mm, y_mm))
                after_mm = self._level_heights_mm()
            except GCodeError as e:
                self._errors.append("probe %d: %s" % (i, e))
                break
            drift_mm = [after_mm[name] - before_mm[name] for name in before_mm]
            skew_um.append((max(drift_mm) - min(drift_mm)) * 1000.0)
        return skew_um


def printers(is_can: bool) -> Dict[str, SamplePrinter]:
    """The same printer three ways, by the name of the run."""
    sample = CAN_PRINTER if is_can else SamplePrinter()
    return {
        "one_mcu": sample.on_one_mcu().without_section(),
        "shared_uncorrected": sample.with_resync(correct=False),
        "shared_resync": sample.with_resync(),
    }


def _figure(name: str, lines: List[str]) -> Optional[float]:
    """The named figure of PROBE_ACCURACY's result line (mm)."""
    found = re.search(r"\b%s (-?[\d.]+)" % (name,), "\n".join(lines))
    return float(found.group(1)) if found else None


def run_printer(sample: SamplePrinter, host_name: str, seed: int, say: Any) -> Outcome:
    """Run one printer on the named host; returns its outcome."""
    with Session(host_name, sample.printer_cfg(), sample.machine_cfg(), seed=seed) as printer:
        return Run(printer, say).execute(seed)


def run_all(host_name: str, seed: int, is_can: bool) -> Dict[str, Outcome]:
    """Run all printers and report progress meanwhile."""
    samples = printers(is_can).items()
    return run_tasks({name: Task(run_printer, (one, host_name, seed)) for name, one in samples})


def table(outcomes: Dict[str, Outcome]) -> str:
    """The figures as text, a row a run."""
    columns = [
        ("probes", "probes", "%d"),
        ("range_mm", "range mm", "%.6f"),
        ("stddev_mm", "stddev mm", "%.6f"),
        ("seconds_per_probe", "s/probe", "%.5f"),
        ("qgl_seconds", "QGL s", "%.2f"),
        ("qgl_retries", "QGL retries", "%d"),
        ("drift_um", "drift um", "%.1f"),
        ("comm_timeouts", "timeouts", "%d"),
    ]
    rows = [["run"] + [title for _, title, _ in columns] + ["errors"]]
    for name, (figures, _) in outcomes.items():
        row = [name]
        for key, _, form in columns:
            row.append("-" if figures[key] is None else form % (figures[key],))
        rows.append(row + ["%d" % (len(figures["errors"]),)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join([row[0].ljust(widths[0])] + cells))
    return "\n".join(lines)


def plot(outcomes: Dict[str, Outcome], path: str, title: str) -> None:
    """Draw skew (um) against probe number into a PNG."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    for name, (_, skew_um) in outcomes.items():
        axes.plot(
            range(1, len(skew_um) + 1),
            skew_um,
            label=name,
            linewidth=2.5,
            linestyle=LINES[name],
            zorder=3 if name == "one_mcu" else 2,
        )
    axes.set_xlabel("probe number")
    axes.set_ylabel("skew gained between Z steppers (um)")
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120, format="png")


def main() -> int:
    """Run the demo; returns the exit code."""
    arguments = parse_arguments("demo")
    started_s = time.monotonic()
    try:
        library()
        host = hosts.find(arguments.host)
        title = "%s %s, seed %d" % (host.name, host.version, arguments.seed)
        if arguments.can:
            title += ", seven boards on a CAN bus of 1 Mbit/s"
        outcomes = run_all(host.name, arguments.seed, arguments.can)
    except (hosts.HostError, BuildError, SessionError, GCodeError) as e:
        print("demo: %s" % (e,), file=sys.stderr)
        return 1
    print("%s (%.0f s)\n" % (title, time.monotonic() - started_s))
    print(table(outcomes))
    plot(outcomes, arguments.plot, title)
    print("\nSkew against probe number: %s" % (arguments.plot,))
    if arguments.json:
        report = {
            "host": {"name": host.name, "version": host.version},
            "seed": arguments.seed,
            "runs": {name: outcome.figures for name, outcome in outcomes.items()},
        }
        Path(arguments.json).write_text(json.dumps(report, indent=2) + "\n")
    # That the uncorrected printer fails is what the demo is to show
    failed = [n for n, o in outcomes.items() if o.figures["errors"] and "uncorrected" not in n]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
