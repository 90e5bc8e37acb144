# A small slice of the benchmark
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json

import bench
import pytest


@pytest.fixture
def small(monkeypatch):
    """A benchmark of a few probes; the processes that it starts inherit this."""
    for name, value in {
        "ACCURACY_SAMPLES": 3,
        "LEVELLINGS": 1,
        "PROBES": 20,
        "PROBES_BETWEEN_LOOKS": 10,
        "HOMINGS": 5,
        "CPU_HOMINGS": 2,
        "LONGEST_CORRECTION_STEPS": 40,
    }.items():
        monkeypatch.setattr(bench, name, value)


def test_benchmark_measures_all_rivals(small, monkeypatch, tmp_path, capsys):
    figures, picture = tmp_path / "bench.json", tmp_path / "bench.png"
    monkeypatch.setattr("sys.argv", ["bench", "--json", str(figures), "--plot", str(picture)])
    assert bench.main() == 0
    report = json.loads(figures.read_text())
    for key in ("seconds_per_probe_ratio", "qgl_ratio"):
        assert set(report[key]) == {"resync", "off", "sequential"}
        assert all(0.5 < ratio < 10.0 for ratio in report[key].values())
    for key in ("probe_drift_um", "g28_drift_um"):
        assert set(report[key]) == {"resync", "sequential", "one_mcu"}
        assert report[key]["resync"] < 0.01
        assert report[key]["one_mcu"] > 0.5
    assert report["mapping_error_mm"] < 1e-9
    assert set(report["cpu_ms"]) == {"2", "4", "8", "16"}
    assert all(milliseconds > 0.0 for milliseconds in report["cpu_ms"].values())
    assert report["wrong_pulse_counts"] == 0
    assert 10.0 < report["peak_rss_mb"] < 1000.0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "seconds per probe, ratio" in capsys.readouterr().out
