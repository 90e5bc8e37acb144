# Coils over the bed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "config_ldc1612 oid=%c i2c_oid=%c",
        "config_ldc1612_with_intb oid=%c i2c_oid=%c intb_pin=%c",
        "query_ldc1612 oid=%c rest_ticks=%u",
        "query_status_ldc1612 oid=%c",
        # Later hosts leave it to trigger_analog
        "ldc1612_setup_home oid=%c clock=%u threshold=%u trsync_oid=%c trigger_reason=%c"
        " error_reason=%c",
        "query_ldc1612_home_state oid=%c",
        "ldc1612_attach_trigger_analog oid=%c trigger_analog_oid=%c",
    ),
    responses=("ldc1612_home_state oid=%c homing=%c trigger_clock=%u",),
    enumerations={
        "ldc1612_error:": {
            "SENSOR_REPORTS_ERROR": 0,
            "I2C_STATUS_ERROR": 1,
            "I2C_DATA_ERROR": 2,
            "INVALID_READ_DATA": 3,
        }
    },
)
