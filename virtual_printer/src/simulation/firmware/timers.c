// Clock and timers of a virtual micro-controller
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // free
#include "../core/memory.h" // allocate
#include "mcu.h" // struct mcu

__extension__ typedef unsigned __int128 wide_t;


/****************************************************************
 * Clock
 ****************************************************************/

uint64_t
mcu_clock_at(const struct mcu *mcu, int64_t time_ns)
{
    if (time_ns < mcu->start_ns)
        return mcu->start_clock;
    wide_t elapsed_ns = (uint64_t)(time_ns - mcu->start_ns);
    return mcu->start_clock
        + (uint64_t)((elapsed_ns * mcu->rate) >> CLOCK_SHIFT);
}

int64_t
mcu_time_of(const struct mcu *mcu, uint64_t clock)
{
    if (clock <= mcu->start_clock)
        return mcu->start_ns;
    wide_t ticks = (wide_t)(clock - mcu->start_clock) << CLOCK_SHIFT;
    return mcu->start_ns + (int64_t)((ticks + mcu->rate - 1) / mcu->rate);
}

uint64_t
mcu_clock_now(const struct mcu *mcu)
{
    return mcu_clock_at(mcu, mcu->timeline->now_ns);
}

uint32_t
mcu_ticks_from_ns(const struct mcu *mcu, uint32_t duration_ns)
{
    return (uint32_t)((uint64_t)duration_ns * mcu->nominal_frequency
                      / NS_PER_S);
}

uint64_t
mcu_clock_from_wire(const struct mcu *mcu, uint32_t clock)
{
    int64_t now = (int64_t)mcu_clock_now(mcu);
    int64_t meant = now + (int32_t)(clock - (uint32_t)now);
    // What was before the start of the clock is past, no more and no less
    return meant < 0 ? 0 : (uint64_t)meant;
}


/****************************************************************
 * Timers
 ****************************************************************/

static void
timer_event(struct event *event)
{
    cpu_run_timer(container_of(event, struct mcu_timer, event));
}

void
mcu_timer_init(struct mcu_timer *timer, struct mcu *mcu,
               enum timer_result (*callback)(struct mcu_timer *))
{
    timer->mcu = mcu;
    timer->callback = callback;
    timer->event.run = timer_event;
    timer->event_count = 1;
}

// Have a timer run at a clock, or once others have that are as late
static void
start(struct mcu_timer *timer, uint64_t clock, int64_t earliest_ns)
{
    struct event_queue *events = &timer->mcu->timeline->events;
    cpu_stop_waiting(timer);
    timer->wake_clock = clock;
    int64_t time_ns = mcu_time_of(timer->mcu, clock);
    if (time_ns >= earliest_ns) {
        event_schedule(events, &timer->event, time_ns);
        return;
    }
    event_cancel(events, &timer->event);
    cpu_wait(timer);
}

void
mcu_timer_start(struct mcu_timer *timer, uint64_t clock)
{
    start(timer, clock, timer->mcu->timeline->now_ns);
}

void
mcu_timer_rearm(struct mcu_timer *timer)
{
    // It has taken time, and cannot run again at once
    start(timer, timer->wake_clock, timer->mcu->timeline->now_ns + 1);
}

void
mcu_timers_restart(struct mcu *mcu)
{
    // Starting one moves others in the queue
    struct event_queue *events = &mcu->timeline->events;
    struct mcu_timer **timers =
        allocate(events->count + 1, sizeof(struct mcu_timer *));
    size_t count = 0;
    for (size_t i = 0; i < events->count; i++) {
        struct event *event = events->entries[i].event;
        if (event->run != timer_event)
            continue;
        struct mcu_timer *timer = container_of(event, struct mcu_timer, event);
        if (timer->mcu == mcu)
            timers[count++] = timer;
    }
    for (size_t i = 0; i < count; i++)
        mcu_timer_start(timers[i], timers[i]->wake_clock);
    free(timers);
}

int
mcu_timer_add(struct mcu_timer *timer, uint32_t clock)
{
    uint64_t wake_clock = mcu_clock_from_wire(timer->mcu, clock);
    if (cpu_is_too_late(timer->mcu, wake_clock)) {
        mcu_shutdown(timer->mcu, REASON_TIMER_TOO_CLOSE);
        return -1;
    }
    mcu_timer_start(timer, wake_clock);
    return 0;
}

void
mcu_timer_cancel(struct mcu_timer *timer)
{
    cpu_stop_waiting(timer);
    event_cancel(&timer->mcu->timeline->events, &timer->event);
}

int
mcu_timer_is_pending(const struct mcu_timer *timer)
{
    return timer->event.slot || timer->is_late;
}
