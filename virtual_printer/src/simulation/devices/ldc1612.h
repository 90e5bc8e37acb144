// LDC1612 with a coil over the bed
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef LDC1612_H
#define LDC1612_H

#include "../core/pin.h" // struct i2c_device
#include "../core/random_stream.h" // struct random_stream
#include "../core/timeline.h" // struct timeline
#include "../mechanics/mechanics.h" // struct sensor
#include "../thermal/thermal.h" // struct body
#include "sensing.h" // struct sensing

#pragma GCC visibility push(hidden)

#define COIL_NOMINAL_C 25.0

struct ldc1612 {
    const struct timeline *timeline;
    struct mechanics *mechanics;
    struct random_stream random;
    struct sensor place; // of the coil beside the nozzle
    struct sensing sensing;
    double coil_height_mm; // over the nozzle
    double coil_hz; // far from any metal, at COIL_NOMINAL_C
    // Eddy currents in the bed make it faster: by this share where it touches
    // the bed, by a quarter of that this far from it
    double gain, range_mm;
    // What it is as warm as, NULL if that makes no difference
    struct body *body;
    double drift_per_k;
    double noise_hz;
    double clock_hz; // nominal
    double clock_factor; // of its own clock

    struct i2c_device i2c;
    struct pin_source interrupt; // low while there is a result
    uint16_t registers[128];
    int is_converting;
    double period_ns;
    int64_t start_ns, taken_count; // conversions since the start
    int64_t noted_count; // by the interrupt pin
    uint16_t result_low; // that goes with the upper half that was read
};

struct ldc1612 *ldc1612_create(void);
void ldc1612_free(struct ldc1612 *ldc1612);

#pragma GCC visibility pop

#endif // ldc1612.h
