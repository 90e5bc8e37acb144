# The command: what it runs, what it says, and what it refuses
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from helpers.sliced import slice_objects
from printer_config.config_file import ConfigFile
from virtual_printer import hosts
from virtual_printer.included import gathered_files
from virtual_printer.samples import SamplePrinter, config_text

SAMPLE = SamplePrinter().on_one_mcu().without_section()
STEPPERS = ["stepper_x", "stepper_y", "stepper_z", "stepper_z1", "stepper_z2", "stepper_z3"]
COMMAND = [sys.executable, "-m", "virtual_printer"]


def command(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=str(hosts.ROOT),
        capture_output=True,
        input=stdin,
        text=True,
        timeout=120,
    )


@pytest.fixture(params=hosts.available(), ids=lambda host: host.name)
def host(request: pytest.FixtureRequest) -> hosts.Host:
    return request.param


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "printer.cfg"
    path.write_text(SAMPLE.printer_cfg())
    return str(path)


def commands_of(done: "subprocess.CompletedProcess[str]") -> List[str]:
    return [line[2:] for line in done.stdout.splitlines() if line.startswith("> ")]


def one_line(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the one line in which a refusal is said."""
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert line.startswith("virtual_printer: ")
    return line[len("virtual_printer: ") :]


def test_gcode_is_run_and_the_truth_printed(host: hosts.Host, tmp_path: Path) -> None:
    (tmp_path / "printer.cfg").write_text("[include all.cfg]\n")
    (tmp_path / "all.cfg").write_text(SAMPLE.printer_cfg())
    (tmp_path / "machine.cfg").write_text(SAMPLE.machine_cfg())
    done = command(
        *("--host", host.name, "--machine", f"{tmp_path}/machine.cfg"),
        *(f"{tmp_path}/printer.cfg", "--log", f"{tmp_path}/a.log", "G28", "GET_POSITION"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "> G28"
    assert lines[-8].startswith("toolhead: truly at X ")
    assert [line.split(":")[0] for line in lines[-7:-1]] == STEPPERS
    assert re.fullmatch(rf"\d+\.\d+ s of virtual time on {host.name}", lines[-1])
    assert "Starting Klippy" in (tmp_path / "a.log").read_text()


def test_commands_come_from_a_file_or_from_stdin(config: str, tmp_path: Path) -> None:
    (tmp_path / "script.gcode").write_text("; by hand\nG28 X\n\nG28 Y ; and so on\n")
    done = command(config, "--script", f"{tmp_path}/script.gcode")
    assert commands_of(done) == ["G28 X", "G28 Y ; and so on"]
    assert commands_of(command(config, stdin="G28 X\nM400\n")) == ["G28 X", "M400"]


def test_truth_is_printed_after_an_error_too(config: str) -> None:
    done = command(config, "G28 X", "G1 X9999", "G28 Y")
    assert done.returncode == 1
    assert commands_of(done) == ["G28 X", "G1 X9999"]
    assert done.stderr.startswith("virtual_printer: Move out of range")
    assert "\nstepper_x: " in done.stdout


def test_shutdown_is_an_error_and_says_why(config: str) -> None:
    done = command(config, "M112")
    assert (done.returncode, done.stderr) == (1, "")
    assert "\nKlippy is in state shutdown: Shutdown due to M112 command\n" in done.stdout
    assert "\nstepper_x: " in done.stdout


def test_sliced_file_is_printed_to_its_end(tmp_path: Path) -> None:
    sliced = slice_objects(1, start=["G28"], e=False)
    saved = "\n#*# <---------------------- SAVE_CONFIG ---------------------->\n#*#\n"
    own_card = config_text({"virtual_sdcard": {"path": "/nowhere"}})
    (tmp_path / "printer.cfg").write_text(SAMPLE.printer_cfg() + own_card + saved)
    (tmp_path / "part.gcode").write_text(sliced.text)
    done = command(f"{tmp_path}/printer.cfg", "--gcode", f"{tmp_path}/part.gcode")
    assert done.returncode == 0, done.stderr
    found = re.search(r"^toolhead: truly at X (\S+) Y (\S+),", done.stdout, re.MULTILINE)
    assert found
    assert [float(mm) for mm in found.groups()] == pytest.approx(sliced.place, abs=0.02)


def test_print_that_fails_says_why(config: str, tmp_path: Path) -> None:
    (tmp_path / "part.gcode").write_text("G28\nG1 X9999\n")
    done = command(config, "--gcode", f"{tmp_path}/part.gcode")
    assert done.returncode == 1
    assert done.stderr.startswith("virtual_printer: the print is error: Move out of range")
    assert "\nstepper_x: " in done.stdout


def test_reader_that_goes_away_is_no_error(config: str) -> None:
    with subprocess.Popen(
        [*COMMAND, config, "G28 X", "M400"],
        cwd=str(hosts.ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


@pytest.mark.parametrize(
    "text, problem",
    [
        (None, "cannot be read (No such file or directory)"),
        ("[printer]\nkinematics: corexy\n", "section [mcu] is missing"),
        ("[mcu\n", "File contains no section headers"),
    ],
)
def test_bad_config_is_one_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "printer.cfg"
    if text is not None:
        path.write_text(text)
    assert problem in one_line(command(str(path), "G28"))


@pytest.mark.parametrize(
    "arguments, problem",
    [
        (["--script", "/no/script"], "No such file or directory: '/no/script'"),
        (["--gcode", "/no/part"], "No such file or directory: '/no/part'"),
        (["--machine", "/no/machine", "G28"], "/no/machine: cannot be read"),
        (["--host", "marlin", "G28"], "host 'marlin' is not set up"),
        (["--host", "/no/klipper", "G28"], "no Klipper there: no klippy.py with chelper/"),
        (["--extra", "/no/extra.py", "G28"], "no extra there: /no/extra.py is neither"),
    ],
)
def test_what_is_not_there_is_one_line(config: str, arguments: List[str], problem: str) -> None:
    assert problem in one_line(command(config, *arguments))


@pytest.mark.parametrize(
    "arguments, problem",
    [
        (["--script", "a", "G28"], "take one of COMMAND, --script and --gcode"),
        (["--script", "a", "--gcode", "b"], "take one of COMMAND, --script and --gcode"),
        (["--real-time", "G28"], "--real-time runs no host"),
        (["--real-time", "--extra", "a.py"], "--real-time runs no host"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: List[str], problem: str) -> None:
    done = command("printer.cfg", *arguments)
    assert done.returncode == 2
    assert problem in done.stderr


def test_missing_compiler_is_one_line(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert one_line(command(config, "G28")).startswith("no C compiler: ")


# What printer.cfg includes


def texts(folder: Path, name: str, **files: str) -> "dict[str, str]":
    for path, text in files.items():
        file = folder / path.replace("__", "/").replace("_cfg", ".cfg")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("FOLDER", str(folder)))
    return gathered_files(ConfigFile(folder / name), "printer.cfg")


def test_included_files_inside_keep_their_places(tmp_path: Path) -> None:
    assert texts(tmp_path, "my.cfg", my_cfg="[include sub/*.cfg]\n", sub__a_cfg="[a]\n") == {
        "printer.cfg": "[include sub/*.cfg]\n",
        "sub/a.cfg": "[a]\n",
    }


def test_included_files_outside_are_brought_along(tmp_path: Path) -> None:
    found = texts(
        tmp_path,
        "config/my.cfg",
        config__my_cfg="[include ../shared/a.cfg] # theirs\n[include FOLDER/b.cfg]\n",
        shared__a_cfg="[include c*.cfg]\n[include ../config/own.cfg]\n",
        shared__c1_cfg="[c1]\n",
        config__own_cfg="[own]\n",
        b_cfg="[b]\n",
    )
    outside = f"outside{tmp_path}"
    assert found == {
        "printer.cfg": f"[include {outside}/shared/a.cfg] # theirs\n[include {outside}/b.cfg]\n",
        f"{outside}/shared/a.cfg": "[include c*.cfg]\n"
        f"[include {'../' * len(Path(outside, 'shared').parts)}own.cfg]\n",
        f"{outside}/shared/c1.cfg": "[c1]\n",
        "own.cfg": "[own]\n",
        f"{outside}/b.cfg": "[b]\n",
    }


def test_printer_that_includes_files_outside_starts(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "config").mkdir()
    (tmp_path / "shared" / "all.cfg").write_text(SAMPLE.printer_cfg())
    (tmp_path / "config" / "printer.cfg").write_text("[include ../shared/all.cfg]\n")
    done = command(f"{tmp_path}/config/printer.cfg", "G28 X")
    assert (done.returncode, done.stderr) == (0, "")


def test_printer_may_include_a_file_that_is_called_machine_cfg(tmp_path: Path) -> None:
    (tmp_path / "machine.cfg").write_text(SAMPLE.printer_cfg())
    (tmp_path / "printer.cfg").write_text("[include machine.cfg]\n")
    done = command(f"{tmp_path}/printer.cfg", "G28 X")
    assert (done.returncode, done.stderr) == (0, "")
