// ADS131M02 and ADS131M04 of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "bulk_sensor.h" // struct bulk_sensor
#include "trigger_analog.h" // trigger_analog_update

enum {
    CHANNELS_MAX = 4,
    VALUE_BYTES = 4,
    WORD_BYTES = 3,
    REST_COUNT = 8,
    RESET_BIT = 0x04, // of the first byte
};
// Errors as Klipper has them, and in the place of a value in Kalico
enum { ERROR_CHECKSUM = 1, ERROR_RESET = 2 };
#define VALUE_CHECKSUM 0x80000000u
#define VALUE_RESET 0x40000000u

struct ads131m0x {
    struct bulk_sensor sensor;
    uint8_t channel_count, channel_mask;
    int has_mask; // Kalico reads several channels, Klipper one
    int was_reset; // since the measurement began
};

static struct ads131m0x *
find_chip(struct bulk_sensor *sensor)
{
    return container_of(sensor, struct ads131m0x, sensor);
}

static uint16_t
checksum(const uint8_t *bytes, int count)
{
    uint16_t value = 0xffff;
    for (int i = 0; i < count; i++) {
        value ^= (uint16_t)(bytes[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            value = (uint16_t)(value << 1 ^ (value & 0x8000 ? 0x1021 : 0));
    }
    return value;
}

static void
add_error(struct ads131m0x *chip, uint8_t error)
{
    uint32_t value = (uint32_t)error << 24;
    if (chip->has_mask)
        value = error == ERROR_RESET ? VALUE_RESET : VALUE_CHECKSUM;
    else
        trigger_analog_fail(chip->sensor.trigger, error);
    for (int i = 0; i < chip->channel_count; i++)
        if (chip->channel_mask >> i & 1)
            bulk_sensor_add_value(&chip->sensor, value);
}

static void
add_values(struct ads131m0x *chip, const uint8_t *frame)
{
    uint32_t sum = 0;
    for (int i = 0; i < chip->channel_count; i++) {
        const uint8_t *word = frame + (1 + i) * WORD_BYTES;
        uint32_t value =
            (uint32_t)word[0] << 16 | (uint32_t)word[1] << 8 | word[2];
        if (value & 0x800000)
            value |= 0xff000000;
        if (!(chip->channel_mask >> i & 1))
            continue;
        sum += value;
        bulk_sensor_add_value(&chip->sensor, value);
    }
    trigger_analog_update(chip->sensor.trigger, (int32_t)sum);
}

static int
poll(struct bulk_sensor *sensor)
{
    struct ads131m0x *chip = find_chip(sensor);
    uint8_t frame[(2 + CHANNELS_MAX) * WORD_BYTES] = { 0 };
    int size = (1 + chip->channel_count) * WORD_BYTES;
    if (!bulk_sensor_is_ready(sensor))
        return 0;
    spi_exchange(sensor->spi, frame, (size_t)(size + WORD_BYTES));
    int is_sound =
        checksum(frame, size) == (frame[size] << 8 | frame[size + 1]);
    if (is_sound && frame[0] & RESET_BIT)
        chip->was_reset = 1;
    if (chip->was_reset)
        add_error(chip, ERROR_RESET);
    else if (!is_sound)
        add_error(chip, ERROR_CHECKSUM);
    else
        add_values(chip, frame);
    sensor->rest_count = REST_COUNT;
    return 0;
}

static uint32_t
pending(struct bulk_sensor *sensor)
{
    struct ads131m0x *chip = find_chip(sensor);
    uint32_t size = 0;
    for (int i = 0; i < chip->channel_count; i++)
        size += chip->channel_mask >> i & 1 ? VALUE_BYTES : 0;
    return bulk_sensor_is_ready(sensor) ? size : 0;
}

static void
power(struct bulk_sensor *sensor, int is_on)
{
    (void)is_on;
    find_chip(sensor)->was_reset = 0;
}

static const struct bulk_chip chip_kind = {
    .object_size = sizeof(struct ads131m0x),
    .bytes_per_sample = VALUE_BYTES,
    .pending = pending,
    .poll = poll,
    .power = power,
};

static void
command_config_ads131m0x(struct mcu *mcu, const uint32_t *arguments)
{
    uint8_t mask = (uint8_t)arguments[6];
    uint8_t count = (uint8_t)(mask ? arguments[5] : arguments[3]);
    uint32_t channels = mask ? mask : 1u << (arguments[2] & 0x07);
    if (!count || count > CHANNELS_MAX || channels >> count) {
        mcu_shutdown(mcu, REASON_ADS131M0X_CHANNELS);
        return;
    }
    struct bulk_sensor *sensor =
        bulk_sensor_add(mcu, &chip_kind, arguments[0], arguments[1], BUS_SPI);
    if (!sensor)
        return;
    sensor->has_ready_pin = 1;
    sensor->ready_pin = (uint8_t)arguments[4];
    struct ads131m0x *chip = find_chip(sensor);
    chip->channel_count = count;
    chip->channel_mask = (uint8_t)channels;
    chip->has_mask = mask != 0;
}

static const struct command commands[] = {
    { "config_ads131m0x",                 command_config_ads131m0x,
     "oid spi_oid channel num_channels data_ready_pin sensor_channel_count"
      " channel_mask",                                                                        0 },
    { "query_ads131m0x",                  bulk_sensor_command_query,  "oid clock rest_ticks", 0 },
    { "query_ads131m0x_status",           bulk_sensor_command_status, "oid",                  0 },
    { "ads131m0x_attach_load_cell_probe", bulk_sensor_command_attach,
     "oid load_cell_probe_oid",                                                               0 },
    { "ads131m0x_attach_trigger_analog",  bulk_sensor_command_attach,
     "oid trigger_analog_oid",                                                                0 },
};

const struct peripheral ads131m0x_peripheral = { COMMANDS_OF(commands) };
