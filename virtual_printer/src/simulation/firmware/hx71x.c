// HX711 and HX717 of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "bulk_sensor.h" // struct bulk_sensor
#include "trigger_analog.h" // trigger_analog_update

enum { RESULT_BITS = 24, GAIN_MAX = 4, VALUE_BYTES = 4, REST_COUNT = 8 };
#define ERROR_DESYNC 0x80000000u

static uint32_t
read_bits(struct bulk_sensor *sensor, int count)
{
    uint32_t bits = 0;
    for (int i = 0; i < count; i++) {
        mcu_pin_drive(sensor->mcu, sensor->clock_pin, 1.0);
        mcu_pin_drive(sensor->mcu, sensor->clock_pin, 0.0);
        bits = bits << 1 | (uint32_t)!bulk_sensor_is_ready(sensor);
    }
    return bits;
}

static uint32_t
pending(struct bulk_sensor *sensor)
{
    return bulk_sensor_is_ready(sensor) ? VALUE_BYTES : 0;
}

// Further pulses behind the result choose the gain; the pin is high then
static int
poll(struct bulk_sensor *sensor)
{
    if (!bulk_sensor_is_ready(sensor))
        return 0;
    uint32_t result = read_bits(sensor, RESULT_BITS);
    uint32_t extras = (1u << sensor->model) - 1;
    if (result & 1u << (RESULT_BITS - 1))
        result |= 0xff000000;
    if (read_bits(sensor, sensor->model) == extras)
        trigger_analog_update(sensor->trigger, (int32_t)result);
    else
        result = ERROR_DESYNC;
    bulk_sensor_add_value(sensor, result);
    sensor->rest_count = REST_COUNT;
    return 0;
}

// It is off while its clock pin is high
static void
power(struct bulk_sensor *sensor, int is_on)
{
    mcu_pin_set(sensor->mcu, sensor->clock_pin, !is_on);
}

static const struct bulk_chip chip = {
    .bytes_per_sample = VALUE_BYTES,
    .pending = pending,
    .poll = poll,
    .power = power,
};

static void
command_config_hx71x(struct mcu *mcu, const uint32_t *arguments)
{
    uint8_t gain = (uint8_t)arguments[1];
    if (gain < 1 || gain > GAIN_MAX) {
        mcu_shutdown(mcu, REASON_HX71X_GAIN);
        return;
    }
    struct bulk_sensor *sensor =
        bulk_sensor_add(mcu, &chip, arguments[0], 0, BUS_NONE);
    if (!sensor)
        return;
    sensor->model = gain;
    sensor->has_ready_pin = 1;
    sensor->ready_pin = (uint8_t)arguments[2];
    sensor->clock_pin = (uint8_t)arguments[3];
    power(sensor, 0);
}

static const struct command commands[] = {
    { "config_hx71x",                 command_config_hx71x,
     "oid gain_channel dout_pin sclk_pin",                                                0 },
    { "query_hx71x",                  bulk_sensor_command_query,  "oid clock rest_ticks", 0 },
    { "query_hx71x_status",           bulk_sensor_command_status, "oid",                  0 },
    { "hx71x_attach_load_cell_probe", bulk_sensor_command_attach,
     "oid load_cell_probe_oid",                                                           0 },
    { "hx71x_attach_trigger_analog",  bulk_sensor_command_attach,
     "oid trigger_analog_oid",                                                            0 },
};

const struct peripheral hx71x_peripheral = { COMMANDS_OF(commands) };
