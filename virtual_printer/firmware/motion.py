# Steppers, endstops, and what stops steppers together
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "config_stepper oid=%c step_pin=%c dir_pin=%c invert_step=%c step_pulse_ticks=%u",
        "queue_step oid=%c interval=%u count=%hu add=%hi",
        "set_next_step_dir oid=%c dir=%c",
        "reset_step_clock oid=%c clock=%u",
        "stepper_get_position oid=%c",
        "stepper_stop_on_trigger oid=%c trsync_oid=%c",
        "config_endstop oid=%c pin=%c pull_up=%c",
        "endstop_home oid=%c clock=%u sample_ticks=%u sample_count=%c"
        " rest_ticks=%u pin_value=%c trsync_oid=%c trigger_reason=%c",
        "endstop_query_state oid=%c",
        "config_trsync oid=%c",
        "trsync_start oid=%c report_clock=%u report_ticks=%u expire_reason=%c",
        "trsync_set_timeout oid=%c clock=%u",
        "trsync_trigger oid=%c reason=%c",
    ),
    responses=(
        "stepper_position oid=%c pos=%i",
        "endstop_state oid=%c homing=%c next_clock=%u pin_value=%c",
        "trsync_state oid=%c can_trigger=%c trigger_reason=%c clock=%u",
    ),
    constants={"STEPPER_STEP_BOTH_EDGE": 1},
    shutdown_reasons=(
        "Stepper too far in past",
        "Can't reset time when stepper active",
        "Invalid count parameter",
        "Can't add signal that is already active",
    ),
)
