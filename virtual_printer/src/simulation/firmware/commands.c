// Commands of the virtual firmware, and those that concern no object
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // strcmp
#include "../core/recorder.h" // recorder_begin
#include "mcu.h" // struct mcu


/****************************************************************
 * Information
 ****************************************************************/

static void
command_identify(struct mcu *mcu, const uint32_t *arguments)
{
    size_t offset = arguments[0], size = arguments[1] & 0xff;
    if (offset >= mcu->dictionary_size)
        size = 0;
    else if (size > mcu->dictionary_size - offset)
        size = mcu->dictionary_size - offset;
    MCU_RESPOND_BYTES(mcu, RESPONSE_IDENTIFY,
                      size ? mcu->dictionary + offset : mcu->dictionary, size,
                      arguments[0]);
}

static void
command_get_config(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    MCU_RESPOND(mcu, RESPONSE_CONFIG, (uint32_t)mcu->is_finalized,
                mcu->config_checksum, (uint32_t)mcu->is_shutdown,
                mcu->move_count);
}

static void
command_get_clock(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    MCU_RESPOND(mcu, RESPONSE_CLOCK, (uint32_t)mcu_clock_now(mcu));
}

static void
command_get_uptime(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    uint64_t clock = mcu_clock_now(mcu);
    MCU_RESPOND(mcu, RESPONSE_UPTIME, (uint32_t)(clock >> 32), (uint32_t)clock);
}

static void
command_debug_nop(struct mcu *mcu, const uint32_t *arguments)
{
    (void)mcu, (void)arguments;
}


/****************************************************************
 * Configuration
 ****************************************************************/

static void
command_allocate_oids(struct mcu *mcu, const uint32_t *arguments)
{
    if (mcu->objects) {
        mcu_shutdown(mcu, REASON_OIDS_ALLOCATED);
        return;
    }
    mcu_objects_allocate(mcu, arguments[0] & 0xff);
}

static void
command_finalize_config(struct mcu *mcu, const uint32_t *arguments)
{
    if (mcu->is_finalized) {
        mcu_shutdown(mcu, REASON_ALREADY_FINALIZED);
        return;
    }
    if (moves_allocate(mcu))
        return;
    mcu->is_finalized = 1;
    mcu->config_checksum = arguments[0];
}

static void
command_config_reset(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    if (mcu->is_shutdown)
        mcu_config_reset(mcu);
    else
        mcu_shutdown(mcu, REASON_RESET_NOT_SHUTDOWN);
}

static void
command_reset(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    mcu_reboot(mcu);
}

static void
command_emergency_stop(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    mcu_shutdown(mcu, REASON_COMMAND_REQUEST);
}

static void
command_clear_shutdown(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    if (mcu->is_shutdown)
        mcu->is_shutdown = 0;
    else
        mcu_shutdown(mcu, REASON_NOT_SHUTDOWN);
}


/****************************************************************
 * Dispatch
 ****************************************************************/

static const struct command commands[] = {
    { "identify",        command_identify,        "offset count", 1 },
    { "get_config",      command_get_config,      "",             1 },
    { "get_clock",       command_get_clock,       "",             1 },
    { "get_uptime",      command_get_uptime,      "",             1 },
    { "debug_nop",       command_debug_nop,       "",             1 },
    { "allocate_oids",   command_allocate_oids,   "count",        0 },
    { "finalize_config", command_finalize_config, "crc",          0 },
    { "config_reset",    command_config_reset,    "",             1 },
    { "reset",           command_reset,           "",             1 },
    { "emergency_stop",  command_emergency_stop,  "",             1 },
    { "clear_shutdown",  command_clear_shutdown,  "",             1 },
};

static const struct peripheral core_peripheral = { COMMANDS_OF(commands) };

static const struct peripheral *const peripherals[] = {
    &core_peripheral,         &stepper_peripheral,
    &trsync_peripheral,       &endstop_peripheral,
    &digital_out_peripheral,  &distance_peripheral,
    &can_peripheral,          &spi_peripheral,
    &i2c_peripheral,          &adc_peripheral,
    &thermocouple_peripheral, &ds18b20_peripheral,
    &memory_peripheral,       &tmcuart_peripheral,
    &sercom_peripheral,       &pwm_out_peripheral,
    &counter_peripheral,      &buttons_peripheral,
    &neopixel_peripheral,     &screen_peripheral,
    &bulk_sensor_peripheral,  &adxl345_peripheral,
    &lis2dw_peripheral,       &mpu9250_peripheral,
    &icm20948_peripheral,     &bmi160_peripheral,
    &sos_filter_peripheral,   &trigger_analog_peripheral,
    &hx71x_peripheral,        &ads1220_peripheral,
    &ldc1612_peripheral,      &angle_peripheral,
    &ads131m0x_peripheral,    &beacon_peripheral,
    &beacon_accel_peripheral, &cartographer_peripheral,
    &ldc1612_ng_peripheral,
};
enum { PERIPHERAL_COUNT = sizeof(peripherals) / sizeof(peripherals[0]) };

