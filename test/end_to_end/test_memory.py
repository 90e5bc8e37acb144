# Neither the virtual printer nor the extra takes more memory the longer it runs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math

import pytest

from virtual_printer import full_sample, hosts
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

# Until all queues have been as long as they get
WARM_UP_S = 150.0
WHOLE_S = 600.0
WINDOWS = 4
REST_S = 150.0
CIRCLE = [(150 + 20 * math.cos(i / 5), 150 + 20 * math.sin(i / 5)) for i in range(32)]


@pytest.fixture
def printer(tmp_path):
    """The printer with everything, on one host: what it takes is of the simulation alone."""
    sample, host = full_sample.six_mcus(), hosts.available()[-1]
    with Session(host, sample.printer_cfg(), sample.machine_cfg(), work_dir=tmp_path) as session:
        yield session


def memory(printer):
    """Blocks and bytes of the simulation."""
    words = (word.split("=") for word in printer.control("memory").split())
    return {name: int(value) for name, value in words}


def run_until(printer, end_s):
    """Heat, print and probe again and again."""
    while printer.now_s() < end_s:
        printer.gcode("M104 S190\nSET_LED LED=lights RED=1")
        printer.gcode("\n".join(f"G1 X{x:.3f} Y{y:.3f} E0.03 F3600" for x, y in CIRCLE))
        printer.gcode("M104 S180\nM140 S55\nPROBE\nG1 Z10 F600\nM400")
        printer.sleep(REST_S)


def test_simulation_of_a_full_printer_keeps_to_its_memory(printer):
    printer.gcode("M140 S60\nM104 S180\nM106 S128\nSET_FAN_SPEED FAN=a SPEED=0.5")
    printer.gcode("SET_FAN_SPEED FAN=b SPEED=1\nG28\nG1 Z10 F600\nM109 S180\nM83")
    run_until(printer, printer.now_s() + WARM_UP_S)
    found = [memory(printer)]
    for _ in range(WINDOWS):
        run_until(printer, printer.now_s() + WHOLE_S / WINDOWS)
        found.append(memory(printer))
    assert found[0]["blocks"] > 100
    assert {one["blocks"] for one in found} == {found[0]["blocks"]}
    # A queue may come to be longer than ever before, but not each time
    grown = [after["bytes"] - before["bytes"] for before, after in zip(found, found[1:])]
    assert min(grown) == 0


def test_restart_gives_back_what_the_run_before_has_taken(printer):
    before = memory(printer)
    for _ in range(2):
        printer.restart("FIRMWARE_RESTART")
        assert memory(printer)["blocks"] == before["blocks"]


def alive(printer):
    """Objects of the extra that the host holds, by kind."""
    return printer.status("alive")["kinds"]


def test_homing_moves_leave_nothing_behind(start):
    printer = start(SamplePrinter(), sections="[alive]")
    printer.gcode("G28\nG1 Z10 F600\nPROBE")
    before = alive(printer)
    printer.gcode("G28\nG1 Z10 F600\nPROBE_ACCURACY SAMPLES=20")
    assert before["StandIn"] > 0
    assert alive(printer) == before


def test_nothing_of_the_extra_outlives_a_restart(start):
    printer = start(SamplePrinter(), sections="[alive]")
    printer.gcode("G28")
    before = alive(printer)
    for command in ("RESTART", "FIRMWARE_RESTART"):
        printer.restart(command)
        printer.gcode("G28")
        assert alive(printer) == before
    assert before["MultiMcuResync"] == 1
