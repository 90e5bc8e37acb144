// BMI160 (data sheet: Bosch Sensortec BST-BMI160-DS000)
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "byte_fifo.h" // struct byte_fifo

enum {
    CHIP_ID = 0x00,
    FIFO_LENGTH_0 = 0x22,
    FIFO_LENGTH_1 = 0x23,
    FIFO_DATA = 0x24,
    ACC_CONF = 0x40,
    ACC_RANGE = 0x41,
    FIFO_CONFIG_1 = 0x47,
    CMD = 0x7e,
};

enum {
    FIFO_BYTES = 1024,
    DEVICE_ID = 0xd1,
    BIT_FIFO_ACCEL = 0x40,
    COMMAND_SUSPEND = 0x10,
    COMMAND_NORMAL = 0x11,
    COMMAND_FIFO_FLUSH = 0xb0,
    COMMAND_SOFT_RESET = 0xb6,
};
// Rate code 8 stands for it, each further one doubles it
#define RATE_HZ 100.0
enum { RATE_CODE = 8, RATE_CODE_MAX = 12 };
static const double noise_g = 0.0047;

struct bmi160 {
    struct accelerometer sensor;
    struct byte_fifo fifo;
    int is_awake;
};

static struct bmi160 *
find_bmi160(struct register_chip *chip)
{
    return container_of(chip, struct bmi160, sensor.chip);
}

static double
sample_rate_hz(const uint8_t *registers)
{
    int code = registers[ACC_CONF] & 0x0f;
    if (!code || code > RATE_CODE_MAX)
        return 0.0;
    return RATE_HZ * (1 << code) / (1 << RATE_CODE);
}

static int
units_per_g(uint8_t range)
{
    switch (range & 0x0f) {
    case 0x05: return 8192;
    case 0x08: return 4096;
    case 0x0c: return 2048;
    default: return 16384;
    }
}

static void
apply_registers(struct bmi160 *bmi160)
{
    struct accelerometer *sensor = &bmi160->sensor;
    const uint8_t *registers = sensor->chip.registers;
    int is_measuring =
        bmi160->is_awake && registers[FIFO_CONFIG_1] & BIT_FIFO_ACCEL;
    sensor->units_max = INT16_MAX;
    for (int i = 0; i < 3; i++)
        sensor->units_per_g[i] = units_per_g(registers[ACC_RANGE]);
    bmi160->fifo.left = 0;
    accelerometer_measure(sensor,
                          is_measuring ? sample_rate_hz(registers) : 0.0,
                          FIFO_BYTES / SAMPLE_BYTES, 1);
}

static void
set_reset_values(struct bmi160 *bmi160)
{
    uint8_t *registers = bmi160->sensor.chip.registers;
    bmi160->is_awake = 0;
    registers[ACC_CONF] = 0x28;
    registers[ACC_RANGE] = 0x03;
    registers[FIFO_CONFIG_1] = 0x10;
}

static uint8_t
read_register(struct register_chip *chip, uint8_t address)
{
    struct bmi160 *bmi160 = find_bmi160(chip);
    struct accelerometer *sensor = &bmi160->sensor;
    switch (address) {
    case CHIP_ID: return sensor->device_id;
    case FIFO_LENGTH_0: return (uint8_t)byte_fifo_size(&bmi160->fifo, sensor);
    case FIFO_LENGTH_1:
        return (uint8_t)(byte_fifo_size(&bmi160->fifo, sensor) >> 8);
    case FIFO_DATA: return byte_fifo_read(&bmi160->fifo, sensor, 0);
    default: return chip->registers[address];
    }
}

static void
write_register(struct register_chip *chip, uint8_t address, uint8_t value)
{
    struct bmi160 *bmi160 = find_bmi160(chip);
    if (address != CMD)
        chip->registers[address] = value;
    else if (value == COMMAND_NORMAL || value == COMMAND_SUSPEND)
        bmi160->is_awake = value == COMMAND_NORMAL;
    else if (value == COMMAND_SOFT_RESET)
        set_reset_values(bmi160);
    else if (value != COMMAND_FIFO_FLUSH)
        return;
    apply_registers(bmi160);
}

static const struct register_chip_kind kind = {
    .spi_address_bits = 0x7f,
    .i2c_address_bits = 0x7f,
    .read = read_register,
    .write = write_register,
    .fifo_address = FIFO_DATA,
};

struct accelerometer *
bmi160_create(void)
{
    struct bmi160 *bmi160 = allocate(1, sizeof(*bmi160));
    register_chip_init(&bmi160->sensor.chip, &kind);
    set_reset_values(bmi160);
    bmi160->sensor.device_id = DEVICE_ID;
    bmi160->sensor.noise_g = noise_g;
    return &bmi160->sensor;
}
