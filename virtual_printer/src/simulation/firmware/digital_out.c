// Digital output object of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "mcu.h" // struct mcu

static const struct object_type digital_out_type = { "digital_out" };

struct digital_out {
    struct mcu *mcu;
    struct mcu_timer timer;
    uint8_t pin, is_on, is_toggling, default_level;
    uint32_t cycle_ticks, on_ticks, max_duration_ticks;
    // When the next setting is due at the latest
    uint8_t has_deadline;
    uint32_t deadline_clock;
    struct move_queue queue;
};

static int
is_after(uint32_t clock, uint32_t other)
{
    return (int32_t)(clock - other) > 0;
}

static void
set_level(struct digital_out *out, int level)
{
    out->is_on = !!level;
    mcu_pin_set(out->mcu, out->pin, out->is_on);
}

// Whether each edge of the software PWM is an event of its own
static int
has_edges(const struct digital_out *out)
{
    return out->is_toggling && out->mcu->pins[out->pin].needs_edges;
}


/****************************************************************
 * Timed changes
 ****************************************************************/

static enum timer_result apply_event(struct mcu_timer *timer);

// Arrange for an edge of the software PWM, or for the next setting if
// that is due before it
static void
plan_edge(struct digital_out *out, uint32_t ticks,
          enum timer_result (*edge)(struct mcu_timer *))
{
    uint32_t clock = (uint32_t)out->timer.wake_clock;
    if (out->has_deadline && !is_after(out->deadline_clock, clock + ticks)) {
        out->timer.callback = apply_event;
        ticks = out->deadline_clock - clock;
    } else {
        out->timer.callback = edge;
    }
    out->timer.wake_clock += (uint64_t)(int64_t)(int32_t)ticks;
}

static enum timer_result
edge_event(struct mcu_timer *timer)
{
    struct digital_out *out = container_of(timer, struct digital_out, timer);
    set_level(out, !out->is_on);
    plan_edge(out,
              out->is_on ? out->on_ticks : out->cycle_ticks - out->on_ticks,
              edge_event);
    return TIMER_AGAIN;
}

// Work out until when the next setting has to come; shuts down and
// returns -1 if it is known already that it will come too late
static int
plan_deadline(struct digital_out *out, uint32_t clock)
{
    int is_limited = out->max_duration_ticks
        && (out->is_toggling || out->is_on != out->default_level);
    out->has_deadline = (uint8_t)is_limited;
    out->deadline_clock = clock + out->max_duration_ticks;
    if (!out->queue.first)
        return 0;
    if (is_limited && is_after(out->queue.first->clock, out->deadline_clock)) {
        mcu_shutdown(out->mcu, REASON_EXCEEDS_MAX_DURATION);
        return -1;
    }
    out->has_deadline = 1;
    out->deadline_clock = out->queue.first->clock;
    return 0;
}

// The time of the next setting has come
static enum timer_result
apply_event(struct mcu_timer *timer)
{
    struct digital_out *out = container_of(timer, struct digital_out, timer);
    struct move *move = move_queue_pop(&out->queue);
    if (!move) {
        mcu_shutdown(out->mcu, REASON_MISSED_DIGITAL_OUT);
        return TIMER_DONE;
    }
    uint32_t on_ticks = move->on_ticks;
    move_release(out->mcu, move);
    out->on_ticks = on_ticks;
    out->is_toggling = on_ticks && on_ticks < out->cycle_ticks;
    if (out->is_toggling && !has_edges(out)) {
        out->is_on = 1;
        mcu_pin_modulate(out->mcu, out->pin, timer->wake_clock, on_ticks,
                         out->cycle_ticks);
    } else {
        set_level(out, !!on_ticks);
    }
    uint32_t clock = (uint32_t)timer->wake_clock;
    if (plan_deadline(out, clock) || (!has_edges(out) && !out->has_deadline))
        return TIMER_DONE;
    plan_edge(out, has_edges(out) ? on_ticks : out->deadline_clock - clock,
              edge_event);
    return TIMER_AGAIN;
}

static void
digital_outs_shutdown(struct mcu *mcu)
{
    struct digital_out *out;
    uint32_t oid = 0;
    while ((out = mcu_object_next(mcu, &oid, &digital_out_type))) {
        mcu_timer_cancel(&out->timer);
        set_level(out, out->default_level);
        out->is_toggling = out->has_deadline = 0;
        struct move *move;
        while ((move = move_queue_pop(&out->queue)))
            move_release(mcu, move);
    }
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_digital_out(struct mcu *mcu, const uint32_t *arguments)
{
    struct digital_out *out =
        mcu_object_add(mcu, arguments[0], &digital_out_type, sizeof(*out));
    if (!out)
        return;
    out->mcu = mcu;
    out->pin = (uint8_t)arguments[1];
    out->default_level = !!(uint8_t)arguments[3];
    out->max_duration_ticks = arguments[4];
    mcu_timer_init(&out->timer, mcu, apply_event);
    set_level(out, (uint8_t)arguments[2]);
}

static void
command_set_digital_out_pwm_cycle(struct mcu *mcu, const uint32_t *arguments)
{
    struct digital_out *out = mcu_object(mcu, arguments[0], &digital_out_type);
    if (!out)
        return;
    if (out->queue.first)
        mcu_shutdown(mcu, REASON_PWM_CYCLE_PENDING);
    else
        out->cycle_ticks = arguments[1];
}

static void
command_queue_digital_out(struct mcu *mcu, const uint32_t *arguments)
{
    struct digital_out *out = mcu_object(mcu, arguments[0], &digital_out_type);
    if (!out)
        return;
    struct move *move = move_allocate(mcu);
    if (!move)
        return;
    uint32_t clock = move->clock = arguments[1];
    move->on_ticks = arguments[2];
    int is_first = !out->queue.first;
    move_queue_push(&out->queue, move);
    if (!is_first)
        return;
    if (out->has_deadline && is_after(clock, out->deadline_clock)) {
        mcu_shutdown(mcu, REASON_EXCEEDS_MAX_DURATION);
        return;
    }
    out->has_deadline = 1;
    out->deadline_clock = clock;
    if (has_edges(out) && is_after(clock, (uint32_t)out->timer.wake_clock))
        // The next edge will see that this setting is due
        return;
    mcu_timer_cancel(&out->timer);
    out->timer.callback = apply_event;
    mcu_timer_add(&out->timer, clock);
}

static void
command_update_digital_out(struct mcu *mcu, const uint32_t *arguments)
{
    struct digital_out *out = mcu_object(mcu, arguments[0], &digital_out_type);
    if (!out)
        return;
    mcu_timer_cancel(&out->timer);
    if (out->queue.first) {
        mcu_shutdown(mcu, REASON_UPDATE_WITH_QUEUE);
        return;
    }
    set_level(out, (uint8_t)arguments[1]);
    out->is_toggling = 0;
    plan_deadline(out, (uint32_t)mcu_clock_now(mcu));
    if (!out->has_deadline)
        return;
    out->timer.callback = apply_event;
    mcu_timer_add(&out->timer, out->deadline_clock);
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
