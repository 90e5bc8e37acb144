# Angle sensors on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import pytest

from virtual_printer import hosts
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

PRINTER = SamplePrinter(resync=None).on_one_mcu()


@pytest.mark.parametrize(
    ("host", "kinds"),
    [
        ("kalico", ("a1333", "as5047d", "tle5012b", "mt6816", "mt6826s")),
        ("klipper_v0_12", ("a1333", "as5047d", "tle5012b")),
    ],
)
def test_printer_with_angle_sensors_is_ready(tmp_path, host, kinds):
    sections = "".join(
        "[angle %s]\nsensor_type: %s\ncs_pin: toolhead:PJ%d\n\n" % (kind, kind, i)
        for i, kind in enumerate(kinds)
    )
    printer_cfg = PRINTER.printer_cfg() + "\n" + sections
    work_dir = tmp_path / "session"
    with Session(
        hosts.find(host), printer_cfg, PRINTER.machine_cfg(), work_dir=work_dir
    ) as printer:
        assert printer.state() == "ready"