void
peripherals_shutdown(struct mcu *mcu)
{
    for (size_t i = 0; i < PERIPHERAL_COUNT; i++)
        if (peripherals[i]->shutdown)
            peripherals[i]->shutdown(mcu);
}

void
peripherals_release(struct mcu *mcu)
{
    for (size_t i = 0; i < PERIPHERAL_COUNT; i++)
        if (peripherals[i]->release)
            peripherals[i]->release(mcu);
}

const struct command *
command_find(const char *name)
{
    for (size_t i = 0; i < PERIPHERAL_COUNT; i++)
        for (size_t j = 0; j < peripherals[i]->command_count; j++)
            if (!strcmp(peripherals[i]->commands[j].name, name))
                return &peripherals[i]->commands[j];
    return NULL;
}

int
command_place(const struct command *command, const char *name, size_t length)
{
    const char *other = command->arguments;
    for (int place = 0; *other; place++) {
        size_t other_length = strcspn(other, " ");
        if (other_length == length && !memcmp(other, name, length))
            return place;
        other += other_length + strspn(other + other_length, " ");
    }
    return -1;
}

// Read the arguments of a command; returns -1 if one of them is cut off
static int
read_arguments(struct mcu *mcu, const struct wire_command *command,
               const uint8_t **position, const uint8_t *end,
               uint32_t *arguments)
{
    for (int i = 0; i < command->argument_count; i++) {
        int place = command->places[i];
        if (!command->are_bytes[i]) {
            if (parse_integer(position, end, &arguments[place]))
                return -1;
            continue;
        }
        if (*position >= end || **position >= end - *position)
            return -1;
        arguments[place] = *(*position)++;
        mcu->argument_bytes[place] = *position;
        *position += arguments[place];
    }
    return 0;
}

static int
is_bytes(const struct wire_command *wire, int place)
{
    for (int i = 0; i < wire->argument_count; i++)
        if (wire->places[i] == place)
            return wire->are_bytes[i];
    return 0;
}

static void
record_command(struct mcu *mcu, const struct wire_command *wire,
               const uint32_t *arguments)
{
    struct recorder *recorder = mcu->timeline->recorder;
    recorder_begin(recorder, mcu->timeline->now_ns, "command", mcu->name,
                   wire->command->name);
    const char *name = wire->command->arguments;
    for (int place = 0; *name; place++) {
        size_t length = strcspn(name, " ");
        recorder_put(recorder, "%s%.*s=", place ? " " : "", (int)length, name);
        if (is_bytes(wire, place))
            recorder_put_bytes(recorder, mcu->argument_bytes[place],
                               arguments[place]);
        else
            recorder_put(recorder, "%u", (unsigned int)arguments[place]);
        name += length + strspn(name + length, " ");
    }
    recorder_end(recorder);
}

// Read one command and run it; returns -1 when the rest is to be dropped
static int
run_command(struct mcu *mcu, const uint8_t **position, const uint8_t *end)
{
    uint32_t id = 0, arguments[ARGUMENT_COUNT_MAX] = { 0 };
    const struct wire_command *wire = NULL;
    if (!parse_integer(position, end, &id)
        && id - (uint32_t)MESSAGE_ID_MIN < MESSAGE_ID_COUNT)
        wire = &mcu->commands[id - (uint32_t)MESSAGE_ID_MIN];
    if (!wire || !wire->command) {
        mcu_shutdown(mcu, REASON_INVALID_COMMAND);
        return -1;
    }
    if (read_arguments(mcu, wire, position, end, arguments)) {
        mcu_shutdown(mcu, REASON_COMMAND_PARSER);
        return -1;
    }
    if (mcu->is_shutdown && !wire->command->is_allowed_in_shutdown) {
        MCU_RESPOND(mcu, RESPONSE_IS_SHUTDOWN, mcu->shutdown_id);
        return 0;
    }
    mcu->command_count++;
    if (mcu->timeline->recorder)
        record_command(mcu, wire, arguments);
    wire->command->run(mcu, arguments);
    return mcu->is_interrupted ? -1 : 0;
}

void
command_dispatch(struct mcu *mcu, const uint8_t *payload, size_t size)
{
    const uint8_t *position = payload, *end = payload + size;
    while (position < end)
        if (run_command(mcu, &position, end))
            return;
}
