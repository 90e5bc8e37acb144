// MPU-9250 and its kin of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "bulk_sensor.h" // struct bulk_sensor

enum {
    FIFO_EN = 0x23,
    INT_STATUS = 0x3a,
    USER_CTRL = 0x6a,
    FIFO_COUNTH = 0x72,
    FIFO_R_W = 0x74,
    FIFO_OVERFLOW_BIT = 0x10,
    FIFO_ACCEL_BIT = 0x08,
    USER_FIFO_RESET_BIT = 0x04,
    USER_FIFO_BIT = 0x40,
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
    return bulk_sensor_poll_blocks(sensor, FIFO_R_W);
}

static void
note_overflow(struct bulk_sensor *sensor)
{
    bulk_sensor_note_overflow(sensor, INT_STATUS, FIFO_OVERFLOW_BIT);
}

static void
start(struct bulk_sensor *sensor)
{
    bulk_sensor_write(sensor, FIFO_EN, 0);
    bulk_sensor_write(sensor, USER_CTRL, USER_FIFO_RESET_BIT);
    bulk_sensor_write(sensor, USER_CTRL, USER_FIFO_BIT);
    bulk_sensor_write(sensor, FIFO_EN, FIFO_ACCEL_BIT);
}

static void
stop(struct bulk_sensor *sensor)
{
    bulk_sensor_write(sensor, FIFO_EN, 0);
}

static const struct bulk_chip chip = {
    .bytes_per_sample = SAMPLE_BYTES,
    .bytes_per_report = REPORT_BYTES,
    .pending = pending,
    .note_overflow = note_overflow,
    .poll = poll,
    .old_data = RESPONSE_MPU9250_DATA,
    .old_status = RESPONSE_MPU9250_STATUS,
    .start = start,
    .stop = stop,
};

static void
command_config_mpu9250(struct mcu *mcu, const uint32_t *arguments)
{
    bulk_sensor_add(mcu, &chip, arguments[0], arguments[1], BUS_I2C);
}

static const struct command commands[] = {
    { "config_mpu9250",       command_config_mpu9250,     "oid i2c_oid",          0 },
    { "query_mpu9250",        bulk_sensor_command_query,  "oid clock rest_ticks", 0 },
    { "query_mpu9250_status", bulk_sensor_command_status, "oid",                  0 },
};

const struct peripheral mpu9250_peripheral = { COMMANDS_OF(commands) };
