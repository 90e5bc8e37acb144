# Analog inputs, and the chips and thermometers that the firmware reads for the host
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "config_analog_in oid=%c pin=%u",
        # Klipper 2026-02-11 reports several samples at once
        "query_analog_in oid=%c clock=%u sample_ticks=%u sample_count=%c rest_ticks=%u"
        " bytes_per_report=%c min_value=%hu max_value=%hu range_check_count=%c",
        "query_analog_in oid=%c clock=%u sample_ticks=%u sample_count=%c rest_ticks=%u"
        " min_value=%hu max_value=%hu range_check_count=%c",
        "config_thermocouple oid=%c spi_oid=%c thermocouple_type=%c",
        "query_thermocouple oid=%c clock=%u rest_ticks=%u"
        " min_value=%u max_value=%u max_invalid_count=%c",
        # Only Kalico can do without the limits
        "config_ds18b20 oid=%c serial=%*s max_error_count=%c",
        "config_ds18b20 oid=%c serial=%*s max_error_count=%c ignore_limits=%c",
        "query_ds18b20 oid=%c clock=%u rest_ticks=%u min_value=%i max_value=%i",
        "debug_read order=%c addr=%u",
    ),
    responses=(
        "analog_in_state oid=%c next_clock=%u values=%*s",
        "analog_in_state oid=%c next_clock=%u value=%hu",
        "thermocouple_result oid=%c next_clock=%u value=%u fault=%c",
        "ds18b20_result oid=%c next_clock=%u value=%i fault=%u",
        "debug_result val=%u",
    ),
    enumerations={
        "thermocouple_type": {"MAX31855": 0, "MAX31856": 1, "MAX31865": 2, "MAX6675": 3},
    },
    shutdown_reasons=(
        "ADC out of range",
        "Invalid analog_in bytes_per_report",
        "Invalid thermocouple chip type",
        "Thermocouple reader fault",
        "Invalid DS18B20 serial id, could not open for reading",
        "Error reading DS18B20 sensor",
        "DS18B20 out of range",
    ),
)
