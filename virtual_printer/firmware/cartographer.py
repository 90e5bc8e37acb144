# A Cartographer probe, on the MCU that it is
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "cartographer_stream en=%u",
        "cartographer_set_threshold trigger=%u untrigger=%u",
        "cartographer_home trsync_oid=%c trigger_reason=%c trigger_invert=%c threshold=%u"
        " trigger_method=%u",
        "cartographer_stop_home",
        "cartographer_base_read len=%c offset=%hu",
    ),
    responses=(
        "cartographer_data clock=%u data=%u temp=%u",
        "cartographer_base_data bytes=%*s offset=%hu",
    ),
    constants={"CARTOGRAPHER_ADC_SMOOTH_COUNT": 16},
)
