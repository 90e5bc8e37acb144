# Load cells, and triggers by what they measure
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "config_hx71x oid=%c gain_channel=%c dout_pin=%u sclk_pin=%u",
        "query_hx71x oid=%c rest_ticks=%u",
        "query_hx71x_status oid=%c",
        "hx71x_attach_load_cell_probe oid=%c load_cell_probe_oid=%c",
        "hx71x_attach_trigger_analog oid=%c trigger_analog_oid=%c",
        "config_ads1220 oid=%c spi_oid=%c data_ready_pin=%u",
        "query_ads1220 oid=%c rest_ticks=%u",
        "query_ads1220_status oid=%c",
        "ads1220_attach_load_cell_probe oid=%c load_cell_probe_oid=%c",
        "ads1220_attach_trigger_analog oid=%c trigger_analog_oid=%c",
        "config_ads131m0x oid=%c spi_oid=%c channel=%c num_channels=%c data_ready_pin=%u",
        # Kalico reads several channels
        "config_ads131m0x oid=%c spi_oid=%c data_ready_pin=%u sensor_channel_count=%c"
        " channel_mask=%c",
        "query_ads131m0x oid=%c rest_ticks=%u",
        "query_ads131m0x_status oid=%c",
        "ads131m0x_attach_load_cell_probe oid=%c load_cell_probe_oid=%c",
        "ads131m0x_attach_trigger_analog oid=%c trigger_analog_oid=%c",
        "config_sos_filter oid=%c max_sections=%c",
        "sos_filter_set_section oid=%c section_idx=%c sos0=%i sos1=%i sos2=%i sos3=%i sos4=%i",
        "sos_filter_set_state oid=%c section_idx=%c state0=%i state1=%i",
        "sos_filter_set_offset_scale oid=%c offset=%i scale=%i scale_frac_bits=%c auto_offset=%c",
        # Kalico gives the bits before the point
        "sos_filter_set_active oid=%c n_sections=%c coeff_frac_bits=%c",
        "sos_filter_set_active oid=%c n_sections=%c coeff_int_bits=%c",
        "config_trigger_analog oid=%c sos_filter_oid=%c",
        "trigger_analog_set_raw_range oid=%c raw_min=%i raw_max=%i",
        "trigger_analog_set_trigger oid=%c trigger_analog_type=%c trigger_value=%i",
        "trigger_analog_home oid=%c trsync_oid=%c trigger_reason=%c error_reason=%c clock=%u"
        " monitor_ticks=%u monitor_max=%u",
        "trigger_analog_query_state oid=%c",
        # Kalico's name for the same thing
        "config_load_cell_probe oid=%c sos_filter_oid=%c",
        "load_cell_probe_set_range oid=%c safety_counts_min=%i safety_counts_max=%i"
        " tare_counts=%i trigger_grams=%u grams_per_count=%i",
        "load_cell_probe_home oid=%c trsync_oid=%c trigger_reason=%c error_reason=%c clock=%u"
        " rest_ticks=%u timeout=%u",
        "load_cell_probe_query_state oid=%c",
    ),
    responses=(
        "trigger_analog_state oid=%c homing=%c homing_clock=%u",
        "load_cell_probe_state oid=%c is_homing_trigger=%c trigger_ticks=%u",
    ),
    enumerations={
        "trigger_analog_type": {"abs_ge": 0, "gt": 1, "diff_peak_gt": 2},
        "ads131m0x_error:": {"SENSOR_ERROR_CRC": 1, "SENSOR_ERROR_RESET": 2},
        "trigger_analog_error:": {
            "RAW_RANGE": 0,
            "OVERFLOW": 1,
            "MONITOR": 2,
            "SENSOR_SPECIFIC": 3,
        },
    },
    shutdown_reasons=(
        "Invalid ads131m0x channels configuration",
        "Filter section index larger than max_sections",
        "Safety range reversed",
        "HX71x gain/channel out of range 1-4",
    ),
)
