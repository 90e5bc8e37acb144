// MPU-9250, MPU-6500 and their kin (register map: InvenSense RM-MPU-9250A)
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "byte_fifo.h" // struct byte_fifo

enum {
    SMPLRT_DIV = 0x19,
    CONFIG = 0x1a,
    ACCEL_CONFIG = 0x1c,
    ACCEL_CONFIG2 = 0x1d,
    FIFO_EN = 0x23,
    INT_STATUS = 0x3a,
    USER_CTRL = 0x6a,
    PWR_MGMT_1 = 0x6b,
    PWR_MGMT_2 = 0x6c,
    FIFO_COUNTH = 0x72,
    FIFO_COUNTL = 0x73,
    FIFO_R_W = 0x74,
    WHO_AM_I = 0x75,
};

enum {
    FIFO_BYTES = 512,
    DEVICE_ID = 0x71,
    BIT_RESET = 0x80,
    BIT_SLEEP = 0x40,
    BITS_ACCEL_OFF = 0x38,
    BIT_FIFO_ACCEL = 0x08,
    BIT_USER_FIFO = 0x40,
    BIT_FIFO_RESET = 0x04,
    BIT_OVERFLOW = 0x10,
    BIT_FIFO_STOPS_FULL = 0x40,
    BIT_NO_FILTER = 0x08,
};
// Without the digital filter, and with it
#define RATE_HZ_UNFILTERED 4000.0
#define RATE_HZ_FILTERED 1000.0
static const double noise_g = 0.0097;

struct mpu9250 {
    struct accelerometer sensor;
    struct byte_fifo fifo;
};

static struct mpu9250 *
find_mpu9250(struct register_chip *chip)
{
    return container_of(chip, struct mpu9250, sensor.chip);
}

static double
sample_rate_hz(const uint8_t *registers)
{
    if (registers[PWR_MGMT_1] & BIT_SLEEP
        || registers[PWR_MGMT_2] & BITS_ACCEL_OFF
        || !(registers[FIFO_EN] & BIT_FIFO_ACCEL)
        || !(registers[USER_CTRL] & BIT_USER_FIFO))
        return 0.0;
    return registers[ACCEL_CONFIG2] & BIT_NO_FILTER
        ? RATE_HZ_UNFILTERED
        : RATE_HZ_FILTERED / (1 + registers[SMPLRT_DIV]);
}

static void
apply_registers(struct mpu9250 *mpu9250)
{
    struct accelerometer *sensor = &mpu9250->sensor;
    const uint8_t *registers = sensor->chip.registers;
    int range = registers[ACCEL_CONFIG] >> 3 & 0x03;
    sensor->units_max = INT16_MAX;
    for (int i = 0; i < 3; i++)
        sensor->units_per_g[i] = 16384 >> range;
    mpu9250->fifo.left = 0;
    accelerometer_measure(sensor, sample_rate_hz(registers),
                          FIFO_BYTES / SAMPLE_BYTES,
                          !(registers[CONFIG] & BIT_FIFO_STOPS_FULL));
}

static uint8_t
read_register(struct register_chip *chip, uint8_t address)
{
    struct mpu9250 *mpu9250 = find_mpu9250(chip);
    struct accelerometer *sensor = &mpu9250->sensor;
    int was_overrun = sensor->is_overrun;
    switch (address) {
    case WHO_AM_I: return sensor->device_id;
    case INT_STATUS:
        sensor->is_overrun = 0;
        return was_overrun ? BIT_OVERFLOW : 0;
    case FIFO_COUNTH:
        return (uint8_t)(byte_fifo_size(&mpu9250->fifo, sensor) >> 8);
    case FIFO_COUNTL: return (uint8_t)byte_fifo_size(&mpu9250->fifo, sensor);
    case FIFO_R_W: return byte_fifo_read(&mpu9250->fifo, sensor, 1);
    default: return chip->registers[address];
    }
}

static void
write_register(struct register_chip *chip, uint8_t address, uint8_t value)
{
    if (address == USER_CTRL)
        value &= (uint8_t)~BIT_FIFO_RESET;
    if (address == PWR_MGMT_1 && value & BIT_RESET)
        value = 0;
    chip->registers[address] = value;
    apply_registers(find_mpu9250(chip));
}

static const struct register_chip_kind kind = {
    .spi_address_bits = 0x7f,
    .i2c_address_bits = 0x7f,
    .read = read_register,
    .write = write_register,
    .fifo_address = FIFO_R_W,
};

struct accelerometer *
mpu9250_create(void)
{
    struct mpu9250 *mpu9250 = allocate(1, sizeof(*mpu9250));
    register_chip_init(&mpu9250->sensor.chip, &kind);
    mpu9250->sensor.device_id = DEVICE_ID;
    mpu9250->sensor.noise_g = noise_g;
    return &mpu9250->sensor;
}
