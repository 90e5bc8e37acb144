# Real hosts with their MCUs on a virtual CAN bus: the machine of the thread
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from dataclasses import replace

import pytest
from end_to_end.driving import level_truth, probe_at_random, skew_gained_mm

from virtual_printer.samples import CAN_PRINTER
from virtual_printer.session import Session

LEVELLINGS = 2


@pytest.fixture
def one_host(tmp_path):
    """start(sample) starts the host that is found first; what is tested is not the host."""
    sessions = []

    def start_session(sample):
        session = Session(None, sample.printer_cfg(), sample.machine_cfg(), work_dir=tmp_path)
        sessions.append(session)
        return session.__enter__()

    yield start_session
    for session in sessions:
        session.close()


def test_machine_of_the_thread_homes_levels_and_restarts(start):
    """The benchmark (--can) levels a hundred times."""
    with start(CAN_PRINTER) as printer:
        printer.gcode("G28" + "\nQUAD_GANTRY_LEVEL" * LEVELLINGS)
        before = level_truth(printer)
        probe_at_random(printer, 3)
        assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0.0, abs=1e-9)
        counters = printer.can_counters()
        for mcu in CAN_PRINTER.can_mcus:
            assert int(counters["can0.%s.frames" % (mcu,)]) > 1000
            assert counters["can0.%s.state" % (mcu,)] == "active"
        assert counters["can0.errors"] == "0"
        # The host does not send a frame twice where nothing is lost
        assert "bytes_retransmit=0 " in printer.log()
        printer.restart("FIRMWARE_RESTART")
        printer.gcode("G28 X\nM400")
        assert printer.carriage_truth()[0] > 290.0
        assert "Communication timeout" not in printer.log()


def test_printer_works_on_a_bus_with_errors_and_foreign_frames(one_host):
    sample = CAN_PRINTER.with_can_bus(error_rate=0.01, load=0.3, load_id=16)
    printer = one_host(sample)
    printer.gcode("G28")
    before = level_truth(printer)
    probe_at_random(printer, 2)
    assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0.0, abs=1e-9)
    counters = printer.can_counters()
    assert int(counters["can0.errors"]) > 0.005 * int(counters["can0.frames"])
    # Its controllers send again by themselves, so that Klippy need not
    assert counters["can0.host.retransmissions"] == counters["can0.host.errors"] != "0"
    busy = int(counters["can0.busy_ns"]) / (printer.now_s() * 1e9)
    assert 0.35 < busy < 0.7


def test_node_that_goes_off_the_bus_stops_the_printer_and_comes_back_with_a_restart(one_host):
    printer = one_host(CAN_PRINTER)
    printer.gcode("G28 X")
    assert printer.control("mcu z1 bus_off") == ""
    printer.sleep(10.0)
    assert printer.state() == "shutdown"
    assert "Lost communication with MCU 'z1'" in printer.state_message()
    assert printer.can_counters()["can0.z1.state"] == "off"
    # Its power is switched off and on
    assert printer.control("mcu z1 reboot") == ""
    printer.restart("FIRMWARE_RESTART")
    printer.gcode("G28 X")


def test_sixteen_nodes_home_on_one_bus(one_host):
    more = ["e%d" % (i,) for i in range(16 - len(CAN_PRINTER.can_mcus))]
    sample = replace(
        CAN_PRINTER,
        x_mcus=(*CAN_PRINTER.x_mcus, *more),
        can_mcus=(*CAN_PRINTER.can_mcus, *more),
    )
    assert len(sample.can_mcus) == 16
    printer = one_host(sample)
    printer.gcode("G28 X Y")
    counters = printer.can_counters()
    assert all(int(counters["can0.%s.frames" % (mcu,)]) > 100 for mcu in sample.can_mcus)
    assert "Communication timeout" not in printer.log()
