// Fans with a tachometer
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef FAN_H
#define FAN_H

#include "../core/pin.h" // struct pin_load

#pragma GCC visibility push(hidden)

struct timeline;

struct fan {
    struct fan *next; // of the same machine
    struct pin_load load;
    struct pin_source tachometer;
    const struct timeline *timeline;
    struct pin *tachometer_pin;
    int is_inverted; // at rest while its pin is high
    double edges_per_s_max; // of the tachometer at full speed
    double spin_up_s; // in which the difference to a new speed falls to 1/e

    // Since the last change: speeds are shares of the full one
    double target, speed, edges;
    int64_t change_ns;
};

// Connect a fan whose fields above are set
void fan_connect(struct fan *fan, struct pin *pin, struct pin *tachometer_pin);

#pragma GCC visibility pop

#endif // fan.h
