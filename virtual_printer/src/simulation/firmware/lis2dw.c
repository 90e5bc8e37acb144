// LIS2DW and LIS3DH of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "bulk_sensor.h" // struct bulk_sensor

enum {
    OUT_X_L = 0x28,
    FIFO_CTRL = 0x2e,
    FIFO_SAMPLES = 0x2f,
    FIFO_CTRL_CONTINUOUS = 0xc0,
    OVERRUN_BIT = 0x40,
    LIS3DH_EMPTY_BIT = 0x20,
    LIS3DH_SPI_INCREMENT_BIT = 0x40,
    LIS3DH_I2C_INCREMENT_BIT = 0x80,
    SAMPLE_BYTES = 6,
    REPORT_BYTES = 48,
};
// In enumeration lis_chip_type
enum { MODEL_LIS2DW, MODEL_LIS3DH, MODEL_COUNT };

static uint32_t
pending(struct bulk_sensor *sensor)
{
    uint8_t status = 0;
    bulk_sensor_read(sensor, FIFO_SAMPLES, &status, 1);
    if (status & OVERRUN_BIT)
        sensor->possible_overflows++;
    if (sensor->model == MODEL_LIS2DW)
        return (status & 0x3fu) * SAMPLE_BYTES;
    return status & LIS3DH_EMPTY_BIT ? 0 : (status & 0x1fu) * SAMPLE_BYTES;
}

static int
poll(struct bulk_sensor *sensor)
{
    uint8_t address = OUT_X_L;
    if (sensor->model == MODEL_LIS3DH)
        address |=
            sensor->spi ? LIS3DH_SPI_INCREMENT_BIT : LIS3DH_I2C_INCREMENT_BIT;
    return bulk_sensor_poll_blocks(sensor, address);
}

static void
start(struct bulk_sensor *sensor)
{
    bulk_sensor_write(sensor, FIFO_CTRL, FIFO_CTRL_CONTINUOUS);
}

static void
stop(struct bulk_sensor *sensor)
{
    bulk_sensor_write(sensor, FIFO_CTRL, 0);
}

static const struct bulk_chip chip = {
    .bytes_per_sample = SAMPLE_BYTES,
    .bytes_per_report = REPORT_BYTES,
    .pending = pending,
    .poll = poll,
    .old_data = RESPONSE_LIS2DW_DATA,
    .old_status = RESPONSE_LIS2DW_STATUS,
    .start = start,
    .stop = stop,
};

static void
command_config_lis2dw(struct mcu *mcu, const uint32_t *arguments)
{
    if (arguments[2] > BUS_I2C || arguments[3] >= MODEL_COUNT) {
        mcu_shutdown(mcu, REASON_BUS_TYPE_INVALID);
        return;
    }
    // Only one of two names of its bus is there: v0.12 knew none but SPI
    uint32_t bus_oid = arguments[1] + arguments[4];
    struct bulk_sensor *sensor =
        bulk_sensor_add(mcu, &chip, arguments[0], bus_oid, arguments[2]);
    if (sensor)
        sensor->model = (uint8_t)arguments[3];
}

static const struct command commands[] = {
    { "config_lis2dw",       command_config_lis2dw,
     "oid bus_oid bus_oid_type lis_chip_type spi_oid",                           0 },
    { "query_lis2dw",        bulk_sensor_command_query,  "oid clock rest_ticks", 0 },
    { "query_lis2dw_status", bulk_sensor_command_status, "oid",                  0 },
};

const struct peripheral lis2dw_peripheral = { COMMANDS_OF(commands) };
