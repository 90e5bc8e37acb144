// Objects of the virtual firmware that others use: stepper and trsync
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef OBJECTS_H
#define OBJECTS_H

#include "../mechanics/mechanics.h" // struct motor_driver
#include "mcu.h" // struct mcu
#include "stepper_load.h" // struct stepper_load

#pragma GCC visibility push(hidden)

struct trsync;

extern const struct object_type stepper_type, trsync_type;

struct stepper {
    struct motor_driver driver;
    struct mcu *mcu;
    struct motor *motor; // what the step pin drives, may be NULL
    // The move that is being stepped; count is zero when all is stepped
    uint32_t count, interval_ticks;
    int16_t add_ticks;
    int is_smooth; // all its steps can be taken on time
    int is_ending; // the pulse of its last step has not ended
    int64_t next_clock, ideal_clock; // of the next step
    int64_t last_ideal_clock; // of the last step
    uint32_t idle_clock; // which the first interval counts from
    int64_t free_clock; // before which the next step cannot be taken
    uint8_t direction, requested_direction; // levels of the pin
    uint32_t pulse_ticks, step_ticks_min; // that one step takes
    int is_both_edges; // of a pulse are steps
    int is_plain; // nothing but the CPU keeps its steps apart
    int needs_reset;
    int64_t position; // steps
    struct move_queue queue;
    struct stepper_load load;
    // Steps that can be late must be looked at when they are due
    struct mcu_timer watch_timer;
    int is_watched;
    struct trsync *trsync;
    struct stepper *next_signal;
};

void stepper_stop(struct stepper *stepper);
// Take all steps that are due by now
void steppers_advance(struct mcu *mcu);

struct trsync {
    struct mcu *mcu;
    struct mcu_timer report_timer, expire_timer;
    uint32_t report_ticks;
    struct stepper *signals;
    uint8_t can_trigger, is_report_due, trigger_reason, expire_reason;
};

void trsync_trigger(struct trsync *trsync, uint8_t reason);
// Have a stepper stopped at the trigger; shuts down if it waits for one
void trsync_add_stepper(struct trsync *trsync, struct stepper *stepper);
void trsync_run_task(struct mcu *mcu);
// Trigger all that can be; reason 0 is that of an expiry
void trsyncs_trip(struct mcu *mcu, uint8_t reason);

#pragma GCC visibility pop

#endif // objects.h
