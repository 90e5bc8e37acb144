# What the resync costs in time and CPU, and how much skew it lets in, against its rivals
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import os
import random
import re
import statistics
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import matplotlib

from scripts.developer.parallel import Task
from scripts.developer.stopwatch import Stopwatch
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError, Session

# Klipper's default probing speed
LIKE = SamplePrinter(probe_speed_mm_s=5.0)
UNLIKE = SamplePrinter(
    z_gear_ratios=("80:16", "75:16", "77:16", "73:16"),
    z_dir_inverted=(False, True, False, True),
)
ACCURACY_SAMPLES = 200
LEVELLINGS = 5
PROBES = 1000
PROBES_BETWEEN_LOOKS = 50
HOMINGS = 50
# A cycle is a move, a probe and a move; runs differ by their seeds
CYCLES = 60
CYCLE_RUNS = 3
CPU_STEPPERS = (2, 4, 8, 16)
CPU_HOMINGS = 20
CPU_RUNS = 5
# Of one run of each printer, turn and turn about so that all meet the same load.  Where
# its memory happens to lie makes a process faster or slower by a hundredth or two.
HOST_CPU_RUNS = 10
HOST_CPU_TURNS = 30
HOST_CPU_SAMPLES = 5
LONGEST_CORRECTION_STEPS = 5000
LEVEL_HEIGHT_MM = 10.0
PLOT_TITLE = "Skew against probe number"
RIVALS = {"resync": "resync", "sequential": "sequential", "one_mcu": "one MCU", "off": "off"}


class Timing(NamedTuple):
    """Virtual seconds of one printer."""

    probe_s: float
    qgl_s: float


class HostCpu(NamedTuple):
    """CPU seconds of the host for the same probes: alone, correction off and on."""

    alone_s: float
    off_s: float
    resync_s: float

    def ratios(self) -> Dict[str, float]:
        """What one way takes to what another does."""
        return {
            "resync": self.resync_s / self.alone_s,
            "off": self.off_s / self.alone_s,
            "resync_to_off": self.resync_s / self.off_s,
        }


class Drift(NamedTuple):
    """Skew (um) after every so many probes and after all G28, and what else was seen."""

    probe_um: List[float]
    g28_um: float
    mapping_error_mm: float
    peak_rss_mb: float


def printer_cfg(sample: SamplePrinter, rival: str) -> str:
    """printer.cfg of the sample with one rival taking care of it."""
    if rival == "one_mcu":
        return sample.on_one_mcu().without_section().printer_cfg()
    if rival == "alone":
        # The checks are lifted and no more
        return sample.without_section().printer_cfg() + "\n[sequential_resync]\ncorrect: False\n"
    if rival == "sequential":
        return sample.without_section().printer_cfg() + "\n[sequential_resync]\n"
    if rival == "off":
        return sample.with_resync(correct=False).printer_cfg()
    return sample.printer_cfg() + "\n[resync_bench]\n"


def run_gcode(printer: Session, rival: str, script: str) -> None:
    """Run G-code; it may fail on the printer that gets more and more crooked."""
    try:
        printer.gcode(script)
    except GCodeError:
        if rival != "off":
            raise


def measure_timing(host: str, rival: str, seed: int, say: Any) -> Timing:
    """Time QUAD_GANTRY_LEVEL on a level gantry, and PROBE_ACCURACY."""
    with Session(host, printer_cfg(LIKE, rival), LIKE.machine_cfg(), seed=seed) as printer:
        printer.gcode("G28")
        say("levelling")
        run_gcode(printer, rival, "QUAD_GANTRY_LEVEL\nM400")
        qgl_s = 0.0
        for _ in range(LEVELLINGS):
            stopwatch = Stopwatch(printer)
            run_gcode(printer, rival, "QUAD_GANTRY_LEVEL\nM400")
            qgl_s += stopwatch.seconds() / LEVELLINGS
        say("PROBE_ACCURACY SAMPLES=%d" % (ACCURACY_SAMPLES,))
        printer.gcode("G90\nG1 X150 Y125 Z10 F9000\nM400")
        stopwatch = Stopwatch(printer)
        run_gcode(printer, rival, "PROBE_ACCURACY SAMPLES=%d\nM400" % (ACCURACY_SAMPLES,))
        return Timing(stopwatch.seconds() / ACCURACY_SAMPLES, qgl_s)


