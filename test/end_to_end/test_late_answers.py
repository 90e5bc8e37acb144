# Answers of MCUs that are late, lost or asked for twice: no fault, and none is missed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from end_to_end.driving import assert_healthy, start_homed

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError

# What noise on a cable does: the host sends what is not acknowledged within 25 ms again
LINKS = {
    "lost question": "drop=1 direction=to_mcu",
    "lost answer": "drop=1 direction=to_host",
    "question that comes twice": "delay_us=30000 direction=to_mcu from_s={now:.6f} for_s=0.015",
    "late answer": "delay_us=40000 direction=to_host from_s={now:.6f} for_s=0.015",
}
disturbed = pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)


def start_level(start, **options):
    return start_homed(start, SamplePrinter().with_resync(**options))


def disturb(printer, link):
    printer.control("link z1 " + link.format(now=printer.now_s()))


@disturbed
def test_check_on_demand_finds_nothing_wrong(start, link):
    printer, before = start_level(start)
    disturb(printer, link)
    lines = printer.gcode("RESYNC_CHECK")
    assert len(lines) == 4
    assert all("error 0.000000 mm, limit 0.000000 mm" in line for line in lines)
    assert_healthy(printer, before)


@disturbed
def test_check_on_demand_finds_nothing_wrong_after_a_move(start, link):
    printer, before = start_level(start)
    for height_mm in (12, 10, 12, 10):
        printer.gcode("G1 Z%d F300" % (height_mm,))
        printer.sleep(0.2)
        disturb(printer, link)
        lines = printer.gcode("RESYNC_CHECK")
        assert all("error 0.000000 mm, limit 0.000000 mm" in line for line in lines)
    assert_healthy(printer, before)


@disturbed
def test_check_after_a_correction_finds_nothing_wrong(start, link):
    printer, before = start_level(start)
    for _ in range(3):
        printer.gcode("PROBE")
        # The steps of the correction have been sent by now, and are being taken
        printer.sleep(0.11)
        disturb(printer, link.replace("for_s=0.015", "for_s=0.1"))
        printer.sleep(0.3)
        assert printer.status("multi_mcu_resync")["in_sync"] == {"z": True}
        printer.gcode("G1 Z10")
    assert_healthy(printer, before)


@disturbed
def test_checks_while_printing_find_nothing_wrong(start, link):
    printer, before = start_level(start, check_interval=0.05)
    heard = []
    printer.listen(heard.append)
    for layer in range(10):
        printer.gcode("G1 X100 Y150 F6000\nG1 Z%.1f F600\nG1 X150 Y100 F6000" % (10.2 - layer % 2,))
        disturb(printer, link)
        printer.sleep(0.3)
    assert not [message for message in heard if "multi_mcu_resync" in message]
    assert_healthy(printer, before)


@disturbed
def test_lost_step_is_found_all_the_same(start, link):
    printer, _ = start_level(start)
    printer.control("stepper stepper_z1 lose=1 direction=up")
    printer.gcode("G1 Z12\nM400")
    disturb(printer, link)
    with pytest.raises(GCodeError, match="stepper_z1 on z1: counted .* error -0.002500 mm"):
        printer.gcode("RESYNC_CHECK")
    assert printer.status("multi_mcu_resync")["in_sync"] == {"z": False}
