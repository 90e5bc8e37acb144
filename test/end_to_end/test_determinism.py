# The same seed gives the same run, whatever the load of the machine
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest

from virtual_printer import full_sample
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

# One on each CPU, so that whatever runs has to share it
BURNERS = os.cpu_count() or 1
# What klippy.log says of the real machine, and addresses
UNLIKE = re.compile(r"\b(memavail|sysload)=\S+|\b0x[0-9a-f]+|\b\d{14,}\b")


BARE_PRINTER = SamplePrinter()
BARE = "G28\nG1 Z10 F600\nPROBE_ACCURACY SAMPLES=5\nQUAD_GANTRY_LEVEL"
FULL = """M140 S40
M104 S170
M106 S128
SET_FAN_SPEED FAN=a SPEED=0.5
SET_FAN_SPEED FAN=b SPEED=1
SET_LED LED=lights RED=1
G28
G1 Z10 F600
MANUAL_STEPPER STEPPER=feeder MOVE=5 SPEED=5
M109 S170
M83
G1 X160 E0.5 F3000
G1 Y160 E0.5
PROBE_ACCURACY SAMPLES=2
M400"""


@contextmanager
def cpu_burners(count=BURNERS):
    command = [sys.executable, "-c", "while True: pass"]
    burners = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def run(host, folder, seed, sample, commands):
    """Run commands; return the schedule, the positions and the log."""
    with Session(
        host, sample.printer_cfg(), sample.machine_cfg(), seed=seed, work_dir=folder
    ) as printer:
        printer.gcode(commands)
        result = printer.schedule_hash(), printer.stepper_truth(), printer.log()
    shutil.rmtree(folder)
    return result


@pytest.fixture
def runs(host, tmp_path):
    """Run a seed; each run finds the same empty folder."""

    def run_seed(seed, sample=BARE_PRINTER, commands=BARE):
        return run(host, tmp_path / "run", seed, sample, commands)

    return run_seed


def assert_alike(one, other):
    """Schedule, positions and log of two runs are the same."""
    schedule, truth, log = one
    other_schedule, other_truth, other_log = other
    assert other_schedule == schedule
    assert other_truth == truth
    assert UNLIKE.sub("", other_log).splitlines() == UNLIKE.sub("", log).splitlines()


def test_same_seed_gives_the_same_run_beside_cpu_burners(runs):
    alone = runs(3)
    with cpu_burners():
        assert_alike(runs(3), alone)


def test_full_printer_runs_the_same_beside_a_cpu_burner(runs):
    alone = runs(5, full_sample.six_mcus(), FULL)
    with cpu_burners(1):
        assert_alike(runs(5, full_sample.six_mcus(), FULL), alone)


def test_another_seed_gives_another_run(runs):
    assert runs(3)[0] != runs(4)[0]
