# Acceleration sensors, and how sensors report what they measure
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

_OLD_STATUS = "oid=%c clock=%u query_ticks=%u next_sequence=%hu buffered=%c"

PERIPHERAL = Peripheral(
    commands=(
        # Klipper 2024 (v0.13) left it to the host when to start a chip
        "config_adxl345 oid=%c spi_oid=%c",
        "query_adxl345 oid=%c rest_ticks=%u",
        "query_adxl345 oid=%c clock=%u rest_ticks=%u",
        "query_adxl345_status oid=%c",
        "config_lis2dw oid=%c bus_oid=%c bus_oid_type=%c lis_chip_type=%c",
        "config_lis2dw oid=%c spi_oid=%c",
        "query_lis2dw oid=%c rest_ticks=%u",
        "query_lis2dw oid=%c clock=%u rest_ticks=%u",
        "query_lis2dw_status oid=%c",
        "config_mpu9250 oid=%c i2c_oid=%c",
        "query_mpu9250 oid=%c rest_ticks=%u",
        "query_mpu9250 oid=%c clock=%u rest_ticks=%u",
        "query_mpu9250_status oid=%c",
        "config_icm20948 oid=%c i2c_oid=%c",
        "query_icm20948 oid=%c rest_ticks=%u",
        "query_icm20948_status oid=%c",
        "config_bmi160 oid=%c bus_oid=%c bus_oid_type=%c",
        "query_bmi160 oid=%c rest_ticks=%u",
        "query_bmi160_status oid=%c",
    ),
    responses=(
        "sensor_bulk_data oid=%c sequence=%hu data=%*s",
        "sensor_bulk_status oid=%c clock=%u query_ticks=%u next_sequence=%hu buffered=%u"
        " possible_overflows=%hu",
        "adxl345_data oid=%c sequence=%hu data=%*s",
        f"adxl345_status {_OLD_STATUS} fifo=%c limit_count=%hu",
        "lis2dw_data oid=%c sequence=%hu data=%*s",
        f"lis2dw_status {_OLD_STATUS} fifo=%c limit_count=%hu",
        "mpu9250_data oid=%c sequence=%hu data=%*s",
        f"mpu9250_status {_OLD_STATUS} fifo=%u limit_count=%hu",
    ),
    enumerations={
        "bus_oid_type": {"spi": 0, "i2c": 1},
        "lis_chip_type": {"LIS2DW": 0, "LIS3DH": 1},
    },
    shutdown_reasons=("bus_type invalid",),
)
