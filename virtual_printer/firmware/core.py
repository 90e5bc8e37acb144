# What every firmware has: identification, clock, configuration, shutdown
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "identify offset=%u count=%c",
        "get_config",
        "allocate_oids count=%c",
        "finalize_config crc=%u",
        "config_reset",
        "reset",
        "get_uptime",
        "get_clock",
        "emergency_stop",
        "clear_shutdown",
        "debug_nop",
    ),
    responses=(
        "identify_response offset=%u data=%.*s",
        "config is_config=%c crc=%u is_shutdown=%c move_count=%hu",
        "uptime high=%u clock=%u",
        "clock clock=%u",
        "stats count=%u sum=%u sumsq=%u",
        "starting",
        "shutdown clock=%u static_string_id=%hu",
        "is_shutdown static_string_id=%hu",
    ),
    constants={"STATS_SUMSQ_BASE": 256},
    shutdown_reasons=(
        "Timer too close",
        "Rescheduled timer in the past",
        "Move queue overflow",
        "Command request",
        "Command parser error",
        "Invalid command",
        "Shutdown cleared when not shutdown",
        "config_reset only available when shutdown",
        "oids already allocated",
        "Can't assign oid",
        "Invalid oid type",
        "Already finalized",
        "Invalid move request size",
        "Watchdog timer",
        "Another CAN node assigned this ID",
    ),
)
