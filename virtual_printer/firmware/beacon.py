# What a Beacon's own firmware has beside that of every micro-controller
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

_COMMANDS = (
    "beacon_stream en=%u",
    "beacon_set_threshold trigger=%u untrigger=%u",
    "beacon_home trsync_oid=%c trigger_reason=%c trigger_invert=%c",
    "beacon_stop_home",
    "beacon_nvm_read len=%c offset=%hu",
)

# Its name in the order of the scales
_SCALES_MG = {"16g": 7.81, "8g": 3.91, "4g": 1.95, "2g": 0.98}

# Firmware 2.1, which finds contacts
PERIPHERAL = Peripheral(
    commands=(
        *_COMMANDS,
        "beacon_contact_home trsync_oid=%c trigger_reason=%c trigger_type=%c",
        "beacon_contact_query",
        "beacon_contact_stop_home",
        "beacon_contact_set_latency_min latency_min=%c",
        "beacon_contact_set_sensitivity sensitivity=%c",
        "beacon_accel_stream en=%c scale=%c",
    ),
    responses=(
        "beacon_data samples=%c start_clock=%u delta_clock=%u data=%*s",
        "beacon_status mcu_temp=%u supply_voltage=%u coil_temp=%u status=%u",
        "beacon_nvm_data bytes=%*s offset=%hu",
        "beacon_contact armed_clock=%u trigger_clock=%u detect_clock=%u latency=%c error=%c",
        "beacon_contact_state triggered=%c detect_clock=%u",
        "beacon_accel_data start_clock=%u delta_clock=%u data=%*s",
        "beacon_accel_state en=%c err=%c",
    ),
    enumerations={"beacon_accel_scales": {name: i for i, name in enumerate(_SCALES_MG)}},
    constants={
        "BEACON_ADC_SMOOTH_COUNT": 16,
        "BEACON_HAS_ACCEL": 1,
        "BEACON_ACCEL_BITS": 12,
        **{f"BEACON_ACCEL_SCALE_{name.upper()}": str(mg) for name, mg in _SCALES_MG.items()},
    },
)

# Firmware 1.0, which sends each sample on its own.  Only the names of the first
# three of its values are known, by what the plugin of that time reads.
OLD_PERIPHERAL = Peripheral(
    commands=_COMMANDS,
    responses=(
        "beacon_data clock=%u data=%u temp=%u status=%u",
        "beacon_nvm_data bytes=%*s offset=%hu",
    ),
    constants={"BEACON_ADC_SMOOTH_COUNT": 16},
)
