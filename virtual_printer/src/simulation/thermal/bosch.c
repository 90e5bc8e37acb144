// What Bosch's sensors on I2C have in common
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "bosch.h" // struct bosch_chip
#include "../core/events.h" // container_of
#include "../core/memory.h" // allocate

static struct temperature_sensor *
sensor_of(struct i2c_device *device)
{
    return container_of(device, struct temperature_sensor, i2c);
}

// Pairs of a register and what is written to it
static int
write(struct i2c_device *device, const uint8_t *bytes, size_t count)
{
    struct temperature_sensor *sensor = sensor_of(device);
    struct bosch_chip *chip = sensor->chip;
    if (count)
        chip->pointer = bytes[0];
    for (size_t i = 0; i + 1 < count; i += 2) {
        uint8_t address = bytes[i];
        if (address < chip->kind->first_written
            || address > chip->kind->last_written)
            continue;
        chip->registers[address] = bytes[i + 1];
        if (chip->kind->written)
            chip->kind->written(sensor, chip, address);
    }
    return 0;
}

static int
read(struct i2c_device *device, const uint8_t *bytes, size_t count,
     uint8_t *answer, size_t answer_size)
{
    struct temperature_sensor *sensor = sensor_of(device);
    struct bosch_chip *chip = sensor->chip;
    write(device, bytes, count);
    if (chip->kind->asked)
        chip->kind->asked(sensor, chip, chip->pointer);
    for (size_t i = 0; i < answer_size; i++)
        answer[i] = chip->registers[chip->pointer++];
    return 0;
}

struct bosch_chip *
bosch_attach(struct temperature_sensor *sensor, const struct bosch_kind *kind)
{
    struct bosch_chip *chip = sensor->chip = allocate(1, sizeof(*chip));
    chip->kind = kind;
    chip->sample = -1;
    sensor->i2c.write = write;
    sensor->i2c.read = read;
    return chip;
}

uint32_t
bosch_find_raw(double (*meaning)(double raw, double fine), double fine,
               double value, int bits)
{
    uint32_t raw = 0;
    int is_rising = meaning(1e4, fine) < meaning(2e4, fine);
    for (uint32_t bit = 1u << (bits - 1); bit; bit >>= 1)
        if ((meaning(raw | bit, fine) <= value) == is_rising)
            raw |= bit;
    return raw;
}

void
bosch_put_bits_20(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 12);
    bytes[1] = (uint8_t)(value >> 4);
    bytes[2] = (uint8_t)(value << 4);
}

void
bosch_put_little(uint8_t *bytes, int value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)((unsigned int)value >> 8);
}

void
bosch_put_big(uint8_t *bytes, int value)
{
    bytes[0] = (uint8_t)((unsigned int)value >> 8);
    bytes[1] = (uint8_t)value;
}
