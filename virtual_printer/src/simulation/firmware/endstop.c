// Endstop object of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../mechanics/mechanics.h" // sensor_is_triggered
#include "objects.h" // struct trsync

static const struct object_type endstop_type = { "endstop" };

struct endstop {
    struct mcu *mcu;
    struct mcu_timer timer;
    struct sensor *sensor; // what is wired to the pin, may be NULL
    uint8_t pin, pull_up_level;
    uint32_t rest_ticks, sample_ticks;
    uint32_t next_clock; // when the period of the last match ends
    uint64_t period_clock; // the same
    struct trsync *trsync;
    uint8_t is_homing, wanted_level, trigger_reason;
    uint8_t sample_count, samples_left;
};


/****************************************************************
 * Sampling
 ****************************************************************/

static uint8_t
read_pin(struct endstop *endstop)
{
    if (!endstop->sensor)
        return (uint8_t)mcu_pin_level(endstop->mcu, endstop->pin,
                                      endstop->pull_up_level);
    int is_triggered =
        sensor_is_triggered(endstop->mcu->mechanics, endstop->sensor);
    return (uint8_t)(is_triggered ^ endstop->sensor->invert);
}

// Look at the pin: once in each rest period, or after a match every few
// ticks until the wanted number of samples in a row agrees
static enum timer_result
sample_event(struct mcu_timer *timer)
{
    struct endstop *endstop = container_of(timer, struct endstop, timer);
    int is_first = endstop->samples_left == endstop->sample_count;
    if (is_first)
        endstop->period_clock = timer->wake_clock + endstop->rest_ticks;
    if (read_pin(endstop) != endstop->wanted_level) {
        endstop->samples_left = endstop->sample_count;
        timer->wake_clock = endstop->period_clock;
        return TIMER_AGAIN;
    }
    if (is_first)
        endstop->next_clock = (uint32_t)endstop->period_clock;
    if (!--endstop->samples_left) {
        trsync_trigger(endstop->trsync, endstop->trigger_reason);
        return TIMER_DONE;
    }
    timer->wake_clock += endstop->sample_ticks;
    return TIMER_AGAIN;
}

static void
endstops_shutdown(struct mcu *mcu)
{
    struct endstop *endstop;
    uint32_t oid = 0;
    while ((endstop = mcu_object_next(mcu, &oid, &endstop_type)))
        mcu_timer_cancel(&endstop->timer);
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_endstop(struct mcu *mcu, const uint32_t *arguments)
{
    struct endstop *endstop =
        mcu_object_add(mcu, arguments[0], &endstop_type, sizeof(*endstop));
    if (!endstop)
        return;
    endstop->mcu = mcu;
    endstop->sensor = mechanics_find_sensor(mcu->mechanics, mcu, arguments[1]);
    endstop->pin = (uint8_t)arguments[1];
    endstop->pull_up_level = (int8_t)arguments[2] > 0;
    mcu_timer_init(&endstop->timer, mcu, sample_event);
}

static void
command_endstop_home(struct mcu *mcu, const uint32_t *arguments)
{
    struct endstop *endstop = mcu_object(mcu, arguments[0], &endstop_type);
    if (!endstop)
        return;
    mcu_timer_cancel(&endstop->timer);
    endstop->sample_ticks = arguments[2];
    endstop->sample_count = endstop->samples_left = (uint8_t)arguments[3];
    endstop->is_homing = !!endstop->sample_count;
    if (!endstop->is_homing)
        return;
    endstop->rest_ticks = arguments[4];
    endstop->wanted_level = !!(uint8_t)arguments[5];
    endstop->trigger_reason = (uint8_t)arguments[7];
    endstop->trsync = mcu_object(mcu, arguments[6], &trsync_type);
    if (!endstop->trsync)
        return;
    if (endstop->sensor)
        sensor_arm(endstop->sensor);
    mcu_timer_add(&endstop->timer, arguments[1]);
}

static void
command_endstop_query_state(struct mcu *mcu, const uint32_t *arguments)
{
    struct endstop *endstop = mcu_object(mcu, arguments[0], &endstop_type);
    if (endstop)
        MCU_RESPOND(mcu, RESPONSE_ENDSTOP_STATE, arguments[0] & 0xff,
                    endstop->is_homing, endstop->next_clock, read_pin(endstop));
}

static const struct command commands[] = {
    { "config_endstop",      command_config_endstop,      "oid pin pull_up", 0 },
    { "endstop_home",        command_endstop_home,
     "oid clock sample_ticks sample_count rest_ticks pin_value trsync_oid"
      " trigger_reason",                                                     0 },
    { "endstop_query_state", command_endstop_query_state, "oid",             0 },
};

const struct peripheral endstop_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = endstops_shutdown,
};
