// BME680: temperature, pressure, humidity and gas, whenever it is asked to
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memcpy
#include "bosch.h" // bosch_attach
#include "environment.h" // bme680_attach

enum {
    BME680_HEATER_RANGE = 0x02,
    BME680_STATE = 0x1d,
    BME680_DATA = 0x1f, // pressure, temperature and humidity
    BME680_GAS = 0x2a,
    BME680_FIRST_SETTING = 0x50,
    BME680_GAS_CONTROL = 0x71,
    BME680_CONTROL = 0x74,
    BME680_LAST_SETTING = 0x75,
    BME680_FIRST_TRIMMING = 0x88,
    BME680_ID = 0xd0,
    BME680_CHIP_ID = 0x61,
    BME680_SECOND_TRIMMING = 0xe1,
};
enum { BME680_NEW_DATA = 0x80, BME680_RUN_GAS = 0x10 };
enum { BME680_MODE_BITS = 0x03, BME680_FORCED = 0x01 };
// Some 50 kOhm, as clean air has: the converter's value and its range, which is
// valid, of a heater that is as hot as it has to be
enum { GAS_RAW = 858, GAS_RANGE = 7, GAS_VALID = 0x30 };

// Numbers that a chip has been trimmed with, much like those of real ones
enum {
    T1 = 26183,
    T2 = 26435,
    T3 = 3,
    P1 = 36477,
    P2 = -10380,
    P3 = 88,
    P4 = 6685,
    P5 = -84,
    P6 = 30,
    P7 = 45,
    P8 = -1000,
    P9 = -2500,
    P10 = 30,
    H1 = 784,
    H2 = 1018,
    H3 = 0,
    H4 = 45,
    H5 = 20,
    H6 = 120,
    H7 = -100,
    G1 = -30,
    G2 = -12969,
    G3 = 18,
};

static double
fine_temperature(double raw)
{
    double offset = raw / 131072.0 - T1 / 8192.0;
    return (raw / 16384.0 - T1 / 1024.0) * T2 + offset * offset * T3 * 16.0;
}

static double
temperature_c(double raw, double fine)
{
    (void)fine;
    return fine_temperature(raw) / 5120.0;
}

static double
pressure_pa(double raw, double fine)
{
    double a = fine / 2.0 - 64000.0;
    double b = a * a * P6 / 131072.0 + a * P5 * 2.0;
    b = b / 4.0 + P4 * 65536.0;
    a = (P3 * a * a / 16384.0 + P2 * a) / 524288.0;
    a = (1.0 + a / 32768.0) * P1;
    double p = (1048576.0 - raw - b / 4096.0) * 6250.0 / a;
    double q = p / 256.0;
    double c = P9 * p * p / 2147483648.0 + p * P8 / 32768.0
        + q * q * q * P10 / 131072.0;
    return p + (c + P7 * 128.0) / 16.0;
}

static double
humidity_percent(double raw, double fine)
{
    double t = fine / 5120.0;
    double a = raw - (H1 * 16.0 + H3 / 2.0 * t);
    double b =
        a * H2 / 262144.0 * (1.0 + H4 / 16384.0 * t + H5 / 1048576.0 * t * t);
    return b + (H6 / 16384.0 + H7 / 2097152.0 * t) * b * b;
}

static void
measure(struct temperature_sensor *sensor, uint8_t *registers)
{
    uint32_t temperature =
        bosch_find_raw(temperature_c, 0.0, sensor_temperature_c(sensor), 20);
    double fine = fine_temperature(temperature);
    bosch_put_bits_20(&registers[BME680_DATA],
                      bosch_find_raw(pressure_pa, fine, AIR_PRESSURE_PA, 20));
    bosch_put_bits_20(&registers[BME680_DATA + 3], temperature);
    bosch_put_big(
        &registers[BME680_DATA + 6],
        (int)bosch_find_raw(humidity_percent, fine, AIR_HUMIDITY_PERCENT, 16));
    int has_gas = registers[BME680_GAS_CONTROL] & BME680_RUN_GAS;
    registers[BME680_GAS] = has_gas ? GAS_RAW >> 2 : 0;
    registers[BME680_GAS + 1] =
        has_gas ? (uint8_t)(GAS_RAW << 6) | GAS_VALID | GAS_RANGE : 0;
    registers[BME680_STATE] = BME680_NEW_DATA;
}

// A measurement that is forced has ended by the time that anybody looks
static void
written(struct temperature_sensor *sensor, struct bosch_chip *chip,
        uint8_t address)
{
    uint8_t *control = &chip->registers[BME680_CONTROL];
    if (address != BME680_CONTROL
        || (*control & BME680_MODE_BITS) != BME680_FORCED)
        return;
    *control &= (uint8_t)~BME680_MODE_BITS;
    measure(sensor, chip->registers);
}

static void
put_trimming(uint8_t *registers)
{
    uint8_t *first = &registers[BME680_FIRST_TRIMMING];
    bosch_put_little(first + 2, T2);
    first[4] = (uint8_t)T3;
    bosch_put_little(first + 6, P1);
    bosch_put_little(first + 8, P2);
    first[10] = (uint8_t)P3;
    bosch_put_little(first + 12, P4);
    bosch_put_little(first + 14, P5);
    first[16] = (uint8_t)P7;
    first[17] = (uint8_t)P6;
    bosch_put_little(first + 20, P8);
    bosch_put_little(first + 22, P9);
    first[24] = (uint8_t)P10;
    const uint8_t second[] = {
        H2 >> 4,     (H2 & 0x0f) << 4 | (H1 & 0x0f),
        H1 >> 4,     (uint8_t)H3,
        (uint8_t)H4, (uint8_t)H5,
        (uint8_t)H6, (uint8_t)H7,
    };
    uint8_t *place = &registers[BME680_SECOND_TRIMMING];
    memcpy(place, second, sizeof(second));
    bosch_put_little(place + 8, T1);
    bosch_put_little(place + 10, G2);
    place[12] = (uint8_t)G1;
    place[13] = (uint8_t)G3;
}

static const struct bosch_kind bme680_kind = {
    .first_written = BME680_FIRST_SETTING,
    .last_written = BME680_LAST_SETTING,
    .written = written,
};

void
bme680_attach(struct temperature_sensor *sensor)
{
    struct bosch_chip *chip = bosch_attach(sensor, &bme680_kind);
    chip->registers[BME680_ID] = BME680_CHIP_ID;
    chip->registers[BME680_HEATER_RANGE] = 0x10;
    put_trimming(chip->registers);
}
