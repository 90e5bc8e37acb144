// How the toolhead vibrates when its motors move
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef VIBRATION_H
#define VIBRATION_H

#pragma GCC visibility push(hidden)

struct mechanics;

enum { VIBRATION_AXES = 3 };

// A mass on a spring, whose other end moves; damped towards rest
struct oscillator {
    double position_mm, speed; // mm per radian
    double base_mm; // where the other end was last
};

// How an oscillator goes on over one step
struct oscillator_step {
    double angular_frequency, damping; // radians per second, share of critical
    double step_angle; // radians
    double transfer[2][2];
};

// The toolhead along one axis, behind motors that do not jump from one
// step to the next
struct axis_vibration {
    struct oscillator motor, toolhead;
    struct oscillator_step motor_step, toolhead_step;
};

struct vibration {
    struct mechanics *mechanics;
    struct axis_vibration axes[VIBRATION_AXES];
};

// Begin at rest where the toolhead is now
void vibration_begin(struct vibration *vibration, struct mechanics *mechanics,
                     double step_s);
// Go on by one step, to where the toolhead is now
void vibration_step(struct vibration *vibration);
// Acceleration along an axis (mm/s^2)
double vibration_acceleration(const struct vibration *vibration, int axis);

#pragma GCC visibility pop

#endif // vibration.h
