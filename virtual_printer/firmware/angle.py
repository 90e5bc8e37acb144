# Magnetic angle sensors
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "config_spi_angle oid=%c spi_oid=%c spi_angle_type=%c",
        "query_spi_angle oid=%c clock=%u rest_ticks=%u time_shift=%c",
        "spi_angle_transfer oid=%c data=%*s",
    ),
    responses=(
        "spi_angle_transfer_response oid=%c clock=%u response=%*s",
        # Hosts before v0.13 alone know these
        "spi_angle_data oid=%c sequence=%hu data=%*s",
        "spi_angle_end oid=%c sequence=%hu",
    ),
    enumerations={
        "spi_angle_type": {"a1333": 0, "as5047d": 1, "tle5012b": 2, "mt6816": 3, "mt6826s": 4},
    },
    shutdown_reasons=("Invalid spi_angle chip type",),
)
