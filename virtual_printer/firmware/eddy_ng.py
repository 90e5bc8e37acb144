# What the plugin eddy-ng adds to firmware: coils over the bed that feel a tap
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "config_ldc1612_ng oid=%c i2c_oid=%c product=%i",
        "config_ldc1612_ng_with_intb oid=%c i2c_oid=%c product=%i intb_pin=%c",
        "ldc1612_ng_start_stop oid=%c rest_ticks=%u",
        "ldc1612_ng_query_bulk_status oid=%c",
        "query_ldc1612_ng_latched_status_v2 oid=%c",
        "ldc1612_ng_setup_home oid=%c trsync_oid=%c trigger_reason=%c other_reason_base=%c"
        " trigger_freq=%u start_freq=%u start_time=%u mode=%c tap_threshold=%i err_max=%c",
        "ldc1612_ng_finish_home oid=%c",
        "ldc1612_ng_set_sos_section oid=%c section=%c values=%*s",
    ),
    responses=(
        "ldc1612_ng_latched_status oid=%c status=%u lastval=%u",
        "ldc1612_ng_finish_home_reply oid=%c trigger_clock=%u tap_start_clock=%u error=%u",
    ),
    shutdown_reasons=(
        "ldc1612_ng: unknown product",
        "ldc1612_ng: wrong sos section length",
        "bad homing mode",
    ),
)
