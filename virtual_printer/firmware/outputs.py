# Pins that are switched on and off
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "config_digital_out oid=%c pin=%u value=%c default_value=%c max_duration=%u",
        "set_digital_out_pwm_cycle oid=%c cycle_ticks=%u",
        "queue_digital_out oid=%c clock=%u on_ticks=%u",
        "update_digital_out oid=%c value=%c",
        "set_digital_out pin=%u value=%c",
    ),
    shutdown_reasons=(
        "Missed scheduling of next digital out event",
        "Scheduled digital out event will exceed max_duration",
        "Can not set soft pwm cycle ticks while updates pending",
        "update_digital_out not valid with active queue",
    ),
)
