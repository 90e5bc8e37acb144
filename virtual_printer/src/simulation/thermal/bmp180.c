// BMP180: temperature and pressure, one after the other as they are asked for
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "bosch.h" // bosch_attach
#include "environment.h" // bmp180_attach

enum {
    BMP180_TRIMMING = 0xaa,
    BMP180_ID = 0xd0,
    BMP180_CHIP_ID = 0x55,
    BMP180_CONTROL = 0xf4,
    BMP180_DATA = 0xf6,
    // What is to be measured, but for the two bits of how often
    BMP180_TEMPERATURE = 0x2e,
    BMP180_PRESSURE = 0x34,
};

// Numbers that a chip has been trimmed with: those that the data sheet works
// an example with
enum {
    AC1 = 408,
    AC2 = -72,
    AC3 = -14383,
    AC4 = 32741,
    AC5 = 32757,
    AC6 = 23153,
    B1 = 6190,
    B2 = 4,
    MB = -32768,
    MC = -8711,
    MD = 2868,
};

// The data sheet's B5: temperature in 160ths of a kelvin
static double
fine_temperature(double raw)
{
    double x1 = (raw - AC6) * AC5 / 32768.0;
    // Below its pole the formula means nothing: colder than all
    return x1 + MD > 0.0 ? x1 + MC * 2048.0 / (x1 + MD) : raw - 1e9;
}

static double
temperature_c(double raw, double fine)
{
    (void)fine;
    return (fine_temperature(raw) + 8.0) / 160.0;
}

// Of a raw value that was measured once
static double
pressure_pa(double raw, double fine)
{
    double b6 = fine - 4000.0;
    double x3 = B2 * (b6 * b6 / 4096.0) / 2048.0 + AC2 * b6 / 2048.0;
    double b3 = (AC1 * 4.0 + x3 + 2.0) / 4.0;
    x3 = (AC3 * b6 / 8192.0 + B1 * (b6 * b6 / 4096.0) / 65536.0 + 2.0) / 4.0;
    double b4 = AC4 * (x3 + 32768.0) / 32768.0;
    double p = (raw - b3) * 50000.0 * 2.0 / b4;
    double x1 = p / 256.0 * (p / 256.0) * 3038.0 / 65536.0;
    return p + (x1 - 7357.0 * p / 65536.0 + 3791.0) / 16.0;
}

static void
measure(struct temperature_sensor *sensor, struct bosch_chip *chip,
        uint8_t address)
{
    uint8_t *data = &chip->registers[BMP180_DATA];
    uint8_t control = chip->registers[address];
    uint32_t raw =
        bosch_find_raw(temperature_c, 0.0, sensor_temperature_c(sensor), 16);
    if ((control & 0x3f) == BMP180_PRESSURE)
        raw = bosch_find_raw(pressure_pa, fine_temperature(raw),
                             AIR_PRESSURE_PA, 16);
    else if (control != BMP180_TEMPERATURE)
        return;
    bosch_put_big(data, (int)raw);
    // More bits than 16 are zero, however often it measures
    data[2] = 0;
}

static const struct bosch_kind bmp180_kind = {
    .first_written = BMP180_CONTROL,
    .last_written = BMP180_CONTROL,
    .written = measure,
};

void
bmp180_attach(struct temperature_sensor *sensor)
{
    static const int words[] = { AC1, AC2, AC3, AC4, AC5, AC6,
                                 B1,  B2,  MB,  MC,  MD };
    struct bosch_chip *chip = bosch_attach(sensor, &bmp180_kind);
    chip->registers[BMP180_ID] = BMP180_CHIP_ID;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        bosch_put_big(&chip->registers[BMP180_TRIMMING + 2 * i], words[i]);
}