def measure_cycle_s(host: str, rival: str, seed: int, say: Any) -> float:
    """Time a probe that is followed at once by a move, at the same random places for all."""
    cycles_s = []
    for run in range(CYCLE_RUNS):
        say("%d probes, each followed by a move, run %d" % (CYCLES, run + 1))
        rng = random.Random(seed + run)
        text = printer_cfg(LIKE, rival)
        with Session(host, text, LIKE.machine_cfg(), seed=seed + run) as printer:
            printer.gcode("G28\nQUAD_GANTRY_LEVEL\nG90\nG1 Z%g F600\nM400" % (LEVEL_HEIGHT_MM,))
            stopwatch = Stopwatch(printer)
            for _ in range(CYCLES):
                x_mm, y_mm = rng.uniform(20, 280), rng.uniform(10, 250)
                printer.gcode(
                    "G1 X%.3f Y%.3f F9000\nPROBE\nG1 Z%g F600" % (x_mm, y_mm, LEVEL_HEIGHT_MM)
                )
            printer.gcode("M400")
            cycles_s.append(stopwatch.seconds() / CYCLES)
    return statistics.mean(cycles_s)


def measure_g28_s(host: str, rival: str, seed: int, say: Any) -> float:
    """Time G28 of all axes."""
    say("%d times G28" % (HOMINGS,))
    with Session(host, printer_cfg(LIKE, rival), LIKE.machine_cfg(), seed=seed) as printer:
        printer.gcode("G28\nQUAD_GANTRY_LEVEL\nM400")
        stopwatch = Stopwatch(printer)
        for _ in range(HOMINGS):
            printer.gcode("G28")
        printer.gcode("M400")
        return stopwatch.seconds()


def skew_mm(printer: Session) -> Dict[str, float]:
    """True minus commanded position of each Z stepper.

    Steppers are in step while the differences of these stay the same, whatever
    whole step each is on at the moment.
    """
    found = re.search(r"stepper: (.*)", "\n".join(printer.gcode("GET_POSITION")))
    assert found is not None
    commanded_mm = dict(field.split(":") for field in found.group(1).split())
    truth = printer.stepper_truth()
    return {n: truth[n].position_mm - float(commanded_mm[n]) for n in UNLIKE.z_names}


def gained_um(before_mm: Dict[str, float], after_mm: Dict[str, float]) -> float:
    """Largest skew between two steppers that has come since."""
    gained_mm = [after_mm[name] - before_mm[name] for name in before_mm]
    return round((max(gained_mm) - min(gained_mm)) * 1000.0, 3)


def offset_differences_mm(printer: Session, rival: str) -> List[float]:
    """Differences of the mapping offsets, at full precision (resync only)."""
    if rival != "resync":
        return []
    offsets_mm = printer.status("resync_bench", "mapping_offset_mm")["mapping_offset_mm"]
    return [offsets_mm[n] - offsets_mm[UNLIKE.z_names[0]] for n in UNLIKE.z_names]


def peak_rss_mb(process_id: int) -> float:
    """The most memory that a process has had (MB)."""
    status = Path("/proc/%d/status" % (process_id,)).read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1000.0


