// LM75, SHT3x, HTU21D and AHT10 with their families on I2C
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "environment.h" // lm75_attach
#include <math.h> // floor
#include <string.h> // memcpy
#include "../core/memory.h" // allocate

static struct temperature_sensor *
sensor_of(struct i2c_device *device)
{
    return container_of(device, struct temperature_sensor, i2c);
}

// The nearest number of so many bits
static uint32_t
count_of(double value, int bits)
{
    double maximum = (double)((1u << bits) - 1);
    return (uint32_t)fmax(0.0, fmin(floor(value + 0.5), maximum));
}

static uint8_t
checksum(const uint8_t *bytes, size_t count, uint8_t start)
{
    uint8_t sum = start;
    for (size_t i = 0; i < count; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = (uint8_t)(sum & 0x80 ? sum << 1 ^ 0x31 : sum << 1);
    }
    return sum;
}

// A word with its checksum, as two families of chips answer
static void
put_checked(uint8_t *bytes, uint32_t word, uint8_t start)
{
    bytes[0] = (uint8_t)(word >> 8);
    bytes[1] = (uint8_t)word;
    bytes[2] = checksum(bytes, 2, start);
}

// Answer with as much as there is, then with ones, as the bus is pulled up
static void
put_answer(uint8_t *answer, size_t answer_size, const uint8_t *bytes,
           size_t count)
{
    for (size_t i = 0; i < answer_size; i++)
        answer[i] = i < count ? bytes[i] : 0xff;
}


/****************************************************************
 * LM75
 ****************************************************************/

enum { LM75_TEMPERATURE, LM75_CONFIG, LM75_HYSTERESIS, LM75_LIMIT };
enum { LM75_PRODUCT = 7, LM75_PRODUCT_ID = 0xa1, LM75_REGISTERS = 8 };

struct lm75 {
    uint8_t pointer;
    uint8_t registers[LM75_REGISTERS][2];
};

static int
lm75_write(struct i2c_device *device, const uint8_t *bytes, size_t count)
{
    struct lm75 *chip = sensor_of(device)->chip;
    if (count)
        chip->pointer = bytes[0] % LM75_REGISTERS;
    if (chip->pointer < LM75_CONFIG || chip->pointer > LM75_LIMIT)
        return 0;
    for (size_t i = 1; i < count && i <= 2; i++)
        chip->registers[chip->pointer][i - 1] = bytes[i];
    return 0;
}

static int
lm75_read(struct i2c_device *device, const uint8_t *bytes, size_t count,
          uint8_t *answer, size_t answer_size)
{
    struct temperature_sensor *sensor = sensor_of(device);
    struct lm75 *chip = sensor->chip;
    lm75_write(device, bytes, count);
    double halves = floor(sensor_temperature_c(sensor) * 2.0 + 0.5);
    int32_t steps = (int32_t)fmax(-110.0, fmin(halves, 250.0));
    chip->registers[LM75_TEMPERATURE][0] = (uint8_t)(steps >> 1);
    chip->registers[LM75_TEMPERATURE][1] = (uint8_t)(steps << 7);
    put_answer(answer, answer_size, chip->registers[chip->pointer], 2);
    return 0;
}

void
lm75_attach(struct temperature_sensor *sensor)
{
    static const struct lm75 reset = {
        .registers = { [LM75_HYSTERESIS] = { 75 },
                      [LM75_LIMIT] = { 80 },
                      [LM75_PRODUCT] = { LM75_PRODUCT_ID } },
    };
    struct lm75 *chip = sensor->chip = allocate(1, sizeof(*chip));
    *chip = reset;
    sensor->i2c.write = lm75_write;
    sensor->i2c.read = lm75_read;
}


/****************************************************************
 * SHT3x
 ****************************************************************/

enum {
    SHT3X_SINGLE_STRETCHED = 0x2c,
    SHT3X_SINGLE = 0x24,
    SHT3X_FETCH = 0xe000,
    SHT3X_READ_STATUS = 0xf32d,
    SHT3X_BREAK = 0x3093,
    SHT3X_RESET = 0x30a2,
    SHT3X_STATUS_AFTER_RESET = 0x8010,
    SHT3X_CHECKSUM_START = 0xff,
};

struct sht3x {
    uint16_t command; // the last one
    int is_periodic, has_result;
};

static int
sht3x_write(struct i2c_device *device, const uint8_t *bytes, size_t count)
{
    struct sht3x *chip = sensor_of(device)->chip;
    if (count < 2)
        return 0;
    chip->command = (uint16_t)(bytes[0] << 8 | bytes[1]);
    if (chip->command == SHT3X_BREAK || chip->command == SHT3X_RESET)
        chip->is_periodic = chip->has_result = 0;
    else if (bytes[0] == SHT3X_SINGLE || bytes[0] == SHT3X_SINGLE_STRETCHED)
        chip->has_result = 1;
    else if (bytes[0] >= 0x20 && bytes[0] <= 0x27)
        chip->is_periodic = 1;
    return 0;
}

