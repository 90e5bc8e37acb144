# Recordings: what is in them, that a run comes again, and where two differ
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Dict, Iterator, List

import pytest

from helpers import wire
from virtual_printer import hosts, recording, recording_command
from virtual_printer.recording import Record
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

SAMPLE = SamplePrinter(z_mcus=("z0", "z1"), can_mcus=("z1",)).with_resync()
HEADER = recording.MARK + '{"host": "a host", "run": null}\n'
LINES = "0.000000001,position,stepper_x,mm,1.000000\n0.5,command,z1,get_clock,\n"
END = "0.5,end,,,\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording of the command, with a scenario, in a folder whose name has a blank."""
    folder = tmp_path_factory.mktemp("a run")
    (folder / "printer.cfg").write_text(SAMPLE.printer_cfg())
    (folder / "machine.cfg").write_text(SAMPLE.machine_cfg())
    (folder / "a.scenario").write_text("after PROBE 0..1: link z1 late_us=20000\n")
    command = [sys.executable, "-m", "virtual_printer", str(folder / "printer.cfg"), "--seed", "5"]
    for option, name in (("record", "run.csv"), ("machine", "machine.cfg")):
        command += [f"--{option}", str(folder / name)]
    command += ["--scenario", str(folder / "a.scenario"), "G28", "PROBE"]
    subprocess.run(command, cwd=str(hosts.ROOT), check=True, stdout=subprocess.DEVNULL)
    return folder / "run.csv"


def test_recording_has_all_that_happened(recorded: Path) -> None:
    found = list(recording.records(recorded))
    kinds = Counter(record.kind for record in found)
    assert set(kinds) == {"command", "response", "frame", "position", "endstop"}
    times_s = [float(record.time_s) for record in found]
    assert times_s == sorted(times_s)
    steps = [r for r in found if (r.name, r.what) == ("z1", "queue_step")]
    assert steps and all(len(r.values.split()) == 4 for r in steps)
    names = {r.name for r in found if r.kind == "position"}
    assert names == {"stepper_x", "stepper_y", "stepper_z", "stepper_z1", "toolhead"}
    triggers = [r for r in found if r.kind == "endstop" and r.values.endswith(" 1")]
    assert triggers
    # Frames are those of the one node; what they hold are its commands and responses
    assert {r.name for r in found if r.kind == "frame"} == {"can0"}


def test_positions_are_the_truth(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    with Session("kalico", SAMPLE.printer_cfg(), SAMPLE.machine_cfg(), record=path) as session:
        session.gcode("G28\nG1 X100 Y120 Z20 F6000\nM400")
        session.sleep(0.1)
        truth, place = session.stepper_truth(), session.carriage_truth()
    last: Dict[str, List[float]] = {}
    for record in recording.records(path):
        if record.kind == "position":
            last[record.name] = [float(word) for word in record.values.split()]
    for name, where in truth.items():
        assert last[name] == [pytest.approx(where.position_mm, abs=1e-6)]
    assert last["toolhead"] == pytest.approx(place, abs=1e-6)


def test_replay_is_the_same_run_to_the_last_byte(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert recording_command.main(["replay", str(recorded)]) == 0
    assert capsys.readouterr().out == "the same run\n"


def test_replay_of_another_run_names_time_and_mcu(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = recorded.read_text().splitlines(keepends=True)
    number = next(i for i, line in enumerate(lines) if ",command,z1,queue_step," in line)
    lines[number] = lines[number].replace("count=", "count=9")
    changed = write(tmp_path / "changed.csv", "".join(lines))
    assert recording_command.main(["replay", str(changed)]) == 1
    time_s = lines[number].partition(",")[0]
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"differ from record {number} on, {time_s} s, z1"
    assert out[1].startswith(f"first:  {time_s} s: command z1 queue_step oid=")
    assert out[2].startswith(f"second: {time_s} s: command z1 queue_step oid=")


def test_run_of_a_test_cannot_be_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.csv", HEADER + LINES + END)
    assert recording_command.main(["replay", str(path)]) == 1
    assert "a run that only its own program can repeat" in capsys.readouterr().err


# Files


def test_record_is_a_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEADER + LINES + END)
    assert list(recording.records(path)) == [
        Record("0.000000001", "position", "stepper_x", "mm", "1.000000"),
        Record("0.5", "command", "z1", "get_clock", ""),
    ]
    assert recording.header(path) == {"host": "a host", "run": None}


@pytest.mark.parametrize(
    "text, problem",
    [
        ("", "is no recording"),
        ("time,kind\n", "is no recording"),
        (recording.MARK + '{"host":', "is cut in its first line"),
        (HEADER + LINES, "is cut, its end is missing"),
        (HEADER + LINES[:-5], "line 3 is cut"),
        (HEADER + LINES + END[:-1], "line 4 is cut"),
        (HEADER + LINES + END + LINES, "is cut, its end is missing"),
    ],
)
def test_file_that_is_no_whole_recording_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    path = write(tmp_path / "a.csv", text)
    for command in (["compare", str(path), str(path)], ["plot", str(path), f"{path}.png"]):
        assert recording_command.main(command) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line == f"virtual_recording: {path}: {problem}"


@pytest.mark.parametrize("run", ["{}", "[1]", '{"host": "a", "run": {"new": 1}}'])
def test_recording_of_another_version_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], run: str
) -> None:
    path = write(tmp_path / "a.csv", recording.MARK + run + "\n" + LINES + END)
    assert recording_command.main(["replay", str(path)]) == 1
    said = f"virtual_recording: {path}: is of another version of the virtual printer\n"
    assert capsys.readouterr().err == said


