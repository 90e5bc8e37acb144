# SPI and I2C buses
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "config_spi oid=%c pin=%u cs_active_high=%c",
        "config_spi_without_cs oid=%c",
        "spi_set_bus oid=%c spi_bus=%u mode=%u rate=%u",
        "spi_set_software_bus oid=%c miso_pin=%u mosi_pin=%u sclk_pin=%u mode=%u rate=%u",
        "spi_set_sw_bus oid=%c miso_pin=%u mosi_pin=%u sclk_pin=%u mode=%u pulse_ticks=%u",
        "spi_send oid=%c data=%*s",
        "spi_transfer oid=%c data=%*s",
        "config_spi_shutdown oid=%c spi_oid=%c shutdown_msg=%*s",
        # Klipper 2023-10-30 (v0.12) took the bus apart from the object
        "config_i2c oid=%c",
        "config_i2c oid=%c i2c_bus=%u rate=%u address=%u",
        "i2c_set_bus oid=%c i2c_bus=%u rate=%u address=%u",
        "i2c_set_software_bus oid=%c scl_pin=%u sda_pin=%u rate=%u address=%u",
        "i2c_set_sw_bus oid=%c scl_pin=%u sda_pin=%u pulse_ticks=%u address=%u",
        "i2c_write oid=%c data=%*s",
        "i2c_read oid=%c reg=%*s read_len=%u",
        "i2c_modify_bits oid=%c reg=%*s clear_set_bits=%*s",
        "i2c_transfer oid=%c write=%*s read_len=%u",
    ),
    responses=(
        "spi_transfer_response oid=%c response=%*s",
        "i2c_read_response oid=%c response=%*s",
        "i2c_response oid=%c i2c_bus_status=%c response=%*s",
    ),
    enumerations={
        "i2c_bus_status": {"SUCCESS": 0, "NACK": 1, "TIMEOUT": 2, "START_NACK": 3},
    },
    shutdown_reasons=("I2C NACK",),
)
