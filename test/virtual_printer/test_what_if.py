# What if: steppers on other boards in memory, what that would cost, and what is refused
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest

from helpers import linkage_printers
from printer_config.config_file import ConfigFile
from printer_config.section import ConfigError
from virtual_printer import hosts
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session
from virtual_printer.what_if import moved, page, prediction
from virtual_printer.what_if.trial import Trial

ONE_BOARD = SamplePrinter().on_one_mcu().without_section()
SAVED = "#*# <---------------------- SAVE_CONFIG ---------------------->\n"
# Of twenty each was within a step
MACHINES = 8


def config_of(folder: Path, text: str) -> ConfigFile:
    path = folder / "printer.cfg"
    path.write_text(text)
    return ConfigFile(path)


# Places


def test_steppers_are_named_with_or_without_the_word() -> None:
    assert moved.parse_places("z1=a, stepper_z2=b") == {"stepper_z1": "a", "stepper_z2": "b"}


@pytest.mark.parametrize("text", ["z1", "z1=", "z1=a,", "z1=a b", "=a"])
def test_place_that_is_none_is_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match="is not STEPPER=BOARD, as in z1=board2"):
        moved.parse_places(text)


@pytest.mark.parametrize("text, rate", [("1M", 1_000_000), ("250k", 250_000), ("500000", 500_000)])
def test_bit_rate_is_read_as_people_write_it(text: str, rate: int) -> None:
    assert moved.parse_bit_rate(text) == rate


@pytest.mark.parametrize("text", ["fast", "5M", "1k", "-1M", ""])
def test_bit_rate_that_is_none_is_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match=f"--can: '{text}' is not a bit rate"):
        moved.parse_bit_rate(text)


@pytest.mark.parametrize(
    "places, problem",
    [
        ("z1=a,z1=b", "stepper_z1 is named twice"),
        ("q=a", r"section \[stepper_q\] is missing"),
        ("z1=toolhead", r"\[mcu toolhead\] is there already: name another board"),
        ("z1=mcu", r"\[mcu mcu\] is there already"),
        ("z1=a,z2=a,z3=a", "a has drivers for 2 steppers only"),
    ],
)
def test_move_that_cannot_be_is_one_line(tmp_path: Path, places: str, problem: str) -> None:
    config = config_of(tmp_path, ONE_BOARD.printer_cfg())
    with pytest.raises(ConfigError, match=problem):
        moved.move(config, moved.parse_places(places))


# What is changed in printer.cfg


def options_after(folder: Path, text: str, places: str) -> Dict[str, Dict[str, str]]:
    config = config_of(folder, text)
    changed = moved.move(config, moved.parse_places(places))
    after = config_of(folder, moved.changed_text(text, changed.changes, True))
    return {
        name: {option: value for option, (value, _) in section.options.items()}
        for name, section in after.sections.items()
    }


def test_only_the_pins_of_a_stepper_and_of_its_driver_are_changed(tmp_path: Path) -> None:
    driver = "[tmc2209 stepper_z1]\nuart_pin: z0:PC1\ndiag_pin: ^z0:PC2\nrun_current: 0.8\n"
    driver += "select_pins:\n  z0:PC3\n  z0:PC4\n"
    text = ONE_BOARD.printer_cfg() + driver
    before = options_after(tmp_path, text, "z2=other")
    after = options_after(tmp_path, text, "z1=board")
    assert after["tmc2209 stepper_z1"] == {
        "uart_pin": "board:PA3",
        "diag_pin": "^board:PA4",
        "run_current": "0.8",
    }
    changed = {o for o, v in after["stepper_z1"].items() if v != before["stepper_z1"][o]}
    assert changed == {"step_pin", "dir_pin", "enable_pin"}
    for option in changed:
        old, new = before["stepper_z1"][option], after["stepper_z1"][option]
        assert re.sub(r"\w+:\w+$", "", old) == re.sub(r"\w+:\w+$", "", new)
        assert "board:" in new
    assert after["mcu board"]["serial"] == "/dev/serial/by-id/what-if-board"
    assert after["multi_mcu_resync"] == {}
    same = set(before) & set(after) - {"stepper_z1", "stepper_z2", "tmc2209 stepper_z1"}
    assert all(before[name] == after[name] for name in same) and len(same) > 10


def test_driver_on_spi_gets_wires_of_its_new_board(tmp_path: Path) -> None:
    driver = "[tmc5160 stepper_z1]\ncs_pin: z0:PC1\nspi_bus: spi2\nrun_current: 0.8\n"
    after = options_after(tmp_path, ONE_BOARD.printer_cfg() + driver, "z1=board")
    assert after["tmc5160 stepper_z1"] == {
        "cs_pin": "board:PA3",
        "run_current": "0.8",
        "spi_software_sclk_pin": "board:PB13",
        "spi_software_miso_pin": "board:PB14",
        "spi_software_mosi_pin": "board:PB15",
    }


