// LDC1612 with a coil over the bed (data sheet: Texas Instruments SNOSCY9)
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // free
#include "../core/memory.h" // allocate
#include "ldc1612.h" // struct ldc1612

enum {
    DATA0_MSB = 0x00,
    DATA0_LSB = 0x01,
    RCOUNT0 = 0x08,
    SETTLECOUNT0 = 0x10,
    CLOCK_DIVIDERS0 = 0x14,
    STATUS = 0x18,
    CONFIG = 0x1a,
    RESET_DEV = 0x1c,
    DRIVE_CURRENT0 = 0x1e,
    MANUFACTURER_ID = 0x7e,
    DEVICE_ID = 0x7f,
};

enum {
    BIT_SLEEP = 0x2000,
    BIT_RESET = 0x8000,
    STATUS_READY = 0x48,
    // What the chip finds to suit the coil, where it is read
    INITIAL_DRIVE = 16 << 6,
    INITIAL_DRIVE_BITS = 0x1f << 6,
};
// The data are a share of the reference, with so many bits
#define DATA_ONE 268435456.0
#define DATA_MAX 268435455.0
// Of a small coil
#define GAIN 0.06
#define RANGE_MM 2.0
// Where the nozzle rests on the bed, gantry and toolhead give way, and this
// share of its way on is left to the coil
#define GIVE 0.1


/****************************************************************
 * The coil
 ****************************************************************/

// A nozzle in the bed holds the coil up
static double
coil_distance_mm(struct ldc1612 *ldc1612)
{
    double held_up_mm =
        (1.0 - GIVE) * mechanics_nozzle_depth_mm(ldc1612->mechanics);
    return ldc1612->coil_height_mm + held_up_mm
        + sensor_height_mm(ldc1612->mechanics, &ldc1612->place);
}

static double
coil_frequency_hz(struct ldc1612 *ldc1612)
{
    double distance_mm = ldc1612->sensing.state == SENSING_NEAR
        ? ldc1612->coil_height_mm
        : coil_distance_mm(ldc1612);
    double ratio =
        1.0 + (distance_mm > 0.0 ? distance_mm : 0.0) / ldc1612->range_mm;
    double warmer_k = ldc1612->body
        ? body_temperature_c(ldc1612->body) - COIL_NOMINAL_C
        : 0.0;
    double hz = ldc1612->coil_hz * (1.0 + ldc1612->gain / (ratio * ratio))
            * (1.0 + ldc1612->drift_per_k * warmer_k)
        + ldc1612->noise_hz * random_normal(&ldc1612->random);
    return sensing_value(&ldc1612->sensing, hz);
}

static double
reference_hz(const struct ldc1612 *ldc1612)
{
    int divider = ldc1612->registers[CLOCK_DIVIDERS0] & 0x3ff;
    return ldc1612->clock_hz * ldc1612->clock_factor / (divider ? divider : 1);
}

static uint32_t
measure(struct ldc1612 *ldc1612)
{
    int divider = ldc1612->registers[CLOCK_DIVIDERS0] >> 12;
    double data = coil_frequency_hz(ldc1612) / (divider ? divider : 1)
        / reference_hz(ldc1612) * DATA_ONE;
    return (uint32_t)(data < DATA_MAX ? data : DATA_MAX);
}


/****************************************************************
 * Conversions: nobody has to be there when one ends
 ****************************************************************/

static void
apply_registers(struct ldc1612 *ldc1612)
{
    const uint16_t *registers = ldc1612->registers;
    ldc1612->is_converting =
        !(registers[CONFIG] & BIT_SLEEP) && registers[RCOUNT0];
    double cycles_ns = NS_PER_S / reference_hz(ldc1612);
    ldc1612->period_ns = (registers[RCOUNT0] * 16 + 4) * cycles_ns;
    double settle_ns = registers[SETTLECOUNT0] * 16 * cycles_ns;
    ldc1612->start_ns = ldc1612->timeline->now_ns + (int64_t)settle_ns;
    ldc1612->taken_count = ldc1612->noted_count = 0;
}

static int64_t
ready_ns(const struct ldc1612 *ldc1612, int64_t count)
{
    if (!ldc1612->is_converting || ldc1612->sensing.state == SENSING_SILENT)
        return INT64_MAX;
    double due_ns = ldc1612->period_ns * (double)(count + 1);
    return ldc1612->start_ns + (int64_t)due_ns + 1;
}

