// Hard stops, where the way of a carriage ends whatever its motors do
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
//
// A motor is a spring between its pulses and its belt.  Held back by more
// than two full steps, it falls into the next of its equal places, four full
// steps behind.  What holds a carriage back shares its force among all
// motors that move it.

#include <math.h> // fabs
#include "mechanics.h" // struct stop

enum { SLIP_FULL_STEPS = 4 };
// Of those periods: what holds a motor back without a loss, and what counts
// as the same force on two motors
#define HELD_PERIODS_MAX 0.5
#define HELD_PERIODS_ALIKE 1e-6
// Stops that do not hold each other's carriages need one round each
enum { ROUNDS_MAX = 8 };
// What rounding leaves of no pressure
#define PRESSED_MM_MIN 1e-9

static double
full_step_mm(const struct motor *motor)
{
    return motor->step_dist_mm * motor->microsteps;
}

// How far the stop holds back the belt of a motor
static double
pressed_mm(const struct motor *motor)
{
    const struct mechanics *mechanics = motor->mechanics;
    double sum_mm = 0.0;
    for (size_t i = 0; i < mechanics->carriage_count; i++)
        sum_mm += motor->moves[i] * mechanics->carriages[i].held_back_mm;
    return sum_mm;
}

static int
is_pressed(const struct motor *motor)
{
    return motor->is_stoppable && !motor->is_limp
        && fabs(pressed_mm(motor)) > PRESSED_MM_MIN;
}

// How far two carriages go for the same force on one of them
static double
give(const struct mechanics *mechanics, size_t one, size_t other)
{
    double sum = 0.0;
    for (size_t i = 0; i < mechanics->drive_count; i++) {
        const double *shares = mechanics->drives[i].shares;
        sum += shares[one] * shares[other];
    }
    return sum;
}

// Push a carriage back to its stop; returns whether it was beyond it
static int
hold_back(struct mechanics *mechanics, const struct stop *stop)
{
    size_t index = stop->carriage;
    double beyond_mm = carriage_free_position_mm(mechanics, index)
        - mechanics->carriages[index].held_back_mm - stop->at_mm;
    if (stop->is_at_max ? beyond_mm <= 0.0 : beyond_mm >= 0.0)
        return 0;
    double own = give(mechanics, index, index);
    for (size_t i = 0; i < mechanics->carriage_count; i++)
        mechanics->carriages[i].held_back_mm +=
            beyond_mm * give(mechanics, i, index) / own;
    return 1;
}

// Returns whether any carriage is at its stop
static int
hold_all_back(struct mechanics *mechanics)
{
    int is_held = 0, is_beyond = 1;
    for (size_t i = 0; i < mechanics->carriage_count; i++)
        mechanics->carriages[i].held_back_mm = 0.0;
    for (int round = 0; is_beyond && round < ROUNDS_MAX; round++) {
        is_beyond = 0;
        for (size_t i = 0; i < mechanics->stop_count; i++)
            is_beyond |= hold_back(mechanics, &mechanics->stops[i]);
        is_held |= is_beyond;
    }
    return is_held;
}

// Its pulses against where its belt is held
static double
lag_mm(struct motor *motor)
{
    const struct mechanics *mechanics = motor->mechanics;
    double belt_mm = 0.0;
    for (size_t i = 0; i < mechanics->carriage_count; i++)
        if (motor->moves[i] != 0.0)
            belt_mm += motor->moves[i]
                * (carriage_free_position_mm(motor->mechanics, i)
                   - mechanics->carriages[i].held_back_mm);
    return motor->start_mm + motor_free_travel_mm(motor) - belt_mm;
}

// By how many periods a motor is held back, none if it is not
static double
held_periods(struct motor *motor)
{
    if (!is_pressed(motor))
        return 0.0;
    double lag = lag_mm(motor);
    return lag * pressed_mm(motor) > 0.0
        ? lag / (SLIP_FULL_STEPS * full_step_mm(motor))
        : 0.0;
}

// Let those that are held back most fall behind, if that is too much for
// them; others may be free then.  Returns whether any did.
static int
slip(struct mechanics *mechanics)
{
    double most = HELD_PERIODS_MAX;
    for (size_t i = 0; i < mechanics->motor_count; i++) {
        struct motor *motor = &mechanics->motors[i];
        motor->held_periods = held_periods(motor);
        most = fmax(most, fabs(motor->held_periods));
    }
    if (most <= HELD_PERIODS_MAX)
        return 0;
    for (size_t i = 0; i < mechanics->motor_count; i++) {
        struct motor *motor = &mechanics->motors[i];
        if (fabs(motor->held_periods) >= most - HELD_PERIODS_ALIKE)
            motor->slip_mm += copysign(SLIP_FULL_STEPS * full_step_mm(motor),
                                       motor->held_periods);
    }
    return 1;
}

void
stops_settle(struct mechanics *mechanics, int64_t time_ns)
{
    for (size_t i = 0; i < mechanics->motor_count; i++) {
        struct motor *motor = &mechanics->motors[i];
        if (motor->is_stoppable && motor->driver)
            motor->driver->catch_up_to(motor->driver, time_ns);
    }
    while (hold_all_back(mechanics) && slip(mechanics))
        ;
}

double
motor_lag_mm(struct motor *motor)
{
    if (!motor->is_stoppable)
        return 0.0;
    stops_settle(motor->mechanics, motor->mechanics->timeline->now_ns);
    return is_pressed(motor) ? lag_mm(motor) : 0.0;
}

const char *
stops_prepare(struct mechanics *mechanics)
{
    for (size_t i = 0; i < mechanics->stop_count; i++) {
        size_t index = mechanics->stops[i].carriage;
        if (give(mechanics, index, index) == 0.0)
            return "a stop is for a carriage that no stepper moves";
        for (size_t j = 0; j < mechanics->motor_count; j++)
            if (mechanics->motors[j].moves[index] != 0.0)
                mechanics->motors[j].is_stoppable = 1;
    }
    return NULL;
}
