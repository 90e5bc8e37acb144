# Communication peripherals of SAMD chips, whose pins the host chooses
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=("set_sercom_pin bus=%u sercom_pin_type=%u pin=%u",),
    enumerations={"sercom_pin_type": {"tx": 0, "rx": 1, "clk": 2}},
)