def test_what_was_saved_stays_the_end_of_the_file(tmp_path: Path) -> None:
    text = ONE_BOARD.printer_cfg() + "\n" + SAVED + "#*# [probe]\n#*# z_offset = 1.5\n"
    config = config_of(tmp_path, text)
    changed = moved.move(config, {"stepper_z1": "board"})
    after = moved.changed_text(text, changed.changes, True)
    assert after.endswith(SAVED + "#*# [probe]\n#*# z_offset = 1.5\n")
    assert "[mcu board]" in after.partition(SAVED)[0]


# Runs


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "virtual_printer", *arguments],
        cwd=str(hosts.ROOT),
        capture_output=True,
        text=True,
        timeout=120,
    )


def cells(text: str, row: str) -> List[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(row)]
    return line[len(row) :].split()


def test_printer_with_its_steppers_on_four_boards_is_compared(tmp_path: Path) -> None:
    config = config_of(tmp_path, ONE_BOARD.printer_cfg())
    html = tmp_path / "page.html"
    options = ("--what-if", "z1=b1,z2=b2,z3=b3", "--can", "1M", "--html", str(html))
    done = command(*options, str(config.path))
    assert done.returncode == 0, done.stderr
    assert re.search(r"^It works\. It takes .* for each probe\.$", done.stdout, re.MULTILINE)
    before_s, after_s = map(float, cells(done.stdout, "one probe, s"))
    assert after_s == pytest.approx(before_s, abs=0.01)
    assert cells(done.stdout, "Z steppers moved apart, um") == ["0.0", "0.0"]
    assert 1.0 < float(cells(done.stdout, "can_what_if busy, %")[1]) < 60.0
    boards = [cells(done.stdout, f"stepper_z{i}")[0] for i in (1, 2, 3)]
    assert boards == ["b1", "b2", "b3"]
    text = html.read_text()
    for number in cells(done.stdout, "one probe, s"):
        assert f"<td>{number}</td>" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "printer.cfg"]


def test_printer_that_would_not_work_says_why(tmp_path: Path) -> None:
    # Each of them takes its share of the corrections that are allowed
    text = ONE_BOARD.printer_cfg() + "[multi_mcu_resync]\nmax_correction: 0.0001\n"
    config = config_of(tmp_path, text)
    done = command("--what-if", "z1=b1", str(config.path))
    assert done.returncode == 1
    assert "\nIt does not work: " in done.stdout
    assert "max_correction" in done.stdout


def test_delta_is_compared_as_far_as_it_can_be(tmp_path: Path) -> None:
    config = config_of(tmp_path, linkage_printers.printer_cfg(linkage_printers.DELTA))
    done = command("--what-if", "a=b1", str(config.path))
    assert "Traceback" not in done.stderr
    assert cells(done.stdout, "G28, s")[0] != "-"


@pytest.mark.parametrize("number", range(MACHINES))
def test_overshoot_is_predicted_within_a_step(number: int, tmp_path: Path) -> None:
    rng = random.Random(number)
    count = rng.choice((2, 3, 4))
    mcus = tuple(f"z{i}" for i in range(count))
    sample = SamplePrinter(
        z_mcus=mcus,
        probe_speed_mm_s=rng.uniform(2.0, 8.0),
        heights_mm=tuple(rng.uniform(19.8, 20.2) for _ in mcus),
        can_mcus=tuple(rng.sample(mcus, 2)) if rng.random() < 0.3 else (),
    )
    with Session("kalico", sample.printer_cfg(), sample.machine_cfg(), seed=number) as session:
        session.gcode("G28\nRESYNC_STATS RESET=1\nG1 Z5 F600")
        session.gcode("PROBE SAMPLES=1\nG1 Z5 F600\n" * 20)
        mean_mm = session.status("multi_mcu_resync", "overshoot_mean_mm")["overshoot_mean_mm"]
        config = ConfigFile(session.work_dir / "printer.cfg")
        expected = prediction.overshoot_steps(config, session.machine)
        steps_mm = {s.name: s.step_distance_mm for s in session.machine.steppers}
    assert sorted(expected) == sorted(mean_mm)
    for name, steps in expected.items():
        assert mean_mm[name] / steps_mm[name] == pytest.approx(steps, abs=1.0), name


# Words


def test_verdict_says_what_it_costs() -> None:
    before, after = Trial(homing_s=10.0, probe_s=1.0), Trial(homing_s=10.0, probe_s=1.0025)
    comparison = page.Comparison("title", before, after, [])
    assert comparison.verdict() == "It works. It takes as long to home, 2 ms more for each probe."
    after.error = "Klippy is not ready\n(error): no"
    assert comparison.verdict() == "It does not work: Klippy is not ready (error): no"
    before.error = after.error
    assert comparison.verdict().endswith("So it does as it is.")


def test_page_escapes_what_others_wrote() -> None:
    comparison = page.Comparison("a <b>", Trial(), Trial(error="<script>"), [])
    assert "<script>" not in page.page(comparison)
    assert "a &lt;b&gt;" in page.page(comparison)
