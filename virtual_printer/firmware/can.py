# What only the nodes on a CAN bus know
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=("get_canbus_id", "get_canbus_status"),
    responses=(
        "canbus_id canbus_uuid=%.*s canbus_nodeid=%u",
        "canbus_status rx_error=%u tx_error=%u tx_retries=%u canbus_bus_state=%u",
    ),
    enumerations={"canbus_bus_state": {"active": 0, "warn": 1, "passive": 2, "off": 3}},
)
