# What the firmware of chips says that can run out of memory
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(shutdown_reasons=("alloc_chunk failed", "alloc_chunks failed"))
