# A small slice of the demo, and what it says to bad options
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json

import pytest

from scripts.developer import demo
from virtual_printer import hosts, machine
from virtual_printer.samples import CAN_PRINTER
from virtual_printer.session import SessionError

FIGURES = {
    "probes",
    "range_mm",
    "stddev_mm",
    "seconds_per_probe",
    "qgl_seconds",
    "qgl_retries",
    "drift_um",
    "comm_timeouts",
    "errors",
}


@pytest.fixture
def small(monkeypatch):
    """A demo of a few probes; the processes that it starts inherit this."""
    monkeypatch.setattr(demo, "PROBES", 8)
    monkeypatch.setattr(demo, "ACCURACY_SAMPLES", 5)


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["demo", *map(str, arguments)])
    return demo.main()


def test_demo_shows_the_disease_and_the_cure(small, monkeypatch, tmp_path, capsys):
    figures, picture = tmp_path / "demo.json", tmp_path / "demo.png"
    host = hosts.find()
    assert run(monkeypatch, "--seed", 3, "--json", figures, "--plot", picture) == 0
    report = json.loads(figures.read_text())
    assert report["host"] == {"name": host.name, "version": host.version}
    assert report["seed"] == 3
    assert list(report["runs"]) == ["one_mcu", "shared_uncorrected", "shared_resync"]
    for run_figures in report["runs"].values():
        assert set(run_figures) == FIGURES
        assert run_figures["probes"] == 8
    assert report["runs"]["shared_resync"]["drift_um"] == 0.0
    assert report["runs"]["shared_resync"]["errors"] == []
    assert report["runs"]["shared_uncorrected"]["drift_um"] > 5.0
    assert picture.read_bytes().startswith(b"\x89PNG")
    table = capsys.readouterr().out
    assert all(name in table for name in report["runs"])


def test_demo_with_can_runs_the_same_three_ways_on_a_bus(monkeypatch, tmp_path):
    runs = {}

    def run_tasks(tasks):
        runs.update(tasks)
        raise SessionError("enough")

    monkeypatch.setattr(demo, "run_tasks", run_tasks)
    assert run(monkeypatch, "--can", "--plot", tmp_path / "demo.png") == 1
    samples = {name: task.arguments[0] for name, task in runs.items()}
    assert list(samples) == ["one_mcu", "shared_uncorrected", "shared_resync"]
    clocks = CAN_PRINTER.frequencies_hz
    for sample in samples.values():
        assert sample.can_mcus == CAN_PRINTER.can_mcus
        assert "canbus_uuid" in sample.printer_cfg()
        (tmp_path / "printer.cfg").write_text(sample.printer_cfg())
        (tmp_path / "machine.cfg").write_text(sample.machine_cfg())
        found = machine.load(tmp_path / "printer.cfg", tmp_path / "machine.cfg")
        assert {m.name: m.frequency_hz for m in found.mcus}.items() <= clocks.items()
    assert len(set(samples["one_mcu"].z_mcus)) == 1
    assert samples["shared_resync"].resync == {}


@pytest.mark.parametrize(
    "arguments, problem",
    [
        (["--json", "/nonexistent/demo.json"], "cannot write '/nonexistent/demo.json'"),
        (["--plot", "demo.jpg"], "'demo.jpg' does not end in .png"),
        (["--seed", "x"], "invalid int value: 'x'"),
    ],
)
def test_bad_option_ends_in_one_line_before_anything_runs(monkeypatch, capsys, arguments, problem):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, *arguments)
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err.splitlines()[-1]


def test_unknown_host_ends_in_one_line(monkeypatch, capsys, tmp_path):
    assert run(monkeypatch, "--host", "marlin", "--plot", tmp_path / "x.png") == 1
    assert capsys.readouterr().err.startswith("demo: host 'marlin' is not set up")
