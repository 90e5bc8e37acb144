// Objects of the virtual firmware: stepper, endstop, trsync, digital output,
// distance sensor
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef OBJECTS_H
#define OBJECTS_H

#include "../mechanics/mechanics.h" // struct motor_driver
#include "mcu.h" // struct mcu

#pragma GCC visibility push(hidden)

struct trsync;

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
    int needs_reset;
    int64_t position; // steps
    struct move_queue queue;
    // Steps that can be late must be looked at when they are due
    struct mcu_timer watch_timer;
    int is_watched;
    struct trsync *trsync;
    struct stepper *next_signal;
};

void stepper_stop(struct stepper *stepper);
// Take all steps that are due by now
void steppers_advance(struct mcu *mcu);
void steppers_shutdown(struct mcu *mcu);
// Leave the motors without a driver
void steppers_detach(struct mcu *mcu);

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
void trsyncs_shutdown(struct mcu *mcu);
// Trigger all that can be; reason 0 is that of an expiry
void trsyncs_trip(struct mcu *mcu, uint8_t reason);

void endstops_shutdown(struct mcu *mcu);

// Cancel what waits, set the pins to their safe values
void digital_outs_shutdown(struct mcu *mcu);

// Commands, see commands.c
void command_config_stepper(struct mcu *mcu, const uint32_t *arguments);
void command_queue_step(struct mcu *mcu, const uint32_t *arguments);
void command_set_next_step_dir(struct mcu *mcu, const uint32_t *arguments);
void command_reset_step_clock(struct mcu *mcu, const uint32_t *arguments);
void command_stepper_get_position(struct mcu *mcu, const uint32_t *arguments);
void command_stepper_stop_on_trigger(struct mcu *mcu,
                                     const uint32_t *arguments);
void command_config_endstop(struct mcu *mcu, const uint32_t *arguments);
void command_endstop_home(struct mcu *mcu, const uint32_t *arguments);
void command_endstop_query_state(struct mcu *mcu, const uint32_t *arguments);
void command_config_trsync(struct mcu *mcu, const uint32_t *arguments);
void command_trsync_start(struct mcu *mcu, const uint32_t *arguments);
void command_trsync_set_timeout(struct mcu *mcu, const uint32_t *arguments);
void command_trsync_trigger(struct mcu *mcu, const uint32_t *arguments);
void command_config_digital_out(struct mcu *mcu, const uint32_t *arguments);
void command_set_digital_out_pwm_cycle(struct mcu *mcu,
                                       const uint32_t *arguments);
void command_queue_digital_out(struct mcu *mcu, const uint32_t *arguments);
void command_update_digital_out(struct mcu *mcu, const uint32_t *arguments);
void command_set_digital_out(struct mcu *mcu, const uint32_t *arguments);
void command_config_distance(struct mcu *mcu, const uint32_t *arguments);
void command_query_distance(struct mcu *mcu, const uint32_t *arguments);
void command_get_canbus_id(struct mcu *mcu, const uint32_t *arguments);
void command_get_canbus_status(struct mcu *mcu, const uint32_t *arguments);

#pragma GCC visibility pop

#endif // objects.h