def test_folder_that_is_used_again_has_its_own_recording(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        work_dir, path = tmp_path / "work", tmp_path / name
        with Session("kalico", SAMPLE.printer_cfg(), work_dir=work_dir, record=path) as session:
            session.gcode("M400")
        assert len(list(recording.records(path))) > 100


def test_file_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert recording_command.main(["replay", str(tmp_path / "a.csv")]) == 1
    assert "a.csv: cannot be read (No such file or directory)" in capsys.readouterr().err


def test_longer_recording_differs_where_the_other_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = write(tmp_path / "short.csv", HEADER + LINES + END)
    long = write(tmp_path / "long.csv", HEADER + LINES + "0.6,frame,can0,id,1 00\n" + END)
    assert recording_command.main(["compare", str(short), str(short)]) == 0
    assert recording_command.main(["compare", str(short), str(long)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "the same run",
        "differ from record 3 on, 0.6 s, can0",
        "first:  is at its end",
        "second: 0.6 s: frame can0 id 1 00",
    ]


def test_reading_takes_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    line = "1.000000000,frame,can0,id,111 3113008f5028fe87\n"
    path = write(tmp_path / "a.csv", HEADER + line * 200_000 + END)
    tracemalloc.start()
    assert recording.first_difference(path, path) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_plot_is_a_picture(recorded: Path, tmp_path: Path) -> None:
    picture = tmp_path / "plot.png"
    assert recording_command.main(["plot", str(recorded), str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_picture_of_no_known_kind_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.csv", HEADER + LINES + END)
    assert recording_command.main(["plot", str(path), str(tmp_path / "a.xyz")]) == 1
    assert "a.xyz: Format 'xyz' is not supported" in capsys.readouterr().err


# The simulation


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[wire.Simulation]:
    body = "body hot capacity=20 loss=0.1 ambient=25 start=25"
    heater = "heater hot mcu=main pin=10 power=40"
    lines = [f"record {tmp_path}/run.csv every_s=0.5", body, heater]
    (tmp_path / "run.csv").write_text(HEADER)
    with wire.Simulation(wire.describe(tmp_path, lines), tmp_path) as simulation:
        yield simulation


def test_what_changes_is_recorded_when_it_is_looked_at(
    simulation: wire.Simulation, tmp_path: Path
) -> None:
    simulation.run(10.0)
    simulation.hosts["main"].send("set_digital_out", 10, 1)
    simulation.run(2.0)
    simulation.ask("record_end")
    simulation.ask("record_end")
    simulation.run(2.0)
    found = [r for r in recording.records(tmp_path / "run.csv") if r.kind == "temperature"]
    times_s = [float(record.time_s) for record in found]
    # Once at the start, and then whenever it has become warmer
    assert times_s[0] == 0.0 and times_s[1] > 10.0
    assert len(found) == 5
    assert all(time_s % 0.5 == 0.0 for time_s in times_s)
    assert float(found[-1].values) > 25.5


def test_recording_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    lines = [f"record {tmp_path}/nowhere/run.csv every_s=1"]
    with pytest.raises(Exception, match="cannot write '.*/nowhere/run.csv'"):
        wire.Simulation(wire.describe(tmp_path, lines), tmp_path)
