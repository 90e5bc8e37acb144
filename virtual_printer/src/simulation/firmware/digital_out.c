// Digital output object of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "timed_output.h" // struct timed_output

// A pin that is on for longer than any cycle does not toggle
#define ALWAYS_ON UINT32_MAX

struct digital_out {
    struct timed_output timed;
    uint8_t pin, is_on;
    // Of the software PWM
    uint32_t cycle_ticks, on_ticks;
};

static struct digital_out *
digital_out_of(struct timed_output *timed)
{
    return container_of(timed, struct digital_out, timed);
}

static void
set_level(struct digital_out *out, int level)
{
    out->is_on = !!level;
    mcu_pin_set(out->timed.mcu, out->pin, out->is_on);
}

static int
apply(struct timed_output *timed, uint32_t on_ticks)
{
    struct digital_out *out = digital_out_of(timed);
    struct mcu *mcu = timed->mcu;
    int is_toggling = on_ticks && on_ticks < out->cycle_ticks;
    if (!is_toggling) {
        set_level(out, !!on_ticks);
        return !on_ticks == !timed->default_value;
    }
    out->on_ticks = on_ticks;
    if (mcu->pins[out->pin].needs_edges) {
        set_level(out, 1);
        timed->edge_ticks = on_ticks;
    } else {
        out->is_on = 1;
        mcu_pin_modulate(mcu, out->pin, timed->timer.wake_clock, on_ticks,
                         out->cycle_ticks);
    }
    return 0;
}

static uint32_t
toggle(struct timed_output *timed)
{
    struct digital_out *out = digital_out_of(timed);
    set_level(out, !out->is_on);
    return out->is_on ? out->on_ticks : out->cycle_ticks - out->on_ticks;
}

static const struct timed_output_kind digital_out_kind = {
    .type = { "digital_out" },
    .apply = apply,
    .toggle = toggle,
    .missed = REASON_MISSED_DIGITAL_OUT,
    .exceeds = REASON_EXCEEDS_MAX_DURATION,
};

static void
digital_outs_shutdown(struct mcu *mcu)
{
    timed_outputs_shutdown(mcu, &digital_out_kind);
}


/****************************************************************
 * Commands
 ****************************************************************/

static struct digital_out *
find(struct mcu *mcu, uint32_t oid)
{
    return mcu_object(mcu, oid, &digital_out_kind.type);
}

static void
command_config_digital_out(struct mcu *mcu, const uint32_t *arguments)
{
    uint32_t default_value = (uint8_t)arguments[3] ? ALWAYS_ON : 0;
    struct digital_out *out =
        timed_output_add(mcu, arguments[0], &digital_out_kind, sizeof(*out),
                         default_value, arguments[4]);
    if (!out)
        return;
    out->pin = (uint8_t)arguments[1];
    set_level(out, (uint8_t)arguments[2]);
}

static void
command_set_digital_out_pwm_cycle(struct mcu *mcu, const uint32_t *arguments)
{
    struct digital_out *out = find(mcu, arguments[0]);
    if (!out)
        return;
    if (out->timed.queue.first)
        mcu_shutdown(mcu, REASON_PWM_CYCLE_PENDING);
    else
        out->cycle_ticks = arguments[1];
}

static void
command_queue_digital_out(struct mcu *mcu, const uint32_t *arguments)
{
    struct digital_out *out = find(mcu, arguments[0]);
    if (out)
        timed_output_queue(&out->timed, arguments[1], arguments[2]);
}

static void
command_update_digital_out(struct mcu *mcu, const uint32_t *arguments)
{
    struct digital_out *out = find(mcu, arguments[0]);
    if (out)
        timed_output_update(&out->timed, (uint8_t)arguments[1] ? ALWAYS_ON : 0,
                            REASON_UPDATE_WITH_QUEUE);
}

static void
command_set_digital_out(struct mcu *mcu, const uint32_t *arguments)
{
    mcu_pin_set(mcu, (uint8_t)arguments[0], (uint8_t)arguments[1]);
}

static const struct command commands[] = {
    { "config_digital_out",        command_config_digital_out,
     "oid pin value default_value max_duration",                                            0 },
    { "set_digital_out_pwm_cycle", command_set_digital_out_pwm_cycle,
     "oid cycle_ticks",                                                                     0 },
    { "queue_digital_out",         command_queue_digital_out,         "oid clock on_ticks", 0 },
    { "update_digital_out",        command_update_digital_out,        "oid value",          0 },
    { "set_digital_out",           command_set_digital_out,           "pin value",          0 },
};

const struct peripheral digital_out_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = digital_outs_shutdown,
};
