// Commands of the virtual firmware, and those that concern no object
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // strcmp
#include "../core/memory.h" // allocate
#include "objects.h" // command_config_stepper


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
    struct block block;
    block_begin(&block);
    block_put_integer(&block, mcu->response_ids[RESPONSE_IDENTIFY]);
    block_put_integer(&block, arguments[0]);
    if (block.size + 1 + size + BLOCK_TRAILER_SIZE > BLOCK_SIZE_MAX)
        // Like the firmware, send nothing if it does not fit
        return;
    block_put_bytes(&block, size ? mcu->dictionary + offset : mcu->dictionary,
                    size);
    block_finish(&block, mcu->receiver.next_sequence);
    byte_queue_append(&mcu->link.outgoing, block.bytes, block.size);
}

static void
command_get_config(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    MCU_RESPOND(mcu, RESPONSE_CONFIG, (uint32_t)mcu->is_finalized,
                mcu->config_checksum, (uint32_t)mcu->is_shutdown,
                mcu->is_finalized ? mcu->move_count : 0);
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
    mcu->object_count = arguments[0] & 0xff;
    mcu->objects = allocate(OBJECT_ID_COUNT, sizeof(mcu->objects[0]));
}

static void
command_finalize_config(struct mcu *mcu, const uint32_t *arguments)
{
    if (mcu->is_finalized) {
        mcu_shutdown(mcu, REASON_ALREADY_FINALIZED);
        return;
    }
    mcu->moves = allocate(mcu->move_count, sizeof(mcu->moves[0]));
    moves_reset(mcu);
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
    { "identify",                  command_identify,                  2, 1 },
    { "get_config",                command_get_config,                0, 1 },
    { "get_clock",                 command_get_clock,                 0, 1 },
    { "get_uptime",                command_get_uptime,                0, 1 },
    { "debug_nop",                 command_debug_nop,                 0, 1 },
    { "allocate_oids",             command_allocate_oids,             1, 0 },
    { "finalize_config",           command_finalize_config,           1, 0 },
    { "config_reset",              command_config_reset,              0, 1 },
    { "reset",                     command_reset,                     0, 1 },
    { "emergency_stop",            command_emergency_stop,            0, 1 },
    { "clear_shutdown",            command_clear_shutdown,            0, 1 },
    { "config_stepper",            command_config_stepper,            5, 0 },
    { "queue_step",                command_queue_step,                4, 0 },
    { "set_next_step_dir",         command_set_next_step_dir,         2, 0 },
    { "reset_step_clock",          command_reset_step_clock,          2, 0 },
    { "stepper_get_position",      command_stepper_get_position,      1, 0 },
    { "stepper_stop_on_trigger",   command_stepper_stop_on_trigger,   2, 0 },
    { "config_endstop",            command_config_endstop,            3, 0 },
    { "endstop_home",              command_endstop_home,              8, 0 },
    { "endstop_query_state",       command_endstop_query_state,       1, 0 },
    { "config_trsync",             command_config_trsync,             1, 0 },
    { "trsync_start",              command_trsync_start,              4, 0 },
    { "trsync_set_timeout",        command_trsync_set_timeout,        2, 0 },
    { "trsync_trigger",            command_trsync_trigger,            2, 0 },
    { "config_digital_out",        command_config_digital_out,        5, 0 },
    { "set_digital_out_pwm_cycle", command_set_digital_out_pwm_cycle, 2, 0 },
    { "queue_digital_out",         command_queue_digital_out,         3, 0 },
    { "update_digital_out",        command_update_digital_out,        2, 0 },
    { "set_digital_out",           command_set_digital_out,           2, 0 },
    { "config_distance",           command_config_distance,           2, 0 },
    { "query_distance",            command_query_distance,            1, 0 },
    { "get_canbus_id",             command_get_canbus_id,             0, 1 },
    { "get_canbus_status",         command_get_canbus_status,         0, 1 },
};

const struct command *
command_find(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

// Read one command and run it; returns -1 when the rest is to be dropped
static int
run_command(struct mcu *mcu, const uint8_t **position, const uint8_t *end)
{
    uint32_t id = 0, arguments[ARGUMENT_COUNT_MAX] = { 0 };
    const struct command *command = NULL;
    if (!parse_integer(position, end, &id) && id < MESSAGE_ID_COUNT)
        command = mcu->commands[id];
    if (!command) {
        mcu_shutdown(mcu, REASON_INVALID_COMMAND);
        return -1;
    }
    for (int i = 0; i < command->argument_count; i++)
        if (parse_integer(position, end, &arguments[i])) {
            mcu_shutdown(mcu, REASON_COMMAND_PARSER);
            return -1;
        }
    if (mcu->is_shutdown && !command->is_allowed_in_shutdown) {
        MCU_RESPOND(mcu, RESPONSE_IS_SHUTDOWN, mcu->shutdown_id);
        return 0;
    }
    mcu->command_count++;
    command->run(mcu, arguments);
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
