# Steps 10 to 12: with corrections, RESYNC_ACCURACY, levelling, and many probes
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from typing import Iterator, List, Tuple

from ..context import Context, out_of_step
from ..errors import CommandFailed
from ..links import Watch
from ..rows import LOOK, PASSED, STOP, Row

ACCURACY, LEVELLING, PROBES = "accuracy", "levelling", "probes"
SAMPLES = 20
# Klipper's own advice for a probe that is to level a bed
MOST_RANGE_MM = 0.025
# What RESYNC_ACCURACY says of each stepper
_DRIFT = re.compile(r"(.+?) on \S+ \(\d+ moves?\): .*; drift (-?[\d.]+) mm$")
# Above where it triggers; the axis is level by then
LIFT_MM = 3.0
# Multiples of them fill a square evenly (the plastic number's powers)
_SPREAD = (0.7548776662466927, 0.5698402909980532)
_GUIDE = "see Troubleshooting in docs/Guide.md"


def accuracy(trial: Context) -> Iterator[Row]:
    """The drift of each stepper has to be nothing."""
    trial.ensure_correct(True)
    if not _has_probe(trial):
        yield _no_probe(ACCURACY)
        return
    text = "RESYNC_ACCURACY: the probe touches the bed %d times at one place, some mm up and down."
    try:
        trial.console.go("probe", text % (SAMPLES,))
        trial.ensure_homed()
        lines = trial.printer.run("RESYNC_ACCURACY SAMPLES=%d" % (SAMPLES,), "M400")
    except CommandFailed as e:
        yield Row(ACCURACY, STOP, str(e), _GUIDE, "probing")
        return
    drifts_mm = {found[1]: float(found[2]) for found in map(_DRIFT.match, lines) if found}
    ranges = re.findall(r"\brange ([\d.]+)", "\n".join(lines))
    range_mm = float(ranges[-1]) if ranges else 0.0
    trial.figures["accuracy"] = {"range_mm": range_mm, "drift_mm": drifts_mm}
    moved = ["%s %.6f mm" % one for one in drifts_mm.items() if one[1]]
    silent = set(trial.machine.names_of("z")).difference(drifts_mm)
    if silent or moved:
        what = ", ".join(moved) or "RESYNC_ACCURACY has no figures of %s" % (sorted(silent),)
        yield Row(ACCURACY, STOP, "steppers drift apart: %s" % (what,), _GUIDE, "drift")
        return
    what = "no stepper drifts in %d samples; the range of the probe is %.6f mm"
    row = Row(ACCURACY, PASSED, what % (SAMPLES, range_mm))
    if range_mm > MOST_RANGE_MM:
        advice = "over %g mm: clean the nozzle, tighten the probe" % (MOST_RANGE_MM,)
        row = row._replace(verdict=LOOK, advice=advice, reason="range")
    yield row


def levelling(trial: Context) -> Iterator[Row]:
    """Level what became crooked while nothing was corrected."""
    trial.ensure_correct(True)
    command = trial.machine.levelling_command
    if not command:
        advice = "see that both ends are straight, then RESYNC CLEAR=1"
        yield Row(LEVELLING, LOOK, "no command levels this printer", advice, "no_levelling")
        return
    try:
        trial.console.go("level_command", "%s probes the bed at several points." % (command,))
        trial.ensure_homed()
        trial.printer.run(command, "G28", "M400")
    except CommandFailed as e:
        yield Row(LEVELLING, STOP, "%s: %s" % (command, e), _GUIDE, "levelling")
        return
    status = trial.resync()
    wrong = out_of_step(status)
    needed = [axis for axis, is_so in status["level_needed"].items() if is_so and axis == "z"]
    if wrong or needed:
        what = wrong or status["level_needed_reason"]["z"]
        yield Row(LEVELLING, STOP, what, _GUIDE, "levelling")
    else:
        yield Row(LEVELLING, PASSED, "%s: level and in sync" % (command,))


def probes(trial: Context) -> Iterator[Row]:
    """Probe all over the bed; nothing may come out of step."""
    trial.ensure_correct(True)
    if not _has_probe(trial):
        yield _no_probe(PROBES)
        return
    watch = Watch(trial.printer)
    places = _places(trial)
    lift_mm = trial.machine.probe_height_mm + LIFT_MM
    text = "%d probes all over the bed, %g mm up and down each time."
    done = 0
    try:
        trial.console.go("probe", text % (len(places), LIFT_MM))
        trial.ensure_homed()
        trial.printer.run("RESYNC_STATS RESET=1")
        for x_mm, y_mm in places:
            watch.look()
            move = "G1 X%.1f Y%.1f F6000" % (x_mm, y_mm)
            trial.printer.run("G90", "G1 Z%.2f F600" % (lift_mm,), move, "PROBE")
            done += 1
        trial.printer.run("G1 Z%.2f F600" % (lift_mm,), "M400")
    except CommandFailed as e:
        yield Row(PROBES, STOP, "probe %d: %s" % (done + 1, e), _GUIDE, "probing")
        return
    yield from watch.rows(PROBES)
    yield _after(trial, done)


def _after(trial: Context, done: int) -> Row:
    wrong = trial.check_counts()
    if wrong:
        return Row(PROBES, STOP, wrong, _GUIDE, "counts")
    status = trial.resync()
    names = status["overshoot_count"]
    figures = {n: (status["latency_mean_ms"][n], status["latency_max_ms"][n]) for n in names}
    trial.figures["probes"] = {
        n: {"mean_ms": mean_ms, "most_ms": most_ms} for n, (mean_ms, most_ms) in figures.items()
    }
    times = ", ".join("%s %.2f (%.2f)" % (n, *ms) for n, ms in figures.items())
    text = "%d probes, all in sync and counted right; latency in ms, mean and most: %s"
    return Row(PROBES, PASSED, text % (done, times))


def _has_probe(trial: Context) -> bool:
    return "z" in trial.machine.axes and trial.machine.probe is not None


def _no_probe(step: str) -> Row:
    what = "no probe moves a shared axis"
    return Row(step, LOOK, what, "G28 several times and look at RESYNC_STATS", "no_probe")


def _places(trial: Context) -> List[Tuple[float, float]]:
    """Where the nozzle is to probe, evenly over the area that is levelled."""
    area = trial.machine.probing_area()
    if area is None:
        x_mm, y_mm = trial.printer.status("toolhead")["toolhead"]["position"][:2]
        return [(x_mm, y_mm)] * trial.probe_count
    (x0, y0), (x1, y1) = area
    return [
        (x0 + (x1 - x0) * (i * _SPREAD[0] % 1.0), y0 + (y1 - y0) * (i * _SPREAD[1] % 1.0))
        for i in range(trial.probe_count)
    ]
