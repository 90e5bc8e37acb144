// ICM-20948 of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "bulk_sensor.h" // struct bulk_sensor

enum {
    INT_STATUS_2 = 0x1b,
    FIFO_COUNTH = 0x70,
    FIFO_DATA = 0x72,
    FIFO_OVERFLOW_BITS = 0x0f,
    SAMPLE_BYTES = 6,
    REPORT_BYTES = 48,
};

static uint32_t
pending(struct bulk_sensor *sensor)
{
    return bulk_sensor_fifo_size(sensor, FIFO_COUNTH);
}

static int
poll(struct bulk_sensor *sensor)
{
    return bulk_sensor_poll_blocks(sensor, FIFO_DATA);
}

static void
note_overflow(struct bulk_sensor *sensor)
{
    bulk_sensor_note_overflow(sensor, INT_STATUS_2, FIFO_OVERFLOW_BITS);
}

static const struct bulk_chip chip = {
    .bytes_per_sample = SAMPLE_BYTES,
    .bytes_per_report = REPORT_BYTES,
    .pending = pending,
    .note_overflow = note_overflow,
    .poll = poll,
};

static void
command_config_icm20948(struct mcu *mcu, const uint32_t *arguments)
{
    bulk_sensor_add(mcu, &chip, arguments[0], arguments[1], BUS_I2C);
}

static const struct command commands[] = {
    { "config_icm20948",       command_config_icm20948,    "oid i2c_oid",          0 },
    { "query_icm20948",        bulk_sensor_command_query,  "oid clock rest_ticks", 0 },
    { "query_icm20948_status", bulk_sensor_command_status, "oid",                  0 },
};

const struct peripheral icm20948_peripheral = { COMMANDS_OF(commands) };
