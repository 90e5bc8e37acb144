// BMI160 of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "bulk_sensor.h" // struct bulk_sensor

enum {
    FIFO_LENGTH_0 = 0x22,
    FIFO_DATA = 0x24,
    FIFO_SIZE = 1024,
    SAMPLE_BYTES = 6,
    REPORT_BYTES = 48,
};

static uint32_t
pending(struct bulk_sensor *sensor)
{
    uint8_t length[2] = { 0 };
    bulk_sensor_read(sensor, FIFO_LENGTH_0, length, sizeof(length));
    uint32_t size = (uint32_t)length[1] << 8 | length[0];
    if (size > FIFO_SIZE)
        sensor->possible_overflows++;
    return size;
}

static int
poll(struct bulk_sensor *sensor)
{
    return bulk_sensor_poll_blocks(sensor, FIFO_DATA);
}

static const struct bulk_chip chip = {
    .bytes_per_sample = SAMPLE_BYTES,
    .bytes_per_report = REPORT_BYTES,
    .pending = pending,
    .poll = poll,
};

static void
command_config_bmi160(struct mcu *mcu, const uint32_t *arguments)
{
    if (arguments[2] > BUS_I2C)
        mcu_shutdown(mcu, REASON_BUS_TYPE_INVALID);
    else
        bulk_sensor_add(mcu, &chip, arguments[0], arguments[1], arguments[2]);
}

static const struct command commands[] = {
    { "config_bmi160",       command_config_bmi160,      "oid bus_oid bus_oid_type", 0 },
    { "query_bmi160",        bulk_sensor_command_query,  "oid clock rest_ticks",     0 },
    { "query_bmi160_status", bulk_sensor_command_status, "oid",                      0 },
};

const struct peripheral bmi160_peripheral = { COMMANDS_OF(commands) };
