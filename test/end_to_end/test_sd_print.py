# A sliced file printed from the virtual SD card, start to end
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest

from helpers.sliced import slice_objects
from virtual_printer.session import Session
from virtual_printer.unusual_samples import SwitchPrinter

# About five minutes
LAYERS = 24
# How long to look away while it prints
LOOK_AGAIN_S = 10.0
PRINTER = SwitchPrinter("corexy", {"z": ("z",)})
STEP_MM = 40 / 200 / 16


@pytest.fixture(params=[False, True], ids=["lines", "arcs"])
def sliced(request):
    return slice_objects(LAYERS, start=["G28"], arcs=request.param, e=False)


@pytest.fixture
def running(host, tmp_path, sliced):
    sections = f"[virtual_sdcard]\npath: {tmp_path}/gcodes\n"
    if sliced.has_arcs:
        sections += "[gcode_arcs]\nresolution: 0.3\n"
    with Session(
        host,
        PRINTER.printer_cfg() + sections,
        PRINTER.machine_cfg(),
        work_dir=tmp_path,
        files={"gcodes/part.gcode": sliced.text},
    ) as session:
        yield session


def wait_for_end(running):
    """Let it print; return the path of the nozzle as far as somebody has looked."""
    places = []
    while running.status("print_stats", "state")["state"] == "printing":
        running.sleep(LOOK_AGAIN_S)
        places.append(running.carriage_truth())
    running.gcode("M400")
    return places


def test_sliced_file_is_printed_to_its_end(running, sliced):
    begin_s = running.now_s()
    running.gcode("SDCARD_PRINT_FILE FILENAME=part.gcode")
    places = wait_for_end(running)
    stats = running.status("print_stats")
    assert (stats["state"], stats["message"]) == ("complete", "")
    assert 240.0 < running.now_s() - begin_s < 400.0
    assert running.status("virtual_sdcard", "progress")["progress"] == 1.0
    assert running.carriage_truth() == pytest.approx((*sliced.place, sliced.height_mm), abs=STEP_MM)
    # It has been within its skirt all the time but before the first layer and after the last
    printing = [(x, y, z) for x, y, z in places[2:-2]]
    assert len(printing) > 20
    assert all(60 - STEP_MM <= x <= 145 + STEP_MM for x, _, _ in printing)
    assert all(70 - STEP_MM <= y <= 125 + STEP_MM for _, y, _ in printing)
    heights = [z for _, _, z in printing]
    assert max(heights) <= sliced.height_mm and min(heights) > 0.0
    counters = running.control("counters")
    assert "shutdown=-" in counters and "Error" not in running.log()
