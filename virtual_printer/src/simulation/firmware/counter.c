// Counter of the edges on a pin
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "mcu.h" // struct mcu

static const struct object_type counter_type = { "counter" };

// The firmware looks at the pin all poll_ticks.  All looks since the last report
// are made up for when the next report is due, or before the pin changes.
struct counter {
    struct mcu *mcu;
    struct mcu_timer timer; // of the next report, or look
    struct pin_watcher watcher;
    uint32_t oid;
    uint8_t pin, pull_up_level;
    uint32_t poll_ticks, sample_ticks;
    uint32_t count; // odd while the pin is high
    uint64_t count_clock; // of the last edge
    uint64_t poll_clock, report_clock; // of the next look, and report
};

static void
look(struct counter *counter, uint64_t clock)
{
    int level = mcu_pin_level_at(counter->mcu, counter->pin,
                                 mcu_time_of(counter->mcu, clock),
                                 counter->pull_up_level);
    if ((int)(counter->count & 1) == level)
        return;
    counter->count++;
    counter->count_clock = clock;
}

// Make up for all looks that were due by now
static void
catch_up(struct counter *counter)
{
    uint64_t now = mcu_clock_now(counter->mcu);
    if (!counter->poll_ticks || counter->poll_clock > now)
        return;
    look(counter, counter->poll_clock);
    // Nothing changes after the first one where no change was announced
    uint64_t missing = (now - counter->poll_clock) / counter->poll_ticks;
    if (mcu_pin_goes_on(counter->mcu, counter->pin))
        for (uint64_t i = 1; i <= missing; i++)
            look(counter, counter->poll_clock + i * counter->poll_ticks);
    counter->poll_clock += (missing + 1) * counter->poll_ticks;
}

static void
before_change(struct pin_watcher *watcher)
{
    catch_up(container_of(watcher, struct counter, watcher));
}

// Whether each look has to be an event of its own
static int
must_look(const struct counter *counter)
{
    return mcu_pin_needs_polls(counter->mcu, counter->pin)
        && !mcu_pin_goes_on(counter->mcu, counter->pin);
}

// The first look after sample_ticks is reported
static enum timer_result
look_event(struct mcu_timer *timer)
{
    struct counter *counter = container_of(timer, struct counter, timer);
    catch_up(counter);
    if (timer->wake_clock >= counter->report_clock) {
        MCU_RESPOND(counter->mcu, RESPONSE_COUNTER_STATE, counter->oid,
                    (uint32_t)counter->poll_clock, counter->count,
                    (uint32_t)counter->count_clock);
        uint64_t looks = counter->sample_ticks / counter->poll_ticks + 1;
        counter->report_clock += looks * counter->poll_ticks;
    }
    timer->wake_clock =
        must_look(counter) ? counter->poll_clock : counter->report_clock;
    return TIMER_AGAIN;
}

static void
counters_shutdown(struct mcu *mcu)
{
    struct counter *counter;
    uint32_t oid = 0;
    while ((counter = mcu_object_next(mcu, &oid, &counter_type))) {
        mcu_timer_cancel(&counter->timer);
        counter->poll_ticks = 0;
    }
}

static void
counters_release(struct mcu *mcu)
{
    struct counter *counter;
    uint32_t oid = 0;
    while ((counter = mcu_object_next(mcu, &oid, &counter_type)))
        pin_unwatch(&mcu->pins[counter->pin], &counter->watcher);
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_counter(struct mcu *mcu, const uint32_t *arguments)
{
    struct counter *counter =
        mcu_object_add(mcu, arguments[0], &counter_type, sizeof(*counter));
    if (!counter)
        return;
    counter->mcu = mcu;
    counter->oid = arguments[0] & 0xff;
    counter->pin = (uint8_t)arguments[1];
    counter->pull_up_level = (int8_t)arguments[2] > 0;
    counter->watcher.before_change = before_change;
    pin_watch(&mcu->pins[counter->pin], &counter->watcher);
    mcu_timer_init(&counter->timer, mcu, look_event);
}

static void
command_query_counter(struct mcu *mcu, const uint32_t *arguments)
{
    struct counter *counter = mcu_object(mcu, arguments[0], &counter_type);
    if (!counter)
        return;
    mcu_timer_cancel(&counter->timer);
    if (!arguments[2]) {
        // A timer that is due again at once
        mcu_shutdown(mcu, REASON_RESCHEDULED_IN_PAST);
        return;
    }
    counter->poll_ticks = arguments[2];
    counter->sample_ticks = arguments[3];
    counter->poll_clock = mcu_clock_from_wire(mcu, arguments[1]);
    // The first look reports nothing
    counter->report_clock = counter->poll_clock + counter->poll_ticks;
    mcu_timer_add(&counter->timer, arguments[1]);
}

static const struct command commands[] = {
    { "config_counter", command_config_counter, "oid pin pull_up", 0 },
    { "query_counter",  command_query_counter,
     "oid clock poll_ticks sample_ticks",                          0 },
};

const struct peripheral counter_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = counters_shutdown,
    .release = counters_release,
};
