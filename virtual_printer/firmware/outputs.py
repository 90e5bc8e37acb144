# Pins that are switched on and off, by software or hardware, and chains of LEDs
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
        "config_pwm_out oid=%c pin=%u cycle_ticks=%u value=%hu default_value=%hu max_duration=%u",
        "queue_pwm_out oid=%c clock=%u value=%hu",
        # Klipper 2024 (v0.13) needs no commands for pins that never change
        "set_pwm_out pin=%u cycle_ticks=%u value=%hu",
        "config_pca9685 oid=%c bus=%c addr=%c channel=%c cycle_ticks=%u"
        " value=%hu default_value=%hu max_duration=%u",
        "queue_pca9685_out oid=%c clock=%u value=%hu",
        "set_pca9685_out bus=%c addr=%c channel=%c cycle_ticks=%u value=%hu",
        # Kalico alone has it
        "stm32_timer_output pin=%u cycle_ticks=%u on_ticks=%hu",
        "config_neopixel oid=%c pin=%u data_size=%hu bit_max_ticks=%u reset_min_ticks=%u",
        "neopixel_update oid=%c pos=%hu data=%*s",
        "neopixel_send oid=%c",
    ),
    responses=("neopixel_result oid=%c success=%c",),
    shutdown_reasons=(
        "Missed scheduling of next digital out event",
        "Scheduled digital out event will exceed max_duration",
        "Can not set soft pwm cycle ticks while updates pending",
        "update_digital_out not valid with active queue",
        "Missed scheduling of next hard pwm event",
        "Scheduled pwm event will exceed max_duration",
        "Missed scheduling of next pca9685 event",
        "Scheduled pca9685 event will exceed max_duration",
        "Invalid pca9685 channel or value",
        "Invalid pca9685 value",
        "Invalid neopixel data_size",
        "Invalid neopixel update command",
    ),
)
