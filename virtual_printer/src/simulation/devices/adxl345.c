// ADXL345 (data sheet: Analog Devices, rev. G)
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "accelerometer.h" // struct accelerometer

enum {
    DEVID = 0x00,
    BW_RATE = 0x2c,
    POWER_CTL = 0x2d,
    DATA_FORMAT = 0x31,
    DATAX0 = 0x32,
    DATAZ1 = 0x37,
    FIFO_CTL = 0x38,
    FIFO_STATUS = 0x39,
    DEVICE_ID = 0xe5,
};

#define RATE_HZ_MAX 3200.0
enum { FIFO_SAMPLES = 32, MODE_BYPASS = 0, MODE_STREAM = 2 };
// At 3.3 V, of which only X and Y take notice
static const double full_units_per_g[] = { 265.0, 265.0, 256.0 };
static const double noise_g = 0.0116;

struct adxl345 {
    struct accelerometer sensor;
    int16_t output[3];
};

static struct adxl345 *
find_adxl345(struct register_chip *chip)
{
    return container_of(chip, struct adxl345, sensor.chip);
}

static void
apply_registers(struct accelerometer *sensor)
{
    const uint8_t *registers = sensor->chip.registers;
    int is_measuring = registers[POWER_CTL] & 0x08;
    int mode = registers[FIFO_CTL] >> 6;
    double rate_hz = RATE_HZ_MAX / (1 << (15 - (registers[BW_RATE] & 0x0f)));
    // In full resolution the range only adds bits
    int range = registers[DATA_FORMAT] & 0x03;
    int is_full = registers[DATA_FORMAT] & 0x08;
    sensor->units_max = is_full ? (512 << range) - 1 : 511;
    for (int i = 0; i < 3; i++)
        sensor->units_per_g[i] =
            full_units_per_g[i] / (is_full ? 1 : 1 << range);
    accelerometer_measure(sensor, is_measuring ? rate_hz : 0.0,
                          mode == MODE_BYPASS ? 1 : FIFO_SAMPLES,
                          mode == MODE_BYPASS || mode == MODE_STREAM);
}

static uint8_t
read_register(struct register_chip *chip, uint8_t address)
{
    struct adxl345 *adxl345 = find_adxl345(chip);
    if (address == DEVID)
        return DEVICE_ID;
    if (address == FIFO_STATUS)
        return (uint8_t)accelerometer_count(&adxl345->sensor);
    if (address < DATAX0 || address > DATAZ1)
        return chip->registers[address];
    if (address == DATAX0)
        // Unless there is a new one the last sample stays
        accelerometer_take(&adxl345->sensor, adxl345->output);
    int16_t value = adxl345->output[(address - DATAX0) / 2];
    return (uint8_t)((address - DATAX0) % 2 ? value >> 8 : value);
}

static void
write_register(struct register_chip *chip, uint8_t address, uint8_t value)
{
    chip->registers[address] = value;
    if (address == BW_RATE || address == POWER_CTL || address == DATA_FORMAT
        || address == FIFO_CTL)
        apply_registers(&find_adxl345(chip)->sensor);
}

static const struct register_chip_kind kind = {
    .spi_address_bits = 0x3f,
    .spi_increment_bit = 0x40,
    .i2c_address_bits = 0x3f,
    .read = read_register,
    .write = write_register,
};

struct accelerometer *
adxl345_create(void)
{
    struct adxl345 *adxl345 = allocate(1, sizeof(*adxl345));
    register_chip_init(&adxl345->sensor.chip, &kind);
    adxl345->sensor.chip.registers[BW_RATE] = 0x0a;
    adxl345->sensor.noise_g = noise_g;
    return &adxl345->sensor;
}
