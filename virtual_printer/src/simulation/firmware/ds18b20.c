// DS18B20 thermometers, which the firmware for Linux has read by its kernel
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <math.h> // floor
#include <string.h> // memcmp
#include "mcu.h" // struct mcu

// Twelve bits
#define RESOLUTION_C 0.0625

static const struct object_type ds18b20_type = { "ds18b20" };

struct ds18b20 {
    struct mcu *mcu;
    struct mcu_timer timer;
    struct one_wire_sensor *sensor;
    uint8_t oid, is_unlimited, error_count_max;
    uint32_t error_count;
    uint32_t rest_ticks;
    int32_t minimum_mc, maximum_mc;
    // What the conversion that runs while others are reported will show
    int is_converting, is_failing;
    int32_t temperature_mc;
};

static void
fail(struct ds18b20 *ds18b20, enum reason reason)
{
    if (!ds18b20->mcu->is_shutdown)
        mcu_shutdown(ds18b20->mcu, reason);
}

static void
report(struct ds18b20 *ds18b20, uint32_t next_clock)
{
    if (ds18b20->error_count > ds18b20->error_count_max) {
        fail(ds18b20, REASON_DS18B20_FAULT);
        return;
    }
    MCU_RESPOND(ds18b20->mcu, RESPONSE_DS18B20, ds18b20->oid, next_clock,
                (uint32_t)ds18b20->temperature_mc, ds18b20->error_count);
    if (!ds18b20->is_failing && !ds18b20->is_unlimited
        && (ds18b20->temperature_mc < ds18b20->minimum_mc
            || ds18b20->temperature_mc > ds18b20->maximum_mc))
        fail(ds18b20, REASON_DS18B20_OUT_OF_RANGE);
}

static void
convert(struct ds18b20 *ds18b20)
{
    double temperature_c;
    ds18b20->is_converting = 1;
    ds18b20->is_failing =
        ds18b20->sensor->read(ds18b20->sensor, &temperature_c) < 0;
    if (ds18b20->is_failing) {
        ds18b20->error_count++;
        return;
    }
    ds18b20->error_count = 0;
    double steps = floor(temperature_c / RESOLUTION_C + 0.5);
    ds18b20->temperature_mc = (int32_t)(steps * RESOLUTION_C * 1000.0);
}

// Report what was asked for last time, and ask for the next
static enum timer_result
read_event(struct mcu_timer *timer)
{
    struct ds18b20 *ds18b20 = container_of(timer, struct ds18b20, timer);
    timer->wake_clock += ds18b20->rest_ticks;
    if (ds18b20->is_converting)
        report(ds18b20, (uint32_t)timer->wake_clock);
    convert(ds18b20);
    return TIMER_AGAIN;
}

static void
ds18b20s_stop(struct mcu *mcu)
{
    struct ds18b20 *ds18b20;
    uint32_t oid = 0;
    while ((ds18b20 = mcu_object_next(mcu, &oid, &ds18b20_type)))
        mcu_timer_cancel(&ds18b20->timer);
}


/****************************************************************
 * Commands
 ****************************************************************/

static struct one_wire_sensor *
find_sensor(struct mcu *mcu, const uint8_t *serial, size_t size)
{
    struct one_wire_sensor *sensor = mcu->one_wire_sensors;
    while (sensor
           && (strlen(sensor->serial) != size
               || memcmp(sensor->serial, serial, size)))
        sensor = sensor->next;
    return sensor;
}

static void
command_config_ds18b20(struct mcu *mcu, const uint32_t *arguments)
{
    struct one_wire_sensor *sensor =
        find_sensor(mcu, mcu->argument_bytes[1], arguments[1]);
    if (!sensor) {
        mcu_shutdown(mcu, REASON_DS18B20_SERIAL);
        return;
    }
    struct ds18b20 *ds18b20 =
        mcu_object_add(mcu, arguments[0], &ds18b20_type, sizeof(*ds18b20));
    if (!ds18b20)
        return;
    ds18b20->mcu = mcu;
    ds18b20->oid = (uint8_t)arguments[0];
    ds18b20->sensor = sensor;
    ds18b20->error_count_max = (uint8_t)arguments[2];
    ds18b20->is_unlimited = (uint8_t)arguments[3];
    mcu_timer_init(&ds18b20->timer, mcu, read_event);
}

static void
command_query_ds18b20(struct mcu *mcu, const uint32_t *arguments)
{
    struct ds18b20 *ds18b20 = mcu_object(mcu, arguments[0], &ds18b20_type);
    if (!ds18b20)
        return;
    mcu_timer_cancel(&ds18b20->timer);
    ds18b20->rest_ticks = arguments[2];
    ds18b20->minimum_mc = (int32_t)arguments[3];
    ds18b20->maximum_mc = (int32_t)arguments[4];
    if (ds18b20->rest_ticks)
        mcu_timer_add(&ds18b20->timer, arguments[1]);
}

static const struct command commands[] = {
    { "config_ds18b20", command_config_ds18b20,
     "oid serial max_error_count ignore_limits", 0 },
    { "query_ds18b20",  command_query_ds18b20,
     "oid clock rest_ticks min_value max_value", 0 },
};

const struct peripheral ds18b20_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = ds18b20s_stop,
    .release = ds18b20s_stop,
};
