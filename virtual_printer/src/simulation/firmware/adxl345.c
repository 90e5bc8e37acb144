// ADXL345 of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memset
#include "bulk_sensor.h" // struct bulk_sensor

enum {
    POWER_CTL = 0x2d,
    DATAX0 = 0x32,
    FIFO_STATUS = 0x39,
    MULTIPLE_BIT = 0x40,
    MEASURE_BIT = 0x08,
    FIFO_CTL_STREAM = 0x90,
    FIFO_SIZE = 32,
    SAMPLE_BYTES = 5, // as they are sent
};

// 13 bits of each axis have their sign repeated above them
static int
is_sound(const uint8_t *registers)
{
    for (int i = 1; i < 6; i += 2)
        if ((registers[i] & 0xf0) != 0 && (registers[i] & 0xf0) != 0xf0)
            return 0;
    return registers[6] == FIFO_CTL_STREAM;
}

static uint32_t
pending(struct bulk_sensor *sensor)
{
    uint8_t status = 0;
    bulk_sensor_read(sensor, FIFO_STATUS, &status, 1);
    return (uint32_t)(status & 0x7f) * SAMPLE_BYTES;
}

// Read one sample, with the state of the FIFO behind it
static int
poll(struct bulk_sensor *sensor)
{
    uint8_t registers[8];
    bulk_sensor_read(sensor, DATAX0 | MULTIPLE_BIT, registers,
                     sizeof(registers));
    uint8_t *sample = sensor->bytes + sensor->size;
    uint8_t count = registers[7] & 0x7f;
    if (is_sound(registers) && count <= FIFO_SIZE) {
        sample[0] = registers[0];
        sample[1] = registers[2];
        sample[2] = registers[4];
        // The upper bits of Z share the bytes of X and Y
        sample[3] = (uint8_t)((registers[1] & 0x1f) | registers[5] << 5);
        sample[4] =
            (uint8_t)((registers[3] & 0x1f) | (registers[5] << 2 & 0x60));
    } else {
        memset(sample, 0xff, SAMPLE_BYTES);
        count = 0;
    }
    sensor->size += SAMPLE_BYTES;
    if (sensor->size + SAMPLE_BYTES > BULK_BYTES_MAX)
        bulk_sensor_report(sensor);
    if (count >= FIFO_SIZE - 1)
        sensor->possible_overflows++;
    return count > 1;
}

static void
start(struct bulk_sensor *sensor)
{
    bulk_sensor_write(sensor, POWER_CTL, MEASURE_BIT);
}

static void
stop(struct bulk_sensor *sensor)
{
    bulk_sensor_write(sensor, POWER_CTL, 0);
    for (int i = 0; i <= FIFO_SIZE && pending(sensor); i++)
        poll(sensor);
}

static const struct bulk_chip chip = {
    .bytes_per_sample = SAMPLE_BYTES,
    .pending = pending,
    .poll = poll,
    .old_data = RESPONSE_ADXL345_DATA,
    .old_status = RESPONSE_ADXL345_STATUS,
    .start = start,
    .stop = stop,
};

static void
command_config_adxl345(struct mcu *mcu, const uint32_t *arguments)
{
    bulk_sensor_add(mcu, &chip, arguments[0], arguments[1], BUS_SPI);
}

static const struct command commands[] = {
    { "config_adxl345",       command_config_adxl345,     "oid spi_oid",          0 },
    { "query_adxl345",        bulk_sensor_command_query,  "oid clock rest_ticks", 0 },
    { "query_adxl345_status", bulk_sensor_command_status, "oid",                  0 },
};

const struct peripheral adxl345_peripheral = { COMMANDS_OF(commands) };
