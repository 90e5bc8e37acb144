// MAX6675, MAX31855, MAX31856 and MAX31865: thermocouples and platinum on SPI
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "chips.h" // max6675_attach
#include <math.h> // floor
#include <string.h> // memset
#include "../core/memory.h" // allocate

// The chips themselves are as warm as the room
#define CHIP_C 25.0
enum { REGISTER_COUNT = 16, REGISTER_WRITE = 0x80 };

struct sensor_chip {
    uint8_t registers[REGISTER_COUNT];
    double nominal_ohm, reference_ohm;
};

static struct temperature_sensor *
sensor_of(struct spi_device *device)
{
    return container_of(device, struct temperature_sensor, spi);
}

// A number with so many of these steps, within bounds
static int32_t
count_of(double value, double step, int32_t minimum, int32_t maximum)
{
    double count = floor(value / step + 0.5);
    if (count <= minimum)
        return minimum;
    return count >= maximum ? maximum : (int32_t)count;
}

// Shift a word out, its highest byte first; nothing follows it
static void
shift_out(uint32_t word, size_t word_size, uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] =
            i < word_size ? (uint8_t)(word >> (8 * (word_size - 1 - i))) : 0;
}


/****************************************************************
 * Those that are only read
 ****************************************************************/

static void
max6675_transfer(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct temperature_sensor *sensor = sensor_of(device);
    // It sees an open input, a short one is as if it were at its own
    // temperature
    double temperature_c =
        sensor->state == SENSOR_SHORT ? CHIP_C : sensor_temperature_c(sensor);
    uint32_t word = (uint32_t)count_of(temperature_c, 0.25, 0, 0xfff) << 3;
    if (sensor->state == SENSOR_OPEN)
        word = 0xfff << 3 | 0x04;
    shift_out(word, 2, bytes, count);
}

static void
max31855_transfer(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct temperature_sensor *sensor = sensor_of(device);
    int32_t steps =
        count_of(sensor_temperature_c(sensor), 0.25, -0x2000, 0x1fff);
    uint32_t word = ((uint32_t)steps & 0x3fff) << 18;
    word |= (uint32_t)count_of(CHIP_C, 0.0625, 0, 0x7ff) << 4;
    if (sensor->state == SENSOR_OPEN)
        word |= 0x10001;
    if (sensor->state == SENSOR_SHORT)
        word |= 0x10002;
    shift_out(word, 4, bytes, count);
}


/****************************************************************
 * Those with registers
 ****************************************************************/

// Take an address, then write to registers or read them one after another
static void
exchange_registers(uint8_t *registers, uint8_t *bytes, size_t count)
{
    if (!count)
        return;
    int is_write = bytes[0] & REGISTER_WRITE;
    uint8_t address = bytes[0];
    bytes[0] = 0;
    for (size_t i = 1; i < count; i++, address++) {
        uint8_t *place = &registers[address % REGISTER_COUNT];
        if (is_write)
            *place = bytes[i];
        bytes[i] = is_write ? 0 : *place;
    }
}

enum {
    MAX31856_CR0 = 0x00,
    MAX31856_CR0_OPEN_DETECTION = 0x30,
    MAX31856_LTC = 0x0c, // three bytes
    MAX31856_STATUS = 0x0f,
    MAX31856_STATUS_OPEN = 0x01,
};

static void
max31856_transfer(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct temperature_sensor *sensor = sensor_of(device);
    struct sensor_chip *chip = sensor->chip;
    uint8_t *registers = chip->registers;
    // Without a voltage it takes the junction for as warm as itself
    double temperature_c =
        sensor->state == SENSOR_WORKS ? sensor_temperature_c(sensor) : CHIP_C;
    int32_t steps = count_of(temperature_c, 1.0 / 128.0, -0x40000, 0x3ffff);
    uint32_t word = (uint32_t)steps << 5;
    shift_out(word & 0xffffff, 3, &registers[MAX31856_LTC], 3);
    int is_seen = sensor->state == SENSOR_OPEN
        && registers[MAX31856_CR0] & MAX31856_CR0_OPEN_DETECTION;
    registers[MAX31856_STATUS] = is_seen ? MAX31856_STATUS_OPEN : 0;
    exchange_registers(registers, bytes, count);
}

