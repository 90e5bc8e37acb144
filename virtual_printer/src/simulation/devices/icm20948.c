// ICM-20948 (data sheet: TDK InvenSense DS-000189)
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "byte_fifo.h" // struct byte_fifo

enum {
    BANK_SEL = 0x7f, // of all banks
    // Bank 0
    WHO_AM_I = 0x00,
    USER_CTRL = 0x03,
    PWR_MGMT_1 = 0x06,
    PWR_MGMT_2 = 0x07,
    INT_STATUS_2 = 0x1b,
    FIFO_EN_2 = 0x67,
    FIFO_RST = 0x68,
    FIFO_MODE = 0x69,
    FIFO_COUNTH = 0x70,
    FIFO_COUNTL = 0x71,
    FIFO_R_W = 0x72,
    // Bank 2
    ACCEL_SMPLRT_DIV_1 = 0x10,
    ACCEL_SMPLRT_DIV_2 = 0x11,
    ACCEL_CONFIG = 0x14,
};

enum {
    FIFO_BYTES = 512,
    DEVICE_ID = 0xea,
    BIT_RESET = 0x80,
    BIT_SLEEP = 0x40,
    BITS_ACCEL_OFF = 0x38,
    BIT_FIFO_ACCEL = 0x10,
    BIT_USER_FIFO = 0x40,
    BITS_OVERFLOW = 0x1f,
    BIT_FILTER = 0x01,
};
#define RATE_HZ_UNFILTERED 4500.0
#define RATE_HZ_FILTERED 1125.0
static const double noise_g = 0.008;

struct icm20948 {
    struct accelerometer sensor;
    struct byte_fifo fifo;
    int bank;
    uint8_t bank_2[128]; // bank 0 is that of the chip
};

static struct icm20948 *
find_icm20948(struct register_chip *chip)
{
    return container_of(chip, struct icm20948, sensor.chip);
}

static double
sample_rate_hz(const struct icm20948 *icm20948)
{
    const uint8_t *bank_0 = icm20948->sensor.chip.registers;
    const uint8_t *bank_2 = icm20948->bank_2;
    if (bank_0[PWR_MGMT_1] & BIT_SLEEP || bank_0[PWR_MGMT_2] & BITS_ACCEL_OFF
        || !(bank_0[FIFO_EN_2] & BIT_FIFO_ACCEL)
        || !(bank_0[USER_CTRL] & BIT_USER_FIFO))
        return 0.0;
    int divisor = 1 + (bank_2[ACCEL_SMPLRT_DIV_1] & 0x0f) * 256
        + bank_2[ACCEL_SMPLRT_DIV_2];
    return bank_2[ACCEL_CONFIG] & BIT_FILTER ? RATE_HZ_FILTERED / divisor
                                             : RATE_HZ_UNFILTERED;
}

static void
apply_registers(struct icm20948 *icm20948)
{
    struct accelerometer *sensor = &icm20948->sensor;
    int range = icm20948->bank_2[ACCEL_CONFIG] >> 1 & 0x03;
    sensor->units_max = INT16_MAX;
    for (int i = 0; i < 3; i++)
        sensor->units_per_g[i] = 16384 >> range;
    icm20948->fifo.left = 0;
    accelerometer_measure(sensor, sample_rate_hz(icm20948),
                          FIFO_BYTES / SAMPLE_BYTES,
                          !(sensor->chip.registers[FIFO_MODE] & 0x01));
}

static uint8_t
read_bank_0(struct icm20948 *icm20948, uint8_t address)
{
    struct accelerometer *sensor = &icm20948->sensor;
    int was_overrun = sensor->is_overrun;
    switch (address) {
    case WHO_AM_I: return sensor->device_id;
    case INT_STATUS_2:
        sensor->is_overrun = 0;
        return was_overrun ? BITS_OVERFLOW : 0;
    case FIFO_COUNTH:
        return (uint8_t)(byte_fifo_size(&icm20948->fifo, sensor) >> 8);
    case FIFO_COUNTL: return (uint8_t)byte_fifo_size(&icm20948->fifo, sensor);
    case FIFO_R_W: return byte_fifo_read(&icm20948->fifo, sensor, 1);
    default: return sensor->chip.registers[address];
    }
}

static uint8_t
read_register(struct register_chip *chip, uint8_t address)
{
    struct icm20948 *icm20948 = find_icm20948(chip);
    if (address == BANK_SEL)
        return (uint8_t)(icm20948->bank << 4);
    if (icm20948->bank == 0)
        return read_bank_0(icm20948, address);
    return icm20948->bank == 2 ? icm20948->bank_2[address] : 0;
}

static void
write_register(struct register_chip *chip, uint8_t address, uint8_t value)
{
    struct icm20948 *icm20948 = find_icm20948(chip);
    if (address == BANK_SEL) {
        icm20948->bank = value >> 4 & 0x03;
        return;
    }
    if (icm20948->bank == 0 && address == PWR_MGMT_1 && value & BIT_RESET)
        value = 0x41;
    if (icm20948->bank == 0)
        chip->registers[address] = value;
    else if (icm20948->bank == 2)
        icm20948->bank_2[address] = value;
    apply_registers(icm20948);
}

static const struct register_chip_kind kind = {
    .spi_address_bits = 0x7f,
    .i2c_address_bits = 0x7f,
    .read = read_register,
    .write = write_register,
    .fifo_address = FIFO_R_W,
};

struct accelerometer *
icm20948_create(void)
{
    struct icm20948 *icm20948 = allocate(1, sizeof(*icm20948));
    register_chip_init(&icm20948->sensor.chip, &kind);
    icm20948->sensor.chip.registers[PWR_MGMT_1] = 0x41;
    icm20948->bank_2[ACCEL_CONFIG] = BIT_FILTER;
    icm20948->sensor.device_id = DEVICE_ID;
    icm20948->sensor.noise_g = noise_g;
    return &icm20948->sensor;
}
