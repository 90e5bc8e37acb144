# A small slice of the benchmark
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json

import pytest

from scripts.developer.bench import can_buses, command, rivals
from virtual_printer import hosts


@pytest.fixture
def small(monkeypatch):
    """A benchmark of a few probes; the processes that it starts inherit this."""
    for name, value in {
        "ACCURACY_SAMPLES": 3,
        "LEVELLINGS": 1,
        "PROBES": 10,
        "PROBES_BETWEEN_LOOKS": 5,
        "HOMINGS": 3,
        "CYCLES": 2,
        "CYCLE_RUNS": 1,
        "CPU_STEPPERS": (2,),
        "CPU_HOMINGS": 2,
        "CPU_RUNS": 1,
        "HOST_CPU_RUNS": 1,
        "HOST_CPU_TURNS": 3,
        "HOST_CPU_SAMPLES": 3,
        "LONGEST_CORRECTION_STEPS": 40,
    }.items():
        monkeypatch.setattr(rivals, name, value)


# Results by the first word of a task: those of the tasks that a test does not run
ELSEWHERE = {
    "host cpu": dict.fromkeys(("resync", "off", "resync_to_off"), 1.0),
    "drift": rivals.Drift([1.0, 1.0], 1.0, 0.0, 50.0),
    "pulses": 0,
    "timing": rivals.Timing(1.0, 1.0),
    "cycle": 1.0,
    "g28": 1.0,
    "resync cpu": {"2": 1.0},
}


@pytest.fixture
def measure(small, monkeypatch, tmp_path, capsys):
    """measure(kinds) runs the benchmark with the tasks of these kinds; returns its report."""

    def run_benchmark(*kinds):
        run_all = command.run_tasks

        def run_tasks(tasks):
            kind_of = {name: next(k for k in ELSEWHERE if name.startswith(k)) for name in tasks}
            found = {name: ELSEWHERE[kind] for name, kind in kind_of.items()}
            wanted = {name: task for name, task in tasks.items() if kind_of[name] in kinds}
            return {**found, **(run_all(wanted) if wanted else {})}

        figures, picture = tmp_path / "bench.json", tmp_path / "bench.png"
        monkeypatch.setattr(command, "run_tasks", run_tasks)
        monkeypatch.setattr("sys.argv", ["bench", "--json", str(figures), "--plot", str(picture)])
        assert command.main() == 0
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert "seconds per probe, ratio" in capsys.readouterr().out
        return json.loads(figures.read_text())

    return run_benchmark


def test_benchmark_measures_the_time_of_all_rivals(measure):
    report = measure("timing", "cycle", "g28")
    for key in ("seconds_per_probe_ratio", "qgl_ratio"):
        assert set(report[key]) == {"resync", "off", "sequential"}
        assert all(0.5 < ratio < 10.0 for ratio in report[key].values())
    assert set(report["g28_ratio"]) == {"resync", "off"}
    assert all(0.9 < ratio < 1.1 for ratio in report["g28_ratio"].values())
    assert set(report["probe_then_move_ms"]) == {"resync", "off"}
    assert all(abs(added_ms) < 100.0 for added_ms in report["probe_then_move_ms"].values())


def test_benchmark_measures_the_drift_of_all_rivals_and_what_the_resync_takes(measure):
    report = measure("drift", "pulses", "host cpu", "resync cpu")
    assert set(report["host_cpu_ratio"]) == {"resync", "off", "resync_to_off"}
    assert all(0.3 < ratio < 3.0 for ratio in report["host_cpu_ratio"].values())
    for key in ("probe_drift_um", "g28_drift_um"):
        assert set(report[key]) == {"resync", "sequential", "one_mcu"}
        assert report[key]["resync"] < 0.01
        assert report[key]["one_mcu"] > 0.5
    assert report["mapping_error_mm"] < 1e-9
    assert set(report["cpu_ms"]) == {"2"}
    assert all(milliseconds > 0.0 for milliseconds in report["cpu_ms"].values())
    assert report["wrong_pulse_counts"] == 0
    assert 10.0 < report["peak_rss_mb"] < 1000.0


def test_cpu_of_a_resync_is_measured_with_up_to_sixteen_micro_controllers(monkeypatch):
    steppers = tuple(map(str, rivals.CPU_STEPPERS))
    assert (steppers[0], steppers[-1]) == ("2", "16")
    monkeypatch.setattr(rivals, "CPU_HOMINGS", 2)
    monkeypatch.setattr(rivals, "CPU_RUNS", 1)
    found_ms = rivals.measure_cpu_ms(hosts.find().name, 1, print)
    assert tuple(found_ms) == steppers
    assert all(milliseconds > 0.0 for milliseconds in found_ms.values())


def test_benchmark_of_can_buses_tells_fast_from_slow(monkeypatch, tmp_path, capsys):
    for name, value in {
        "BUSES": {bus: can_buses.BUSES[bus] for bus in ("250 k", "1 M")},
        "LOADS": (0.0,),
        "PROBES": 3,
        "LEVELLINGS": 1,
        "LEVELLING_RUNS": 1,
    }.items():
        monkeypatch.setattr(can_buses, name, value)
    figures, picture = tmp_path / "bench.json", tmp_path / "bench.png"
    options = ["--can", "--json", str(figures), "--plot", str(picture)]
    monkeypatch.setattr("sys.argv", ["bench", *options])
    assert command.main() == 0
    report = json.loads(figures.read_text())
    slow, fast = report["buses"]
    assert (slow["bus"], fast["bus"]) == ("250 k", "1 M")
    # Klipper's own patience is too short for the slow one
    assert (slow["probes_in_time"], fast["probes_in_time"]) == (0, 3)
    assert slow["busy"] > fast["busy"] > 0.03
    assert slow["overshoot_mean_mm"] > 1.5 * fast["overshoot_mean_mm"] > 0.03
    for row in (slow, fast):
        assert 0.0 < row["skew_mean_mm"] <= row["skew_max_mm"] < row["overshoot_max_mm"]
        # Each stops at its own pin, whatever the bus
        assert row["wired_skew_max_mm"] <= can_buses.STEP_MM
    assert (report["levellings"], report["levelling_timeouts"]) == (1, 0)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "0 communication timeouts in 1 runs" in capsys.readouterr().out


def test_bus_that_never_keeps_up_is_a_row_without_figures():
    nothing = can_buses.Overshoot([], [], 0.9, 0, [])
    found = {"%s %g" % (bus, load): nothing for bus in can_buses.BUSES for load in can_buses.LOADS}
    found.update(("levelling %d" % (i,), 0) for i in range(can_buses.LEVELLING_RUNS))
    figures = can_buses.report(found)
    assert {row["overshoot_mean_mm"] for row in figures["buses"]} == {None}
    assert can_buses.table(figures).count("0 of %d" % (can_buses.PROBES,)) == len(figures["buses"])
