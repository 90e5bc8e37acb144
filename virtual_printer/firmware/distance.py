# The height of a probe over the bed, for stand-ins of probes: no real firmware has it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=("config_distance oid=%c pin=%c", "query_distance oid=%c"),
    responses=("distance_state oid=%c clock=%u height=%i",),
)
