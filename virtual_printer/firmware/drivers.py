# UARTs by software, on which stepper drivers are asked for registers
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "config_tmcuart oid=%c rx_pin=%u pull_up=%c tx_pin=%u bit_time=%u",
        "tmcuart_send oid=%c write=%*s read=%c",
    ),
    responses=("tmcuart_response oid=%c read=%*s",),
    shutdown_reasons=("tmcuart data too large",),
)