// How many conversions have ended, where some have been counted already
static int64_t
count_conversions(const struct ldc1612 *ldc1612, int64_t count)
{
    int64_t now_ns = ldc1612->timeline->now_ns;
    if (ready_ns(ldc1612, count) > now_ns)
        return count;
    return (int64_t)((double)(now_ns - ldc1612->start_ns) / ldc1612->period_ns);
}

static int
is_ready(const struct ldc1612 *ldc1612, int64_t count)
{
    return ready_ns(ldc1612, count) <= ldc1612->timeline->now_ns;
}

static int
level(struct pin_source *source)
{
    struct ldc1612 *ldc1612 = container_of(source, struct ldc1612, interrupt);
    return !is_ready(ldc1612, ldc1612->noted_count);
}

static int64_t
next_low_ns(struct pin_source *source)
{
    struct ldc1612 *ldc1612 = container_of(source, struct ldc1612, interrupt);
    return ready_ns(ldc1612, ldc1612->noted_count);
}


/****************************************************************
 * Registers
 ****************************************************************/

static uint16_t
read_register(struct ldc1612 *ldc1612, uint8_t address)
{
    uint32_t result;
    switch (address) {
    case MANUFACTURER_ID: return 0x5449;
    case DEVICE_ID: return 0x3055;
    case STATUS:
        ldc1612->noted_count = count_conversions(ldc1612, ldc1612->noted_count);
        return is_ready(ldc1612, ldc1612->taken_count) ? STATUS_READY : 0;
    case DATA0_MSB:
        result = measure(ldc1612);
        ldc1612->result_low = (uint16_t)result;
        ldc1612->taken_count = count_conversions(ldc1612, ldc1612->taken_count);
        return (uint16_t)(result >> 16);
    case DATA0_LSB: return ldc1612->result_low;
    case DRIVE_CURRENT0:
        return (uint16_t)((ldc1612->registers[address] & ~INITIAL_DRIVE_BITS)
                          | INITIAL_DRIVE);
    default: return ldc1612->registers[address];
    }
}

static void
set_reset_values(struct ldc1612 *ldc1612)
{
    for (int i = 0; i < 128; i++)
        ldc1612->registers[i] = 0;
    ldc1612->registers[RCOUNT0] = 0x0080;
    ldc1612->registers[CONFIG] = 0x2801;
}

static int
write(struct i2c_device *device, const uint8_t *bytes, size_t count)
{
    struct ldc1612 *ldc1612 = container_of(device, struct ldc1612, i2c);
    if (count < 3)
        return 0;
    uint8_t address = bytes[0] & 0x7f;
    uint16_t value = (uint16_t)(bytes[1] << 8 | bytes[2]);
    if (address == RESET_DEV && value & BIT_RESET)
        set_reset_values(ldc1612);
    else
        ldc1612->registers[address] = value;
    if (address != DRIVE_CURRENT0)
        apply_registers(ldc1612);
    return 0;
}

static int
read(struct i2c_device *device, const uint8_t *bytes, size_t count,
     uint8_t *answer, size_t answer_size)
{
    struct ldc1612 *ldc1612 = container_of(device, struct ldc1612, i2c);
    uint8_t address = count ? bytes[0] & 0x7f : 0;
    uint16_t value = read_register(ldc1612, address);
    for (size_t i = 0; i < answer_size; i++)
        answer[i] = (uint8_t)(i == 0 ? value >> 8 : i == 1 ? value : 0);
    return 0;
}

struct ldc1612 *
ldc1612_create(void)
{
    struct ldc1612 *ldc1612 = allocate(1, sizeof(*ldc1612));
    ldc1612->i2c.write = write;
    ldc1612->i2c.read = read;
    ldc1612->interrupt.level = level;
    ldc1612->interrupt.next_low_ns = next_low_ns;
    ldc1612->gain = GAIN;
    ldc1612->range_mm = RANGE_MM;
    set_reset_values(ldc1612);
    return ldc1612;
}

void
ldc1612_free(struct ldc1612 *ldc1612)
{
    free(ldc1612);
}
