// How the toolhead vibrates when its motors move
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "mechanics.h" // mechanics_toolhead
#include "vibration.h" // struct vibration

#define PI 3.14159265358979323846
// A rotor in its field swings at some 100 Hz to 400 Hz
#define MOTOR_HZ 300.0
#define MOTOR_DAMPING 0.7
enum { SERIES_TERMS = 40 };


/****************************************************************
 * Oscillators: exact for another end that moves at a constant speed
 * during each step
 ****************************************************************/

// Sum up the series of the matrix exponential of {{0, 1}, {-1, -2*damping}}
// times the angle; it needs no libm and so is the same on all machines
static void
oscillator_prepare(struct oscillator_step *step, double frequency_hz,
                   double damping, double step_s)
{
    step->angular_frequency = 2.0 * PI * frequency_hz;
    step->damping = damping;
    step->step_angle = step->angular_frequency * step_s;
    for (int column = 0; column < 2; column++) {
        double term[2] = { column == 0, column == 1 };
        double sum[2] = { term[0], term[1] };
        for (int i = 1; i <= SERIES_TERMS; i++) {
            double factor = step->step_angle / i, first = term[0];
            term[0] = factor * term[1];
            term[1] = factor * (-first - 2.0 * damping * term[1]);
            sum[0] += term[0];
            sum[1] += term[1];
        }
        step->transfer[0][column] = sum[0];
        step->transfer[1][column] = sum[1];
    }
}

static void
oscillator_rest(struct oscillator *oscillator, double base_mm)
{
    oscillator->position_mm = oscillator->base_mm = base_mm;
    oscillator->speed = 0.0;
}

static void
oscillator_advance(struct oscillator *oscillator,
                   const struct oscillator_step *step, double base_mm)
{
    // Behind an end of constant speed it comes to lag by a constant
    double base_speed = (base_mm - oscillator->base_mm) / step->step_angle;
    double lag_mm = 2.0 * step->damping * base_speed;
    double off_mm = oscillator->position_mm - oscillator->base_mm + lag_mm;
    double off_speed = oscillator->speed - base_speed;
    oscillator->position_mm = base_mm - lag_mm + step->transfer[0][0] * off_mm
        + step->transfer[0][1] * off_speed;
    oscillator->speed = base_speed + step->transfer[1][0] * off_mm
        + step->transfer[1][1] * off_speed;
    oscillator->base_mm = base_mm;
}


/****************************************************************
 * The toolhead
 ****************************************************************/

static void
find_toolhead(struct mechanics *mechanics, double *position_mm)
{
    double weights[GANTRY_LIFTS_MAX];
    mechanics_toolhead(mechanics, &position_mm[AXIS_X], &position_mm[AXIS_Y]);
    gantry_weights(mechanics, position_mm[AXIS_X], position_mm[AXIS_Y],
                   weights);
    position_mm[AXIS_Z] = gantry_height_mm(mechanics, weights);
}

void
vibration_begin(struct vibration *vibration, struct mechanics *mechanics,
                double step_s)
{
    double position_mm[VIBRATION_AXES];
    vibration->mechanics = mechanics;
    find_toolhead(mechanics, position_mm);
    for (int i = 0; i < VIBRATION_AXES; i++) {
        struct axis_vibration *axis = &vibration->axes[i];
        const struct resonance *resonance = &mechanics->resonances[i];
        oscillator_prepare(&axis->motor_step, MOTOR_HZ, MOTOR_DAMPING, step_s);
        oscillator_prepare(&axis->toolhead_step, resonance->frequency_hz,
                           resonance->damping, step_s);
        oscillator_rest(&axis->motor, position_mm[i]);
        oscillator_rest(&axis->toolhead, position_mm[i]);
    }
}

void
vibration_step(struct vibration *vibration)
{
    double position_mm[VIBRATION_AXES];
    find_toolhead(vibration->mechanics, position_mm);
    for (int i = 0; i < VIBRATION_AXES; i++) {
        struct axis_vibration *axis = &vibration->axes[i];
        oscillator_advance(&axis->motor, &axis->motor_step, position_mm[i]);
        oscillator_advance(&axis->toolhead, &axis->toolhead_step,
                           axis->motor.position_mm);
    }
}

double
vibration_acceleration(const struct vibration *vibration, int axis)
{
    const struct oscillator *toolhead = &vibration->axes[axis].toolhead;
    const struct oscillator_step *step = &vibration->axes[axis].toolhead_step;
    return step->angular_frequency * step->angular_frequency
        * (toolhead->base_mm - toolhead->position_mm
           - 2.0 * step->damping * toolhead->speed);
}
