// BME280: temperature, pressure and humidity; a BMP280 lacks the latter
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memcpy
#include "bosch.h" // bosch_attach
#include "environment.h" // bme280_attach

enum {
    BME280_ID = 0xd0,
    BME280_CHIP_ID = 0x60,
    BMP280_CHIP_ID = 0x58,
    BME280_CONTROL_HUMIDITY = 0xf2,
    BME280_CONFIG = 0xf5,
    BME280_DATA = 0xf7, // pressure, temperature and humidity
    BME280_FIRST_TRIMMING = 0x88,
    BME280_SECOND_TRIMMING = 0xe1,
};

// Numbers that a chip has been trimmed with: those that the data sheet works
// an example with, and humidity of a usual chip
enum {
    T1 = 27504,
    T2 = 26435,
    T3 = -1000,
    P1 = 36477,
    P2 = -10685,
    P3 = 3024,
    P4 = 2855,
    P5 = 140,
    P6 = -7,
    P7 = 15500,
    P8 = -14600,
    P9 = 6000,
    H1 = 75,
    H2 = 361,
    H3 = 0,
    H4 = 325,
    H5 = 50,
    H6 = 30,
};


/****************************************************************
 * From what the converter shows to what that means
 ****************************************************************/

static double
fine_temperature(double raw)
{
    double offset = raw / 131072.0 - T1 / 8192.0;
    return (raw / 16384.0 - T1 / 1024.0) * T2 + offset * offset * T3;
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
    double b = a * a * P6 / 32768.0 + a * P5 * 2.0;
    b = b / 4.0 + P4 * 65536.0;
    a = (P3 * a * a / 524288.0 + P2 * a) / 524288.0;
    a = (1.0 + a / 32768.0) * P1;
    double pressure = (1048576.0 - raw - b / 4096.0) * 6250.0 / a;
    double c = P9 * pressure * pressure / 2147483648.0;
    return pressure + (c + pressure * P8 / 32768.0 + P7) / 16.0;
}

static double
humidity_percent(double raw, double fine)
{
    double h = fine - 76800.0;
    h = (raw - (H4 * 64.0 + H5 / 16384.0 * h))
        * (H2 / 65536.0
           * (1.0 + H6 / 67108864.0 * h * (1.0 + H3 / 67108864.0 * h)));
    return h * (1.0 - H1 * h / 524288.0);
}


/****************************************************************
 * Registers
 ****************************************************************/

static void
measure(struct temperature_sensor *sensor, struct bosch_chip *chip,
        uint8_t address)
{
    uint8_t *registers = chip->registers;
    if (address < BME280_DATA)
        return;
    uint32_t temperature =
        bosch_find_raw(temperature_c, 0.0, sensor_temperature_c(sensor), 20);
    double fine = fine_temperature(temperature);
    bosch_put_bits_20(&registers[BME280_DATA],
                      bosch_find_raw(pressure_pa, fine, AIR_PRESSURE_PA, 20));
    bosch_put_bits_20(&registers[BME280_DATA + 3], temperature);
    if (registers[BME280_ID] == BME280_CHIP_ID)
        bosch_put_big(&registers[BME280_DATA + 6],
                      (int)bosch_find_raw(humidity_percent, fine,
                                          AIR_HUMIDITY_PERCENT, 16));
}

static void
put_trimming(uint8_t *registers)
{
    static const int words[] = {
        T1, T2, T3, P1, P2, P3, P4, P5, P6, P7, P8, P9
    };
    uint8_t *place = &registers[BME280_FIRST_TRIMMING];
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++, place += 2)
        bosch_put_little(place, words[i]);
    place[1] = H1;
    const uint8_t second[] = {
        H2 & 0xff, H2 >> 8, H3, H4 >> 4, (H4 & 0x0f) | (H5 & 0x0f) << 4,
        H5 >> 4,   H6
    };
    memcpy(&registers[BME280_SECOND_TRIMMING], second, sizeof(second));
}

static const struct bosch_kind bme280_kind = {
    .first_written = BME280_CONTROL_HUMIDITY,
    .last_written = BME280_CONFIG,
    .asked = measure,
};

static void
attach(struct temperature_sensor *sensor, uint8_t chip_id)
{
    struct bosch_chip *chip = bosch_attach(sensor, &bme280_kind);
    chip->registers[BME280_ID] = chip_id;
    put_trimming(chip->registers);
}

void
bme280_attach(struct temperature_sensor *sensor)
{
    attach(sensor, BME280_CHIP_ID);
}

void
bmp280_attach(struct temperature_sensor *sensor)
{
    attach(sensor, BMP280_CHIP_ID);
}
