# A real client, Moonraker: homes, probes and reads the status object over HTTP
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from end_to_end.driving import level_truth, skew_gained_mm

from scripts.developer.moonraker import Moonraker
from virtual_printer.samples import SamplePrinter, config_text, motor_options
from virtual_printer.session import Session

SAMPLE = SamplePrinter()


HOT = {
    "extruder": {
        **motor_options("toolhead", "H", 0),
        "microsteps": 16,
        "rotation_distance": 7.7,
        "nozzle_diameter": 0.4,
        "filament_diameter": 1.75,
        "heater_pin": "toolhead:PH8",
        "sensor_pin": "toolhead:PH9",
        "sensor_type": "EPCOS 100K B57560G104F",
        "control": "pid",
        "pid_kp": 22,
        "pid_ki": 1.1,
        "pid_kd": 110,
        "min_temp": 0,
        "min_extrude_temp": 50,
        "max_temp": 280,
    },
}
FLAT = "\n" + config_text({"bed": {"tilt_x": 0, "tilt_y": 0, "bow_mm": 0}})
GCODE = "G90\nG1 Z5 F600\nG1 X100 Y100 F9000\nM83\nG1 X120 E2 F1800\nG1 Z10\n"


@pytest.fixture
def gcodes(tmp_path):
    return tmp_path / "moonraker" / "gcodes"


@pytest.fixture
def printer(host, gcodes):
    """A session in a folder of its own: the path of a socket has room for 107 bytes only."""
    more = config_text({**HOT, "virtual_sdcard": {"path": gcodes}})
    with Session(host, SAMPLE.printer_cfg() + more, SAMPLE.machine_cfg() + FLAT) as session:
        yield session


@pytest.fixture
def moonraker(printer, tmp_path, gcodes):
    gcodes.mkdir(parents=True)
    (gcodes / "part.gcode").write_text(GCODE)
    with Moonraker(printer, tmp_path / "moonraker") as client:
        yield client


def run(moonraker, script):
    return moonraker.post("/printer/gcode/script", script=script)


def resync_status(moonraker):
    code, answer = moonraker.get("/printer/objects/query", multi_mcu_resync="")
    assert code == 200, answer
    return answer["result"]["status"]["multi_mcu_resync"]


def test_client_homes_probes_and_reads_the_status_over_http(moonraker, printer):
    assert resync_status(moonraker)["in_sync"] == {"z": None}
    code, answer = run(moonraker, "PROBE")
    assert (code, answer["error"]["message"].split()[:2]) == (400, ["Must", "home"])

    assert run(moonraker, "G28") == (200, {"result": "ok"})
    homed = resync_status(moonraker)
    assert homed["in_sync"] == {"z": True}
    assert homed["homing_moves"] > 0
    before = level_truth(printer)

    for _ in range(3):
        assert run(moonraker, "G1 Z10\nPROBE") == (200, {"result": "ok"})
    probed = resync_status(moonraker)
    assert probed["homing_moves"] == homed["homing_moves"] + 3
    assert (probed["in_sync"], probed["corrected"], probed["error"]) == ({"z": True}, True, "")
    assert probed == printer.status("multi_mcu_resync")
    assert list(probed["overshoot_steps"]) == SAMPLE.z_names
    assert all(steps > 0 for steps in probed["overshoot_steps"].values())
    for name, steps in probed["correction_steps"].items():
        # The trigger may lie between the same step of two steppers
        assert abs(steps - probed["overshoot_steps"][name]) <= 1
    assert skew_gained_mm(before, level_truth(printer)) < 1e-9
    assert "Fetching" not in moonraker.log()


def test_client_levels_heats_and_prints(moonraker, printer):
    done = (200, {"result": "ok"})
    assert run(moonraker, "G28\nQUAD_GANTRY_LEVEL") == done
    heights_mm = [level_truth(printer)[name].position_mm for name in SAMPLE.z_names]
    assert max(heights_mm) - min(heights_mm) < 0.02
    assert run(moonraker, "M109 S60") == done
    assert printer.temperatures()["extruder.sensor"] == pytest.approx(60.0, abs=3.0)

    assert moonraker.post("/printer/print/start", filename="part.gcode") == done
    while printer.status("print_stats")["state"] == "printing":
        moonraker.pass_time(1.0)
    code, answer = moonraker.get("/printer/objects/query", print_stats="")
    assert (code, answer["result"]["status"]["print_stats"]["state"]) == (200, "complete")
    # Its last moves may still run
    assert run(moonraker, "M400") == done
    assert printer.carriage_truth()[:2] == pytest.approx((120.0, 100.0), abs=0.02)
    assert printer.stepper_truth()["extruder"].position_mm == pytest.approx(2.0, abs=0.01)
    assert resync_status(moonraker)["in_sync"] == {"z": True}
