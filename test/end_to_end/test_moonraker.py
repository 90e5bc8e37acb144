# A real client, Moonraker: homes, probes and reads the status object over HTTP
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from end_to_end.driving import level_truth, skew_gained_mm

from scripts.developer.moonraker import Moonraker
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

SAMPLE = SamplePrinter()


@pytest.fixture
def printer(host):
    """A session in a folder of its own: the path of a socket has room for 107 bytes only."""
    with Session(host, SAMPLE.printer_cfg(), SAMPLE.machine_cfg()) as session:
        yield session


@pytest.fixture
def moonraker(printer, tmp_path):
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
