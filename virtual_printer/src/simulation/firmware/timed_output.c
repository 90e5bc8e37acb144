// Outputs that are set at given clocks, and that may not stay on for too long
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "timed_output.h" // struct timed_output

static int
is_after(uint32_t clock, uint32_t other)
{
    return (int32_t)(clock - other) > 0;
}

// Work out until when the next setting has to come; shuts down and
// returns -1 if it is known already that it will come too late
static int
plan_deadline(struct timed_output *out, uint32_t clock, int is_default)
{
    int is_limited = out->max_duration_ticks && !is_default;
    out->has_deadline = (uint8_t)is_limited;
    out->deadline_clock = clock + out->max_duration_ticks;
    if (!out->queue.first)
        return 0;
    if (is_limited && is_after(out->queue.first->clock, out->deadline_clock)) {
        mcu_shutdown(out->mcu, out->kind->exceeds);
        return -1;
    }
    out->has_deadline = 1;
    out->deadline_clock = out->queue.first->clock;
    return 0;
}

static enum timer_result setting_event(struct mcu_timer *timer);
static enum timer_result edge_event(struct mcu_timer *timer);

// Arrange for what comes first: an edge, or the next setting
static enum timer_result
plan_event(struct timed_output *out)
{
    if (!out->edge_ticks && !out->has_deadline)
        return TIMER_DONE;
    uint32_t clock = (uint32_t)out->timer.wake_clock;
    uint32_t ticks = out->edge_ticks;
    out->timer.callback = edge_event;
    if (!ticks
        || (out->has_deadline
            && !is_after(out->deadline_clock, clock + ticks))) {
        out->timer.callback = setting_event;
        ticks = out->deadline_clock - clock;
    }
    out->timer.wake_clock += (uint64_t)(int64_t)(int32_t)ticks;
    return TIMER_AGAIN;
}

static enum timer_result
edge_event(struct mcu_timer *timer)
{
    struct timed_output *out = container_of(timer, struct timed_output, timer);
    out->edge_ticks = out->kind->toggle(out);
    return plan_event(out);
}

static enum timer_result
setting_event(struct mcu_timer *timer)
{
    struct timed_output *out = container_of(timer, struct timed_output, timer);
    struct move *move = move_queue_pop(&out->queue);
    if (!move) {
        mcu_shutdown(out->mcu, out->kind->missed);
        return TIMER_DONE;
    }
    uint32_t value = move->on_ticks;
    move_release(out->mcu, move);
    out->edge_ticks = 0;
    int is_default = out->kind->apply(out, value);
    if (plan_deadline(out, (uint32_t)timer->wake_clock, is_default))
        return TIMER_DONE;
    return plan_event(out);
}

void *
timed_output_add(struct mcu *mcu, uint32_t oid,
                 const struct timed_output_kind *kind, size_t size,
                 uint32_t default_value, uint32_t max_duration_ticks)
{
    struct timed_output *out = mcu_object_add(mcu, oid, &kind->type, size);
    if (!out)
        return NULL;
    out->mcu = mcu;
    out->kind = kind;
    out->default_value = default_value;
    out->max_duration_ticks = max_duration_ticks;
    mcu_timer_init(&out->timer, mcu, setting_event);
    return out;
}

static void
start_timer(struct timed_output *out)
{
    mcu_timer_cancel(&out->timer);
    out->timer.callback = setting_event;
    mcu_timer_add(&out->timer, out->deadline_clock);
}

void
timed_output_queue(struct timed_output *out, uint32_t clock, uint32_t value)
{
    struct move *move = move_allocate(out->mcu);
    if (!move)
        return;
    move->clock = clock;
    move->on_ticks = value;
    int is_first = !out->queue.first;
    move_queue_push(&out->queue, move);
    if (!is_first)
        return;
    if (out->has_deadline && is_after(clock, out->deadline_clock)) {
        mcu_shutdown(out->mcu, out->kind->exceeds);
        return;
    }
    out->has_deadline = 1;
    out->deadline_clock = clock;
    // Otherwise the next edge will see that this setting is due
    if (!out->edge_ticks || !is_after(clock, (uint32_t)out->timer.wake_clock))
        start_timer(out);
}

void
timed_output_update(struct timed_output *out, uint32_t value,
                    enum reason waiting)
{
    mcu_timer_cancel(&out->timer);
    if (out->queue.first) {
        mcu_shutdown(out->mcu, waiting);
        return;
    }
    out->edge_ticks = 0;
    int is_default = out->kind->apply(out, value);
    plan_deadline(out, (uint32_t)mcu_clock_now(out->mcu), is_default);
    if (out->has_deadline)
        start_timer(out);
}

void
timed_outputs_shutdown(struct mcu *mcu, const struct timed_output_kind *kind)
{
    struct timed_output *out;
    uint32_t oid = 0;
    while ((out = mcu_object_next(mcu, &oid, &kind->type))) {
        mcu_timer_cancel(&out->timer);
        out->has_deadline = 0;
        out->edge_ticks = 0;
        kind->apply(out, out->default_value);
        struct move *move;
        while ((move = move_queue_pop(&out->queue)))
            move_release(mcu, move);
    }
}
