// Trigger synchronisation object of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "objects.h" // struct trsync

const struct object_type trsync_type = { "trsync" };


/****************************************************************
 * Triggering
 ****************************************************************/

void
trsync_trigger(struct trsync *trsync, uint8_t reason)
{
    if (!trsync->can_trigger)
        return;
    trsync->can_trigger = 0;
    trsync->trigger_reason = reason;
    trsync->is_report_due = trsync->mcu->is_trsync_task_due = 1;
    while (trsync->signals) {
        struct stepper *stepper = trsync->signals;
        trsync->signals = stepper->next_signal;
        stepper->trsync = NULL;
        stepper_stop(stepper);
    }
}

void
trsync_add_stepper(struct trsync *trsync, struct stepper *stepper)
{
    if (stepper->trsync) {
        mcu_shutdown(trsync->mcu, REASON_SIGNAL_ACTIVE);
        return;
    }
    stepper->trsync = trsync;
    stepper->next_signal = trsync->signals;
    trsync->signals = stepper;
}

static enum timer_result
report_event(struct mcu_timer *timer)
{
    struct trsync *trsync = container_of(timer, struct trsync, report_timer);
    trsync->is_report_due = trsync->mcu->is_trsync_task_due = 1;
    timer->wake_clock += trsync->report_ticks;
    return TIMER_AGAIN;
}

static enum timer_result
expire_event(struct mcu_timer *timer)
{
    struct trsync *trsync = container_of(timer, struct trsync, expire_timer);
    trsync_trigger(trsync, trsync->expire_reason);
    return TIMER_DONE;
}


/****************************************************************
 * Reporting
 ****************************************************************/

static void
report_state(struct trsync *trsync, uint32_t oid)
{
    trsync->is_report_due = 0;
    MCU_RESPOND(trsync->mcu, RESPONSE_TRSYNC_STATE, oid, trsync->can_trigger,
                trsync->trigger_reason, (uint32_t)mcu_clock_now(trsync->mcu));
}

// Report the state of all objects that asked for it
void
trsync_run_task(struct mcu *mcu)
{
    mcu->is_trsync_task_due = 0;
    struct trsync *trsync;
    uint32_t oid = 0;
    while ((trsync = mcu_object_next(mcu, &oid, &trsync_type)))
        if (trsync->is_report_due)
            report_state(trsync, oid - 1);
}


/****************************************************************
 * Stopping
 ****************************************************************/

static void
cancel_timers(struct trsync *trsync)
{
    mcu_timer_cancel(&trsync->report_timer);
    mcu_timer_cancel(&trsync->expire_timer);
}

// Let go of all steppers without stopping them
static void
disarm(struct trsync *trsync)
{
    cancel_timers(trsync);
    while (trsync->signals) {
        trsync->signals->trsync = NULL;
        trsync->signals = trsync->signals->next_signal;
    }
    trsync->can_trigger = trsync->is_report_due = 0;
    trsync->trigger_reason = trsync->expire_reason = 0;
}

static void
trsyncs_shutdown(struct mcu *mcu)
{
    struct trsync *trsync;
    uint32_t oid = 0;
    while ((trsync = mcu_object_next(mcu, &oid, &trsync_type)))
        disarm(trsync);
}

void
trsyncs_trip(struct mcu *mcu, uint8_t reason)
{
    struct trsync *trsync;
    uint32_t oid = 0;
    while ((trsync = mcu_object_next(mcu, &oid, &trsync_type)))
        trsync_trigger(trsync, reason ? reason : trsync->expire_reason);
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_trsync(struct mcu *mcu, const uint32_t *arguments)
{
    struct trsync *trsync =
        mcu_object_add(mcu, arguments[0], &trsync_type, sizeof(*trsync));
    if (!trsync)
        return;
    trsync->mcu = mcu;
    mcu_timer_init(&trsync->report_timer, mcu, report_event);
    mcu_timer_init(&trsync->expire_timer, mcu, expire_event);
}

static void
command_trsync_start(struct mcu *mcu, const uint32_t *arguments)
{
    struct trsync *trsync = mcu_object(mcu, arguments[0], &trsync_type);
    if (!trsync)
        return;
    disarm(trsync);
    trsync->can_trigger = 1;
    trsync->report_ticks = arguments[2];
    trsync->expire_reason = (uint8_t)arguments[3];
    if (trsync->report_ticks)
        mcu_timer_add(&trsync->report_timer, arguments[1]);
}

static void
command_trsync_set_timeout(struct mcu *mcu, const uint32_t *arguments)
{
    struct trsync *trsync = mcu_object(mcu, arguments[0], &trsync_type);
    if (!trsync || !trsync->can_trigger)
        return;
    mcu_timer_cancel(&trsync->expire_timer);
    mcu_timer_add(&trsync->expire_timer, arguments[1]);
}

static void
command_trsync_trigger(struct mcu *mcu, const uint32_t *arguments)
{
    struct trsync *trsync = mcu_object(mcu, arguments[0], &trsync_type);
    if (!trsync)
        return;
    trsync_trigger(trsync, (uint8_t)arguments[1]);
    cancel_timers(trsync);
    trsync->can_trigger = trsync->is_report_due = 0;
    MCU_RESPOND(mcu, RESPONSE_TRSYNC_STATE, arguments[0] & 0xff, 0,
                trsync->trigger_reason, 0);
}

static const struct command commands[] = {
    { "config_trsync",      command_config_trsync,      "oid",        0 },
    { "trsync_start",       command_trsync_start,
     "oid report_clock report_ticks expire_reason",                   0 },
    { "trsync_set_timeout", command_trsync_set_timeout, "oid clock",  0 },
    { "trsync_trigger",     command_trsync_trigger,     "oid reason", 0 },
};

const struct peripheral trsync_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = trsyncs_shutdown,
};
