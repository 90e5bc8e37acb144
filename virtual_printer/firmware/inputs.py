# Pins that are looked at: counters of pulses, and buttons
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "config_counter oid=%c pin=%u pull_up=%c",
        "query_counter oid=%c clock=%u poll_ticks=%u sample_ticks=%u",
        "config_buttons oid=%c button_count=%c",
        "buttons_add oid=%c pos=%c pin=%u pull_up=%c",
        "buttons_query oid=%c clock=%u rest_ticks=%u retransmit_count=%c invert=%c",
        "buttons_ack oid=%c count=%c",
    ),
    responses=(
        "counter_state oid=%c next_clock=%u count=%u count_clock=%u",
        "buttons_state oid=%c ack_count=%c state=%*s",
    ),
    shutdown_reasons=(
        "Max of 8 buttons",
        "Set button past maximum button count",
        "Invalid buttons retransmit count",
    ),
)
