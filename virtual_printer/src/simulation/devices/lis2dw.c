// LIS2DW12 and LIS3DH (data sheets: STMicroelectronics)
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "accelerometer.h" // struct accelerometer

enum {
    WHO_AM_I = 0x0f,
    CTRL1 = 0x20,
    CTRL4 = 0x23,
    CTRL5 = 0x24,
    CTRL6 = 0x25, // of the LIS2DW12 only
    OUT_X_L = 0x28,
    OUT_Z_H = 0x2d,
    FIFO_CTRL = 0x2e,
    FIFO_SAMPLES = 0x2f,
};

enum { FIFO_SIZE = 32, STATUS_OVERRUN = 0x40, LIS3DH_STATUS_EMPTY = 0x20 };
// Values are flush left in 16 bits: 14 bits for each range, and 12 bits with
// the units of the data sheet
#define LIS2DW_UNITS_PER_G_AT_2_G 16384.0
static const double lis3dh_units_per_g[] = {
    16000.0,
    8000.0,
    4000.0,
    16000.0 / 12.0,
};

static const double lis2dw_rates_hz[16] = {
    0.0, 12.5, 12.5, 25.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1600.0,
};
static const double lis3dh_rates_hz[16] = {
    0.0, 1.0, 10.0, 25.0, 50.0, 100.0, 200.0, 400.0, 1620.0, 1344.0,
};

struct lis2dw {
    struct accelerometer sensor;
    int is_lis3dh;
    int16_t output[3];
};

static struct lis2dw *
find_lis2dw(const struct register_chip *chip)
{
    return container_of(chip, struct lis2dw, sensor.chip);
}

static int
has_fifo(const struct lis2dw *lis2dw)
{
    const uint8_t *registers = lis2dw->sensor.chip.registers;
    if (lis2dw->is_lis3dh)
        return registers[CTRL5] & 0x40 && registers[FIFO_CTRL] >> 6;
    return registers[FIFO_CTRL] >> 5 != 0;
}

static void
apply_registers(struct lis2dw *lis2dw)
{
    struct accelerometer *sensor = &lis2dw->sensor;
    const uint8_t *registers = sensor->chip.registers;
    int rate = registers[CTRL1] >> 4, is_fifo = has_fifo(lis2dw);
    int range = registers[lis2dw->is_lis3dh ? CTRL4 : CTRL6] >> 4 & 0x03;
    int mode = lis2dw->is_lis3dh ? registers[FIFO_CTRL] >> 6
                                 : registers[FIFO_CTRL] >> 5;
    sensor->units_max = INT16_MAX;
    for (int i = 0; i < 3; i++)
        sensor->units_per_g[i] = lis2dw->is_lis3dh
            ? lis3dh_units_per_g[range]
            : LIS2DW_UNITS_PER_G_AT_2_G / (1 << range);
    accelerometer_measure(
        sensor, (lis2dw->is_lis3dh ? lis3dh_rates_hz : lis2dw_rates_hz)[rate],
        is_fifo ? FIFO_SIZE : 1, mode != 1);
}

static uint8_t
fifo_status(struct lis2dw *lis2dw)
{
    size_t count = accelerometer_count(&lis2dw->sensor);
    int status = lis2dw->sensor.is_overrun ? STATUS_OVERRUN : 0;
    if (!has_fifo(lis2dw))
        return lis2dw->is_lis3dh ? LIS3DH_STATUS_EMPTY : 0;
    if (lis2dw->is_lis3dh && !count)
        status |= LIS3DH_STATUS_EMPTY;
    if (lis2dw->is_lis3dh && count == FIFO_SIZE)
        count--; // its counter has five bits
    return (uint8_t)(status | (int)count);
}

static uint8_t
read_register(struct register_chip *chip, uint8_t address)
{
    struct lis2dw *lis2dw = find_lis2dw(chip);
    if (address == WHO_AM_I)
        return lis2dw->sensor.device_id;
    if (address == FIFO_SAMPLES)
        return fifo_status(lis2dw);
    if (address < OUT_X_L || address > OUT_Z_H)
        return chip->registers[address];
    if (address == OUT_X_L
        && !accelerometer_take(&lis2dw->sensor, lis2dw->output))
        lis2dw->sensor.is_overrun = 0;
    int16_t value = lis2dw->output[(address - OUT_X_L) / 2];
    return (uint8_t)((address - OUT_X_L) % 2 ? value >> 8 : value);
}

static void
write_register(struct register_chip *chip, uint8_t address, uint8_t value)
{
    if (chip->registers[address] == value)
        return;
    chip->registers[address] = value;
    if ((address >= CTRL1 && address <= CTRL6) || address == FIFO_CTRL)
        apply_registers(find_lis2dw(chip));
}

// With the FIFO on, a burst goes from one sample to the next
static uint8_t
next_register(const struct register_chip *chip, uint8_t address)
{
    if (address == OUT_Z_H && has_fifo(find_lis2dw(chip)))
        return OUT_X_L;
    return (address + 1) & 0x7f;
}

static const struct register_chip_kind lis2dw_kind = {
    .spi_address_bits = 0x7f,
    .i2c_address_bits = 0x7f,
    .read = read_register,
    .write = write_register,
    .next = next_register,
};

static const struct register_chip_kind lis3dh_kind = {
    .spi_address_bits = 0x3f,
    .spi_increment_bit = 0x40,
    .i2c_address_bits = 0x7f,
    .i2c_increment_bit = 0x80,
    .read = read_register,
    .write = write_register,
    .next = next_register,
};

static struct accelerometer *
create(const struct register_chip_kind *kind, uint8_t device_id, double noise_g)
{
    struct lis2dw *lis2dw = allocate(1, sizeof(*lis2dw));
    register_chip_init(&lis2dw->sensor.chip, kind);
    lis2dw->sensor.device_id = device_id;
    lis2dw->sensor.noise_g = noise_g;
    lis2dw->is_lis3dh = kind == &lis3dh_kind;
    return &lis2dw->sensor;
}

struct accelerometer *
lis2dw_create(void)
{
    return create(&lis2dw_kind, 0x44, 0.0025);
}

struct accelerometer *
lis3dh_create(void)
{
    return create(&lis3dh_kind, 0x33, 0.006);
}