static int
sht3x_read(struct i2c_device *device, const uint8_t *bytes, size_t count,
           uint8_t *answer, size_t answer_size)
{
    struct temperature_sensor *sensor = sensor_of(device);
    struct sht3x *chip = sensor->chip;
    uint8_t result[6];
    sht3x_write(device, bytes, count);
    if (chip->command == SHT3X_READ_STATUS) {
        put_checked(result, SHT3X_STATUS_AFTER_RESET, SHT3X_CHECKSUM_START);
        put_answer(answer, answer_size, result, 3);
        return 0;
    }
    // Without a result it does not acknowledge
    if (!(chip->command == SHT3X_FETCH ? chip->is_periodic : chip->has_result))
        return -1;
    chip->has_result = 0;
    double share = (sensor_temperature_c(sensor) + 45.0) / 175.0;
    put_checked(result, count_of(share * 65535.0, 16), SHT3X_CHECKSUM_START);
    put_checked(result + 3,
                count_of(AIR_HUMIDITY_PERCENT / 100.0 * 65535.0, 16),
                SHT3X_CHECKSUM_START);
    put_answer(answer, answer_size, result, sizeof(result));
    return 0;
}

void
sht3x_attach(struct temperature_sensor *sensor)
{
    sensor->chip = allocate(1, sizeof(struct sht3x));
    sensor->i2c.write = sht3x_write;
    sensor->i2c.read = sht3x_read;
}


/****************************************************************
 * HTU21D, SHT21, Si7013, Si7020 and Si7021
 ****************************************************************/

enum {
    HTU21D_TEMPERATURE_HOLD = 0xe3,
    HTU21D_TEMPERATURE = 0xf3,
    HTU21D_HUMIDITY_HOLD = 0xe5,
    HTU21D_HUMIDITY = 0xf5,
    HTU21D_WRITE_USER = 0xe6,
    HTU21D_READ_USER = 0xe7,
    HTU21D_RESET = 0xfe,
    HTU21D_SERIAL = 0xfc,
    HTU21D_USER_AFTER_RESET = 0x02,
    HTU21D_IS_HUMIDITY = 0x02, // a bit of results
};

struct htu21d {
    uint8_t command, user, number;
};

static int
htu21d_write(struct i2c_device *device, const uint8_t *bytes, size_t count)
{
    struct htu21d *chip = sensor_of(device)->chip;
    if (!count)
        return 0;
    chip->command = bytes[0];
    if (chip->command == HTU21D_WRITE_USER && count > 1)
        chip->user = bytes[1];
    if (chip->command == HTU21D_RESET)
        chip->user = HTU21D_USER_AFTER_RESET;
    return 0;
}

static int
htu21d_read(struct i2c_device *device, const uint8_t *bytes, size_t count,
            uint8_t *answer, size_t answer_size)
{
    struct temperature_sensor *sensor = sensor_of(device);
    struct htu21d *chip = sensor->chip;
    uint8_t result[3];
    size_t size = sizeof(result);
    htu21d_write(device, bytes, count);
    uint8_t command = chip->command;
    if (command == HTU21D_TEMPERATURE || command == HTU21D_TEMPERATURE_HOLD) {
        double share = (sensor_temperature_c(sensor) + 46.85) / 175.72;
        put_checked(result, count_of(share * 65536.0, 16) & 0xfffc, 0);
    } else if (command == HTU21D_HUMIDITY || command == HTU21D_HUMIDITY_HOLD) {
        double share = (AIR_HUMIDITY_PERCENT + 6.0) / 125.0;
        uint32_t word = count_of(share * 65536.0, 16) & 0xfffc;
        put_checked(result, word | HTU21D_IS_HUMIDITY, 0);
    } else if (command == HTU21D_SERIAL) {
        put_checked(result, (uint32_t)chip->number << 8, 0);
    } else if (command == HTU21D_READ_USER) {
        result[0] = chip->user;
        size = 1;
    } else {
        return -1;
    }
    put_answer(answer, answer_size, result, size);
    return 0;
}

void
htu21d_attach(struct temperature_sensor *sensor, uint8_t number)
{
    struct htu21d *chip = sensor->chip = allocate(1, sizeof(*chip));
    chip->user = HTU21D_USER_AFTER_RESET;
    chip->number = number;
    sensor->i2c.write = htu21d_write;
    sensor->i2c.read = htu21d_read;
}


/****************************************************************
 * AHT10, AHT20 and their like
 ****************************************************************/

enum { AHT10_STATUS_IDLE = 0x18, AHT10_CHECKSUM_START = 0xff };

// A measurement has ended when it is asked for, and the chip is calibrated
static int
aht10_write(struct i2c_device *device, const uint8_t *bytes, size_t count)
{
    (void)device, (void)bytes, (void)count;
    return 0;
}

static int
aht10_read(struct i2c_device *device, const uint8_t *bytes, size_t count,
           uint8_t *answer, size_t answer_size)
{
    (void)bytes, (void)count;
    double temperature_c = sensor_temperature_c(sensor_of(device));
    uint32_t humidity = count_of(AIR_HUMIDITY_PERCENT / 100.0 * 1048576.0, 20);
    uint32_t temperature =
        count_of((temperature_c + 50.0) / 200.0 * 1048576.0, 20);
    uint8_t result[7] = {
        AHT10_STATUS_IDLE,
        (uint8_t)(humidity >> 12),
        (uint8_t)(humidity >> 4),
        (uint8_t)(humidity << 4 | temperature >> 16),
        (uint8_t)(temperature >> 8),
        (uint8_t)temperature,
    };
    result[6] = checksum(result, 6, AHT10_CHECKSUM_START);
    put_answer(answer, answer_size, result, sizeof(result));
    return 0;
}

void
aht10_attach(struct temperature_sensor *sensor)
{
    sensor->i2c.write = aht10_write;
    sensor->i2c.read = aht10_read;
}