def measure_drift(host: str, rival: str, seed: int, say: Any) -> Drift:
    """Probe at random places, then home, with unlike step distances."""
    rng = random.Random(seed)
    with Session(host, printer_cfg(UNLIKE, rival), UNLIKE.machine_cfg(), seed=seed) as printer:
        printer.gcode("G28\nQUAD_GANTRY_LEVEL\nG90\nG1 Z%g F600\nM400" % (LEVEL_HEIGHT_MM,))
        offsets_mm = offset_differences_mm(printer, rival)
        before_mm = skew_mm(printer)
        probe_um = []
        for i in range(PROBES):
            if i % (PROBES // 5) == 0:
                say("probe %d of %d" % (i, PROBES))
            x_mm, y_mm = rng.uniform(20, 280), rng.uniform(10, 250)
            printer.gcode("G1 X%.3f Y%.3f F9000\nPROBE" % (x_mm, y_mm))
            printer.gcode("G1 Z%g F600" % (LEVEL_HEIGHT_MM,))
            if (i + 1) % PROBES_BETWEEN_LOOKS == 0:
                printer.gcode("M400")
                probe_um.append(gained_um(before_mm, skew_mm(printer)))
        before_mm = skew_mm(printer)
        say("%d times G28" % (HOMINGS,))
        for _ in range(HOMINGS):
            printer.gcode("G1 Z%.4f F600\nG28 Z" % (rng.uniform(5.0, 15.0),))
        printer.gcode("G1 Z%g F600\nM400" % (LEVEL_HEIGHT_MM,))
        g28_um = gained_um(before_mm, skew_mm(printer))
        errors_mm = [
            abs(after - before)
            for before, after in zip(offsets_mm, offset_differences_mm(printer, rival))
        ]
        rss_mb = peak_rss_mb(printer.process_id)
        return Drift(probe_um, g28_um, max(errors_mm, default=0.0), rss_mb)


def measure_host_cpu(host: str, seed: int, say: Any) -> Dict[str, float]:
    """Ratios of the CPU that the host takes to probe, on the same printer with shared axes."""
    # All on one CPU
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    runs = []
    for run in range(HOST_CPU_RUNS):
        say("CPU of %d probes, run %d" % (HOST_CPU_TURNS * HOST_CPU_SAMPLES, run + 1))
        runs.append(host_cpu_run(host, seed))
    return {
        key: median_of_medians([[turn[key] for turn in run] for run in runs]) for key in runs[0][0]
    }


def host_cpu_run(host: str, seed: int) -> List[Dict[str, float]]:
    """The ratios of each turn, of printers that start anew."""
    # Without the section that takes the time of single resyncs
    texts = [printer_cfg(LIKE, "alone"), printer_cfg(LIKE, "off"), LIKE.printer_cfg()]
    with ExitStack() as stack:
        printers = [
            stack.enter_context(Session(host, text, LIKE.machine_cfg(), seed=seed))
            for text in texts
        ]
        for printer in printers:
            printer.gcode("G28\nQUAD_GANTRY_LEVEL\nG90\nG1 X150 Y125 F9000\nM400")
        return [HostCpu(*map(host_cpu_s, printers)).ratios() for _ in range(HOST_CPU_TURNS)]


def median_of_medians(runs: List[List[float]]) -> float:
    """The median of the runs' medians: load that comes and goes meets single turns only."""
    return statistics.median(map(statistics.median, runs))


def host_cpu_s(printer: Session) -> float:
    """Real CPU time of the host for some probes."""
    printer.gcode("G1 Z%g F600\nM400" % (LEVEL_HEIGHT_MM,))
    before_s = printer.host_cpu_s()
    printer.gcode("PROBE_ACCURACY SAMPLES=%d\nM400" % (HOST_CPU_SAMPLES,))
    return printer.host_cpu_s() - before_s


def measure_cpu_ms(host: str, seed: int, say: Any) -> Dict[str, float]:
    """Real CPU time of the host per resync of so many steppers, each on its MCU.

    The median of some runs.  No other axis is shared: its steppers would count too.
    """
    with ExitStack() as stack:
        printers = {}
        for steppers in CPU_STEPPERS:
            x_mcus = tuple("x%d" % (i,) for i in range(steppers))
            sample = replace(SamplePrinter().on_one_mcu(), x_mcus=x_mcus)
            text = printer_cfg(sample, "resync")
            printer = Session(host, text, sample.machine_cfg(), seed=seed)
            printers[str(steppers)] = stack.enter_context(printer)
            # Not the first time that the code runs
            printer.gcode("G28 X")
        runs = []
        for run in range(CPU_RUNS):
            say("%d times G28 X of each printer, run %d" % (CPU_HOMINGS, run + 1))
            runs.append({name: cpu_ms(printer) for name, printer in printers.items()})
    return {name: statistics.median(run[name] for run in runs) for name in printers}


def cpu_ms(printer: Session) -> float:
    """Real CPU time of the host per resync, of some times G28 X."""
    before = printer.status("resync_bench")
    for _ in range(CPU_HOMINGS):
        printer.gcode("G28 X")
    after = printer.status("resync_bench")
    cpu_s, resyncs = (after[key] - before[key] for key in ("cpu_s", "resyncs"))
    return float(cpu_s / resyncs * 1e3)


def count_wrong_pulses(host: str, seed: int, say: Any) -> int:
    """Correct by every number of steps in both directions; count what came out wrong."""
    sample = SamplePrinter()
    # Corrections alone are no activity that would keep the motors on
    text = sample.printer_cfg() + "\n[resync_bench]\n[idle_timeout]\ntimeout: 100000\n"
    # The longest correction is over before the next
    text = text.replace("max_z_velocity: 30", "max_z_velocity: 100").replace("max_z_accel: 350", "")
    names, wrong = sample.z_names, 0
    with Session(host, text, sample.machine_cfg(), seed=seed) as printer:
        printer.gcode("SET_KINEMATIC_POSITION X=150 Y=150 Z=50\nG1 Z51 F600\nM400")
        for first in range(1, LONGEST_CORRECTION_STEPS + 1, len(names)):
            if first % (LONGEST_CORRECTION_STEPS // 5) == 1:
                say("correction of %d steps" % (first,))
            for sign in (1, -1):
                steps = [sign * (first + i) for i in range(len(names))]
                for name in names:
                    printer.control("pulses %s reset" % (name,))
                printer.gcode("BENCH_CORRECT STEPS=%s" % (",".join(map(str, steps)),))
                printer.sleep(0.6)
                wrong += sum(pulses(printer, n) != s for n, s in zip(names, steps))
    return wrong


def pulses(printer: Session, name: str) -> Optional[int]:
    """Pulses of a stepper since their count was reset, None if it has turned."""
    up, down = (int(word) for word in printer.control("pulses %s" % (name,)).split()[-2:])
    return None if up and down else up - down


def task_groups(host: str, seed: int) -> List[Dict[str, Task]]:
    """All measurements, the longest first; those of the second group have both cores."""
    found: Dict[str, Task] = {}
    found["host cpu"] = Task(measure_host_cpu, (host, seed))
    for rival in ("resync", "sequential", "one_mcu"):
        found["drift " + rival] = Task(measure_drift, (host, rival, seed))
    found["pulses"] = Task(count_wrong_pulses, (host, seed))
    for rival in RIVALS:
        found["timing " + rival] = Task(measure_timing, (host, rival, seed))
    for rival in ("resync", "off", "one_mcu"):
        found["cycle " + rival] = Task(measure_cycle_s, (host, rival, seed))
        found["g28 " + rival] = Task(measure_g28_s, (host, rival, seed))
    return [found, {"resync cpu": Task(measure_cpu_ms, (host, seed))}]


def report(results: Dict[str, Any]) -> Dict[str, Any]:
    """The figures of the measurements, ratios to the printer with all Z on one MCU."""
    reference = results["timing one_mcu"]
    timed = {rival: results["timing " + rival] for rival in ("resync", "off", "sequential")}
    drifts = {rival: results["drift " + rival] for rival in ("resync", "sequential", "one_mcu")}
    return {
        "seconds_per_probe_ratio": {
            rival: round(timing.probe_s / reference.probe_s, 5) for rival, timing in timed.items()
        },
        "qgl_ratio": {
            rival: round(timing.qgl_s / reference.qgl_s, 5) for rival, timing in timed.items()
        },
        "probe_then_move_ms": {
            rival: round((results["cycle " + rival] - results["cycle one_mcu"]) * 1e3, 3)
            for rival in ("resync", "off")
        },
        "g28_ratio": {
            rival: round(results["g28 " + rival] / results["g28 one_mcu"], 5)
            for rival in ("resync", "off")
        },
        "host_cpu_ratio": {k: round(ratio, 4) for k, ratio in results["host cpu"].items()},
        "probe_drift_um": {rival: drift.probe_um[-1] for rival, drift in drifts.items()},
        "g28_drift_um": {rival: drift.g28_um for rival, drift in drifts.items()},
        "mapping_error_mm": drifts["resync"].mapping_error_mm,
        "cpu_ms": {steppers: round(ms, 4) for steppers, ms in results["resync cpu"].items()},
        "peak_rss_mb": drifts["resync"].peak_rss_mb,
        "wrong_pulse_counts": results["pulses"],
    }


def table(figures: Dict[str, Any]) -> str:
    """The figures as text."""
    lines = ["%-34s%12s%12s%12s%12s" % ("", "resync", "off", "sequential", "one MCU")]
    for key, title, form in (
        ("seconds_per_probe_ratio", "seconds per probe, ratio", "%.4f"),
        ("qgl_ratio", "QUAD_GANTRY_LEVEL, ratio", "%.4f"),
        ("g28_ratio", "%d times G28, ratio" % (HOMINGS,), "%.4f"),
        ("probe_then_move_ms", "probe, then move, ms added", "%.2f"),
        ("probe_drift_um", "drift of %d probes, um" % (PROBES,), "%.1f"),
        ("g28_drift_um", "drift of %d times G28, um" % (HOMINGS,), "%.1f"),
    ):
        values = dict(figures[key])
        if key.endswith(("ratio", "ms")):
            values["one_mcu"] = float(key.endswith("ratio"))
        cells = [
            form % (values[rival],) if rival in values else "-"
            for rival in ("resync", "off", "sequential", "one_mcu")
        ]
        lines.append("%-34s%12s%12s%12s%12s" % (title, *cells))
    lines.append("")
    lines.append("change of mapping differences       %.1e mm" % (figures["mapping_error_mm"],))
    lines.append(
        "host CPU per probe, ratio            %.3f to the host alone, %.3f to the correction off"
        % (figures["host_cpu_ratio"]["resync"], figures["host_cpu_ratio"]["resync_to_off"])
    )
    for steppers, milliseconds in figures["cpu_ms"].items():
        title = "host CPU per resync, %s steppers" % (steppers,)
        lines.append("%-34s  %.3f ms" % (title, milliseconds))
    lines.append("%-34s  %.1f MB" % ("peak memory of the host", figures["peak_rss_mb"]))
    lines.append(
        "corrections of 1 to %d steps, both ways: %d with a wrong number of pulses"
        % (LONGEST_CORRECTION_STEPS, figures["wrong_pulse_counts"])
    )
    return "\n".join(lines)


def plot(results: Dict[str, Any], path: str, title: str) -> None:
    """Draw skew against probes, and CPU against steppers, into a PNG."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (skew, cpu) = pyplot.subplots(1, 2, figsize=(11, 4.5), width_ratios=(2, 1))
    for rival in ("sequential", "one_mcu", "resync"):
        probe_um = results["drift " + rival].probe_um
        probes = range(PROBES_BETWEEN_LOOKS, PROBES + 1, PROBES_BETWEEN_LOOKS)
        skew.plot(probes, probe_um, label=RIVALS[rival], linewidth=2)
    skew.set_xlabel("probe number")
    skew.set_ylabel("skew gained between unlike Z steppers (um)")
    skew.legend()
    cpu.plot(CPU_STEPPERS, list(results["resync cpu"].values()), "o-")
    cpu.set_xlabel("steppers of the rail")
    cpu.set_ylabel("host CPU per resync (ms)")
    cpu.set_xticks(CPU_STEPPERS)
    cpu.set_ylim(bottom=0)
    for axes in (skew, cpu):
        axes.grid(alpha=0.3)
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, dpi=120, format="png")
