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

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

BURNERS = 2 * (os.cpu_count() or 1)
# What klippy.log says of the real machine, and addresses
UNLIKE = re.compile(r"\b(memavail|sysload)=\S+|\b0x[0-9a-f]+|\b\d{14,}\b")


@contextmanager
def cpu_burners():
    command = [sys.executable, "-c", "while True: pass"]
    burners = [subprocess.Popen(command) for _ in range(BURNERS)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def run(host, folder, seed):
    """Home, probe and level; return the schedule, the positions and the log."""
    sample = SamplePrinter()
    with Session(
        host, sample.printer_cfg(), sample.machine_cfg(), seed=seed, work_dir=folder
    ) as printer:
        printer.gcode("G28\nG1 Z10 F600\nPROBE_ACCURACY SAMPLES=5\nQUAD_GANTRY_LEVEL")
        result = printer.schedule_hash(), printer.stepper_truth(), printer.log()
    shutil.rmtree(folder)
    return result


@pytest.fixture
def runs(host, tmp_path):
    """Run a seed; each run finds the same empty folder."""
    return lambda seed: run(host, tmp_path / "run", seed)


def test_same_seed_gives_the_same_run_beside_cpu_burners(runs):
    schedule, truth, log = runs(3)
    with cpu_burners():
        burdened_schedule, burdened_truth, burdened_log = runs(3)
    assert burdened_schedule == schedule
    assert burdened_truth == truth
    assert UNLIKE.sub("", burdened_log).splitlines() == UNLIKE.sub("", log).splitlines()


def test_another_seed_gives_another_run(runs):
    assert runs(3)[0] != runs(4)[0]
