// Triggers by what a sensor measures
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

// Klipper's trigger_analog and Kalico's load_cell_probe are the same but for
// who says what: the latter counts in grams and knows one kind of trigger.

#include "objects.h" // struct trsync
#include "sos_filter.h" // sos_filter_apply
#include "trigger_analog.h" // trigger_analog_update

static const struct object_type trigger_analog_type = { "trigger_analog" };

// In enumeration trigger_analog_type
enum trigger_type { TRIGGER_ABS_GE, TRIGGER_GT, TRIGGER_DIFF_PEAK_GT };
// In enumeration trigger_analog_error
enum error {
    ERROR_RAW_RANGE,
    ERROR_OVERFLOW,
    ERROR_MONITOR,
    ERROR_SENSOR_SPECIFIC,
};
// Of a load_cell_probe: of grams, and of grams per count
enum { GRAMS_FRACTION_BITS = 15, FACTOR_FRACTION_BITS = 29 };

struct trigger_analog {
    struct mcu *mcu;
    struct sos_filter *filter;
    int32_t raw_min, raw_max;
    enum trigger_type type;
    int32_t trigger_value, peak;
    struct trsync *trsync;
    int is_homing, is_triggered;
    uint8_t trigger_reason, error_reason;
    uint64_t homing_clock; // of the start, then of the trigger
    struct mcu_timer monitor_timer;
    uint32_t monitor_ticks, monitor_count, monitor_max;
};

struct trigger_analog *
trigger_analog_find(struct mcu *mcu, uint32_t oid)
{
    return mcu_object(mcu, oid, &trigger_analog_type);
}


/****************************************************************
 * Triggering
 ****************************************************************/

static void
fail(struct trigger_analog *trigger, int error)
{
    trigger->is_homing = 0;
    mcu_timer_cancel(&trigger->monitor_timer);
    trsync_trigger(trigger->trsync, (uint8_t)(trigger->error_reason + error));
}

void
trigger_analog_fail(struct trigger_analog *trigger, uint8_t code)
{
    if (trigger && trigger->is_homing)
        fail(trigger, ERROR_SENSOR_SPECIFIC + code);
}

static int
is_hit(struct trigger_analog *trigger, int32_t value)
{
    switch (trigger->type) {
    case TRIGGER_ABS_GE:
        return (value < 0 ? -(int64_t)value : value) >= trigger->trigger_value;
    case TRIGGER_GT: return value > trigger->trigger_value;
    case TRIGGER_DIFF_PEAK_GT:
        if (value > trigger->peak)
            trigger->peak = value;
        return (int64_t)trigger->peak - value > trigger->trigger_value;
    }
    return 0;
}

void
trigger_analog_update(struct trigger_analog *trigger, int32_t value)
{
    if (!trigger || !trigger->is_homing)
        return;
    trigger->monitor_count = 0;
    uint64_t clock = mcu_clock_now(trigger->mcu);
    if (clock < trigger->homing_clock)
        return;
    if (value < trigger->raw_min || value > trigger->raw_max) {
        fail(trigger, ERROR_RAW_RANGE);
    } else if (sos_filter_apply(trigger->filter, &value)) {
        fail(trigger, ERROR_OVERFLOW);
    } else if (is_hit(trigger, value)) {
        trigger->is_homing = 0;
        trigger->is_triggered = 1;
        trigger->homing_clock = clock;
        mcu_timer_cancel(&trigger->monitor_timer);
        trsync_trigger(trigger->trsync, trigger->trigger_reason);
    }
}

// A sensor that is silent for too long is as bad as one that fails
static enum timer_result
monitor_event(struct mcu_timer *timer)
{
    struct trigger_analog *trigger =
        container_of(timer, struct trigger_analog, monitor_timer);
    if (trigger->monitor_count++ > trigger->monitor_max) {
        fail(trigger, ERROR_MONITOR);
        return TIMER_DONE;
    }
    timer->wake_clock += trigger->monitor_ticks;
    return TIMER_AGAIN;
}

