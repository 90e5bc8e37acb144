// A gantry that binds: skewed too far, its motors lose steps
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef BINDING_H
#define BINDING_H

#include "../core/events.h" // struct event
#include "mechanics.h" // GANTRY_LIFTS_MAX

#pragma GCC visibility push(hidden)

struct timeline;

// What a corner bears grows with how far it is out of the others' plane.  A
// motor that would have to hold more gives way by four full steps, which is
// how far it is to where its field holds it again.
struct binding {
    struct event event;
    struct mechanics *mechanics;
    struct timeline *timeline;
    double stiffness_n_per_mm, holding_n;
    double greatest_n;
    int64_t last_pulses[GANTRY_LIFTS_MAX];
    uint32_t skips[GANTRY_LIFTS_MAX];
};

// Look at the gantry of these mechanics from now on
struct binding *binding_start(struct mechanics *mechanics,
                              struct timeline *timeline,
                              double stiffness_n_per_mm, double holding_n);
void binding_free(struct binding *binding);

#pragma GCC visibility pop

#endif // binding.h
