// ADS1220 of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "bulk_sensor.h" // struct bulk_sensor
#include "trigger_analog.h" // trigger_analog_update

enum { VALUE_BYTES = 4, REST_COUNT = 8 };

static uint32_t
pending(struct bulk_sensor *sensor)
{
    return bulk_sensor_is_ready(sensor) ? VALUE_BYTES : 0;
}

static int
poll(struct bulk_sensor *sensor)
{
    if (!bulk_sensor_is_ready(sensor))
        return 0;
    uint8_t bytes[3] = { 0 };
    spi_exchange(sensor->spi, bytes, sizeof(bytes));
    uint32_t result =
        (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
    if (result & 0x800000)
        result |= 0xff000000;
    trigger_analog_update(sensor->trigger, (int32_t)result);
    bulk_sensor_add_value(sensor, result);
    sensor->rest_count = REST_COUNT;
    return 0;
}

static const struct bulk_chip chip = {
    .bytes_per_sample = VALUE_BYTES,
    .pending = pending,
    .poll = poll,
};

static void
command_config_ads1220(struct mcu *mcu, const uint32_t *arguments)
{
    struct bulk_sensor *sensor =
        bulk_sensor_add(mcu, &chip, arguments[0], arguments[1], BUS_SPI);
    if (!sensor)
        return;
    sensor->has_ready_pin = 1;
    sensor->ready_pin = (uint8_t)arguments[2];
}

static const struct command commands[] = {
    { "config_ads1220",                 command_config_ads1220,     "oid spi_oid data_ready_pin",
     0                                                                                              },
    { "query_ads1220",                  bulk_sensor_command_query,  "oid clock rest_ticks",       0 },
    { "query_ads1220_status",           bulk_sensor_command_status, "oid",                        0 },
    { "ads1220_attach_load_cell_probe", bulk_sensor_command_attach,
     "oid load_cell_probe_oid",                                                                   0 },
    { "ads1220_attach_trigger_analog",  bulk_sensor_command_attach,
     "oid trigger_analog_oid",                                                                    0 },
};

const struct peripheral ads1220_peripheral = { COMMANDS_OF(commands) };