static void
trigger_analogs_shutdown(struct mcu *mcu)
{
    struct trigger_analog *trigger;
    uint32_t oid = 0;
    while ((trigger = mcu_object_next(mcu, &oid, &trigger_analog_type))) {
        trigger->is_homing = 0;
        mcu_timer_cancel(&trigger->monitor_timer);
    }
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_trigger_analog(struct mcu *mcu, const uint32_t *arguments)
{
    struct sos_filter *filter = sos_filter_find(mcu, arguments[1]);
    if (!filter)
        return;
    struct trigger_analog *trigger = mcu_object_add(
        mcu, arguments[0], &trigger_analog_type, sizeof(*trigger));
    if (!trigger)
        return;
    trigger->mcu = mcu;
    trigger->filter = filter;
    mcu_timer_init(&trigger->monitor_timer, mcu, monitor_event);
}

static void
command_set_raw_range(struct mcu *mcu, const uint32_t *arguments)
{
    struct trigger_analog *trigger = trigger_analog_find(mcu, arguments[0]);
    if (!trigger)
        return;
    trigger->raw_min = (int32_t)arguments[1];
    trigger->raw_max = (int32_t)arguments[2];
}

static void
command_set_trigger(struct mcu *mcu, const uint32_t *arguments)
{
    struct trigger_analog *trigger = trigger_analog_find(mcu, arguments[0]);
    if (!trigger)
        return;
    trigger->type = (enum trigger_type)(arguments[1] & 0xff);
    trigger->trigger_value = (int32_t)arguments[2];
}

// Both ends of the range are outside of it
static void
command_load_cell_probe_set_range(struct mcu *mcu, const uint32_t *arguments)
{
    struct trigger_analog *trigger = trigger_analog_find(mcu, arguments[0]);
    int32_t minimum = (int32_t)arguments[1], maximum = (int32_t)arguments[2];
    if (!trigger)
        return;
    if (maximum < minimum) {
        mcu_shutdown(mcu, REASON_SAFETY_RANGE);
        return;
    }
    trigger->raw_min = minimum + (minimum < INT32_MAX);
    trigger->raw_max = maximum - (maximum > INT32_MIN);
    trigger->type = TRIGGER_ABS_GE;
    trigger->trigger_value = (int32_t)(arguments[4] << GRAMS_FRACTION_BITS);
    sos_filter_set_scale(trigger->filter, (int32_t)(0 - arguments[3]),
                         (int32_t)arguments[5],
                         FACTOR_FRACTION_BITS - GRAMS_FRACTION_BITS);
}

static void
command_home(struct mcu *mcu, const uint32_t *arguments)
{
    struct trigger_analog *trigger = trigger_analog_find(mcu, arguments[0]);
    if (!trigger)
        return;
    mcu_timer_cancel(&trigger->monitor_timer);
    trigger->is_homing = trigger->is_triggered = 0;
    trigger->monitor_ticks = arguments[5];
    if (!trigger->monitor_ticks)
        return;
    trigger->trsync = mcu_object(mcu, arguments[1], &trsync_type);
    if (!trigger->trsync)
        return;
    trigger->trigger_reason = (uint8_t)arguments[2];
    trigger->error_reason = (uint8_t)arguments[3];
    trigger->homing_clock = mcu_clock_from_wire(mcu, arguments[4]);
    trigger->monitor_max = (uint8_t)arguments[6];
    trigger->monitor_count = 0;
    trigger->peak = INT32_MIN;
    trigger->is_homing = 1;
    mcu_timer_add(&trigger->monitor_timer, arguments[4]);
}

static void
command_query_state(struct mcu *mcu, const uint32_t *arguments)
{
    struct trigger_analog *trigger = trigger_analog_find(mcu, arguments[0]);
    if (trigger)
        MCU_RESPOND(mcu, RESPONSE_TRIGGER_ANALOG_STATE, arguments[0] & 0xff,
                    (uint32_t)trigger->is_homing,
                    (uint32_t)trigger->homing_clock);
}

static void
command_load_cell_probe_query_state(struct mcu *mcu, const uint32_t *arguments)
{
    struct trigger_analog *trigger = trigger_analog_find(mcu, arguments[0]);
    if (trigger)
        MCU_RESPOND(mcu, RESPONSE_LOAD_CELL_PROBE_STATE, arguments[0] & 0xff,
                    (uint32_t)trigger->is_triggered,
                    trigger->is_triggered ? (uint32_t)trigger->homing_clock
                                          : 0);
}

static const struct command commands[] = {
    { "config_trigger_analog",        command_config_trigger_analog,
     "oid sos_filter_oid",                                                        0 },
    { "trigger_analog_set_raw_range", command_set_raw_range,
     "oid raw_min raw_max",                                                       0 },
    { "trigger_analog_set_trigger",   command_set_trigger,
     "oid trigger_analog_type trigger_value",                                     0 },
    { "trigger_analog_home",          command_home,
     "oid trsync_oid trigger_reason error_reason clock monitor_ticks"
      " monitor_max",                                                             0 },
    { "trigger_analog_query_state",   command_query_state,                 "oid", 0 },
    { "config_load_cell_probe",       command_config_trigger_analog,
     "oid sos_filter_oid",                                                        0 },
    { "load_cell_probe_set_range",    command_load_cell_probe_set_range,
     "oid safety_counts_min safety_counts_max tare_counts trigger_grams"
      " grams_per_count",                                                         0 },
    { "load_cell_probe_home",         command_home,
     "oid trsync_oid trigger_reason error_reason clock rest_ticks timeout",       0 },
    { "load_cell_probe_query_state",  command_load_cell_probe_query_state, "oid",
     0                                                                              },
};

const struct peripheral trigger_analog_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = trigger_analogs_shutdown,
};
