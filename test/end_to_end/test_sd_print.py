# A sliced file printed from the virtual SD card, start to end
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import pytest

from helpers.sliced import slice_objects
from virtual_printer.samples import config_text, motor_options
from virtual_printer.session import Session
from virtual_printer.unusual_samples import SwitchPrinter

# About five minutes
LAYERS = 24
# How long to look away while it prints
LOOK_AGAIN_S = 10.0
PRINTER = SwitchPrinter("corexy", {"z": ("z",)})
STEP_MM = 40 / 200 / 16
EXTRUDER_STEP_MM = 7.7 / 200 / 16
START = ["M140 S60", "M104 S205", "G28", "M190 S60", "M109 S205"]
END = ["M104 S0", "M140 S0"]


def heater(pin, sensor_pin, **options):
    return {
        "heater_pin": pin,
        "sensor_pin": sensor_pin,
        "sensor_type": "EPCOS 100K B57560G104F",
        "min_temp": 0,
        "max_temp": 280,
        **options,
    }


def extruder(index):
    """An extruder on the toolhead, which belongs to none of the axes."""
    return {
        **motor_options("toolhead", "A", index),
        "microsteps": 16,
        "rotation_distance": 7.7,
        "nozzle_diameter": 0.4,
        "filament_diameter": 1.75,
        "max_extrude_only_distance": 100,
        **heater(f"toolhead:PB{index}", f"toolhead:PC{index}"),
        "control": "pid",
        "pid_kp": 22,
        "pid_ki": 1.1,
        "pid_kd": 110,
    }


HOT = {
    "mcu toolhead": {"serial": "/tmp/virtual_printer/toolhead", "restart_method": "command"},
    "extruder": extruder(0),
    "heater_bed": heater("PB8", "PA8", control="watermark"),
}
BELTED = {
    **motor_options("toolhead", "D", 0),
    "microsteps": 16,
    "rotation_distance": 7.7,
    "extruder": "extruder",
}


@pytest.fixture(params=[False, True], ids=["lines", "arcs"])
def sliced(request):
    return slice_objects(LAYERS, start=START, end=END, arcs=request.param)


@pytest.fixture
def running(host, tmp_path, sliced):
    sections = f"[virtual_sdcard]\npath: {tmp_path}/gcodes\n"
    if sliced.has_arcs:
        sections += "[gcode_arcs]\nresolution: 0.3\n"
    with Session(
        host,
        PRINTER.printer_cfg() + config_text(HOT) + sections,
        PRINTER.machine_cfg(),
        work_dir=tmp_path,
        files={"gcodes/part.gcode": sliced.text},
    ) as session:
        yield session


def wait_for_end(running):
    """Let it print; return where the nozzle was, and how warm, whenever somebody has looked."""
    places = []
    while True:
        stats = running.status("print_stats")
        if stats["state"] != "printing":
            break
        if stats["print_duration"] > 0.0:
            celsius = running.status("extruder", "temperature")["temperature"]
            places.append((*running.carriage_truth(), celsius))
        running.sleep(LOOK_AGAIN_S)
    running.gcode("M400")
    return places, stats


def test_sliced_file_is_printed_to_its_end(running, sliced):
    running.gcode("SDCARD_PRINT_FILE FILENAME=part.gcode")
    places, stats = wait_for_end(running)
    assert (stats["state"], stats["message"]) == ("complete", "")
    assert 240.0 < stats["print_duration"] < 400.0
    assert running.status("virtual_sdcard", "progress")["progress"] == 1.0
    assert running.carriage_truth() == pytest.approx((*sliced.place, sliced.height_mm), abs=STEP_MM)
    # The filament that the motor has fed
    fed_mm = running.stepper_truth()["extruder"].position_mm
    assert fed_mm == pytest.approx(sliced.extruded_mm, abs=EXTRUDER_STEP_MM)
    # Until it parks, it is hot and within the skirt
    printing = places[1:-2]
    assert len(printing) > 20
    assert all(60 - STEP_MM <= x <= 145 + STEP_MM for x, _, _, _ in printing)
    assert all(70 - STEP_MM <= y <= 125 + STEP_MM for _, y, _, _ in printing)
    assert all(celsius == pytest.approx(205.0, abs=5.0) for _, _, _, celsius in printing)
    assert "shutdown=-" in running.control("counters") and "Error" not in running.log()


def fed(host, folder, sections, commands):
    """Return how much filament each stepper has fed after some commands."""
    printer_cfg = PRINTER.printer_cfg() + config_text({**HOT, **sections})
    with Session(host, printer_cfg, PRINTER.machine_cfg(), work_dir=folder) as running:
        for command in ("M104 S205", "G28", "M109 S205", "M83", *commands, "M400"):
            running.gcode(command)
        return {
            name: pytest.approx(truth.position_mm, abs=EXTRUDER_STEP_MM)
            for name, truth in running.stepper_truth().items()
            if name.startswith("extruder")
        }


def test_each_extruder_feeds_its_own_filament(host, tmp_path):
    commands = ("G1 E10 F300", "ACTIVATE_EXTRUDER EXTRUDER=extruder1", "M109 S205", "G1 E-3 F300")
    got = fed(host, tmp_path, {"extruder1": extruder(1)}, commands)
    assert got == {"extruder": 10.0, "extruder1": -3.0}


def test_stepper_of_an_extruder_feeds_while_it_follows(host, tmp_path):
    source = (host.klippy / "extras" / "extruder_stepper.py").read_text()
    if "-m" in host.entry and "\nfrom kinematics" in source:
        pytest.skip(f"{host.name} cannot load its [extruder_stepper]")
    commands = ("G1 E10 F300", "SYNC_EXTRUDER_MOTION EXTRUDER=belted MOTION_QUEUE=", "G1 E5 F300")
    got = fed(host, tmp_path, {"extruder_stepper belted": BELTED}, commands)
    assert got == {"extruder": 15.0, "extruder_stepper_belted": 10.0}