enum {
    MAX31865_CONFIG = 0x00,
    MAX31865_CONFIG_BIAS = 0x80,
    MAX31865_CONFIG_CLEAR = 0x02,
    MAX31865_RTD = 0x01, // two bytes each
    MAX31865_HIGH_THRESHOLD = 0x03,
    MAX31865_LOW_THRESHOLD = 0x05,
    MAX31865_FAULT = 0x07,
    MAX31865_FAULT_HIGH = 0x80,
    MAX31865_FAULT_LOW = 0x40,
    MAX31865_RATIO_MAX = 0x7fff,
};

// What platinum has at a temperature, by Callendar and Van Dusen
static double
platinum_ohm(double nominal_ohm, double temperature_c)
{
    double below_c = fmin(temperature_c, 0.0);
    return nominal_ohm
        * (1.0 + 3.9083e-3 * temperature_c
           - 5.775e-7 * temperature_c * temperature_c
           - 4.183e-12 * (below_c - 100.0) * below_c * below_c * below_c);
}

static int32_t
max31865_ratio(struct temperature_sensor *sensor)
{
    const struct sensor_chip *chip = sensor->chip;
    // Nothing drives a current through the sensor
    if (!(chip->registers[MAX31865_CONFIG] & MAX31865_CONFIG_BIAS)
        || sensor->state == SENSOR_SHORT)
        return 0;
    if (sensor->state == SENSOR_OPEN)
        return MAX31865_RATIO_MAX;
    double ohm = platinum_ohm(chip->nominal_ohm, sensor_temperature_c(sensor));
    return count_of(ohm, chip->reference_ohm / 32768.0, 0, MAX31865_RATIO_MAX);
}

static void
max31865_transfer(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct temperature_sensor *sensor = sensor_of(device);
    struct sensor_chip *chip = sensor->chip;
    uint8_t *registers = chip->registers;
    int32_t ratio = max31865_ratio(sensor);
    int32_t high = registers[MAX31865_HIGH_THRESHOLD] << 8
        | registers[MAX31865_HIGH_THRESHOLD + 1];
    int32_t low = registers[MAX31865_LOW_THRESHOLD] << 8
        | registers[MAX31865_LOW_THRESHOLD + 1];
    // A fault stays until it is cleared
    if (registers[MAX31865_CONFIG] & MAX31865_CONFIG_BIAS) {
        if (ratio >= high >> 1)
            registers[MAX31865_FAULT] |= MAX31865_FAULT_HIGH;
        if (ratio <= low >> 1)
            registers[MAX31865_FAULT] |= MAX31865_FAULT_LOW;
    }
    uint32_t word = (uint32_t)ratio << 1 | !!registers[MAX31865_FAULT];
    shift_out(word, 2, &registers[MAX31865_RTD], 2);
    exchange_registers(registers, bytes, count);
    if (registers[MAX31865_CONFIG] & MAX31865_CONFIG_CLEAR) {
        registers[MAX31865_CONFIG] &= (uint8_t)~MAX31865_CONFIG_CLEAR;
        registers[MAX31865_FAULT] = 0;
    }
}


/****************************************************************
 * Set up
 ****************************************************************/

void
max6675_attach(struct temperature_sensor *sensor)
{
    sensor->spi.transfer = max6675_transfer;
}

void
max31855_attach(struct temperature_sensor *sensor)
{
    sensor->spi.transfer = max31855_transfer;
}

void
max31856_attach(struct temperature_sensor *sensor)
{
    sensor->spi.transfer = max31856_transfer;
    sensor->chip = allocate(1, sizeof(struct sensor_chip));
}

void
max31865_attach(struct temperature_sensor *sensor, double nominal_ohm,
                double reference_ohm)
{
    sensor->spi.transfer = max31865_transfer;
    struct sensor_chip *chip = sensor->chip = allocate(1, sizeof(*chip));
    chip->nominal_ohm = nominal_ohm;
    chip->reference_ohm = reference_ohm;
    memset(&chip->registers[MAX31865_HIGH_THRESHOLD], 0xff, 2);
}
