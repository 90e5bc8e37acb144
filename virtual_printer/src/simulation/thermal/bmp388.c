// BMP388: temperature and pressure, measured again and again
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "bosch.h" // bosch_attach
#include "environment.h" // bmp388_attach

enum {
    BMP388_ID = 0x00,
    BMP388_CHIP_ID = 0x50,
    BMP388_STATUS = 0x03,
    BMP388_PRESSURE = 0x04,
    BMP388_TEMPERATURE = 0x07,
    BMP388_INTERRUPTS = 0x19,
    BMP388_POWER = 0x1b,
    BMP388_RATE = 0x1d,
    BMP388_TRIMMING = 0x31,
};
// Bits of the state: it takes commands, and both have been measured
enum { BMP388_STATUS_IDLE = 0x10, BMP388_STATUS_MEASURED = 0x60 };
// Bits of BMP388_POWER: both are to be measured, all the time
enum { BMP388_POWER_BITS = 0x33, BMP388_POWER_NORMAL = 0x33 };
#define BMP388_PERIOD_NS 5000000
enum { BMP388_RATE_MAX = 17 };

// Numbers that a chip has been trimmed with, much like those of real ones
enum {
    T1 = 27772,
    T2 = 18974,
    T3 = -10,
    P1 = -1200,
    P2 = -1900,
    P3 = 35,
    P4 = 0,
    P5 = 25000,
    P6 = 30000,
    P7 = -7,
    P8 = -2,
    P9 = 16447,
    P10 = 6,
    P11 = -60,
};

static double
temperature_c(double raw, double fine)
{
    (void)fine;
    double difference = raw - T1 * 256.0;
    return difference * T2 / 0x1p30 + difference * difference * T3 / 0x1p48;
}

// At a temperature
static double
pressure_pa(double raw, double fine_c)
{
    double t = fine_c, t2 = t * t, t3 = t2 * t;
    double zero =
        P5 * 8.0 + P6 / 64.0 * t + P7 / 256.0 * t2 + P8 / 32768.0 * t3;
    double slope = (P1 - 16384) / 0x1p20 + (P2 - 16384) / 0x1p29 * t
        + P3 / 0x1p32 * t2 + P4 / 0x1p37 * t3;
    double bow = P9 / 0x1p48 + P10 / 0x1p48 * t + P11 / 0x1p65 * raw;
    return zero + slope * raw + bow * raw * raw;
}

static void
put_bits_24(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
    bytes[2] = (uint8_t)(value >> 16);
}

// The last sample is the one to be read, for as long as there is no other
static void
sample(struct temperature_sensor *sensor, struct bosch_chip *chip,
       uint8_t address)
{
    (void)address;
    uint8_t *registers = chip->registers;
    if ((registers[BMP388_POWER] & BMP388_POWER_BITS) != BMP388_POWER_NORMAL)
        return;
    int rate = registers[BMP388_RATE] & 0x1f;
    int64_t period_ns = (int64_t)BMP388_PERIOD_NS
        << (rate < BMP388_RATE_MAX ? rate : BMP388_RATE_MAX);
    int64_t number = sensor->body->group->timeline->now_ns / period_ns;
    if (number == chip->sample)
        return;
    chip->sample = number;
    uint32_t raw =
        bosch_find_raw(temperature_c, 0.0, sensor_temperature_c(sensor), 24);
    put_bits_24(&registers[BMP388_TEMPERATURE], raw);
    double fine_c = temperature_c(raw, 0.0);
    raw = bosch_find_raw(pressure_pa, fine_c, AIR_PRESSURE_PA, 24);
    put_bits_24(&registers[BMP388_PRESSURE], raw);
    registers[BMP388_STATUS] = BMP388_STATUS_IDLE | BMP388_STATUS_MEASURED;
}

static void
put_trimming(uint8_t *place)
{
    bosch_put_little(place, T1);
    bosch_put_little(place + 2, T2);
    place[4] = (uint8_t)T3;
    bosch_put_little(place + 5, P1);
    bosch_put_little(place + 7, P2);
    place[9] = (uint8_t)P3;
    place[10] = (uint8_t)P4;
    bosch_put_little(place + 11, P5);
    bosch_put_little(place + 13, P6);
    place[15] = (uint8_t)P7;
    place[16] = (uint8_t)P8;
    bosch_put_little(place + 17, P9);
    place[19] = (uint8_t)P10;
    place[20] = (uint8_t)P11;
}

static const struct bosch_kind bmp388_kind = {
    .first_written = BMP388_INTERRUPTS,
    .last_written = BMP388_RATE,
    .asked = sample,
};

void
bmp388_attach(struct temperature_sensor *sensor)
{
    struct bosch_chip *chip = bosch_attach(sensor, &bmp388_kind);
    chip->registers[BMP388_ID] = BMP388_CHIP_ID;
    chip->registers[BMP388_STATUS] = BMP388_STATUS_IDLE;
    put_trimming(&chip->registers[BMP388_TRIMMING]);
}
