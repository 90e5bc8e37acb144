// What all acceleration sensors have in common: a clock, three axes, a FIFO
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef ACCELEROMETER_H
#define ACCELEROMETER_H

#include "../core/random_stream.h" // struct random_stream
#include "../core/timeline.h" // struct timeline
#include "../mechanics/vibration.h" // struct vibration
#include "register_chip.h" // struct register_chip

#pragma GCC visibility push(hidden)

enum { FIFO_SAMPLES_MAX = 256 };

// How a chip is mounted: the axis of the printer along each of its own
struct mounting {
    int axis; // -1 if there is none
    double direction; // 1 or -1
};

struct accelerometer {
    struct register_chip chip;
    struct timeline *timeline;
    struct mechanics *mechanics;
    struct random_stream random;
    struct mounting mountings[3];
    double noise_g;
    double rate_factor; // of its own clock
    uint8_t device_id;

    // A measurement
    struct event event;
    int is_running;
    double period_ns;
    int64_t start_ns, step_count;
    int steps_per_sample;
    struct vibration vibration;

    // Samples in units of the chip, the oldest first
    int16_t samples[FIFO_SAMPLES_MAX][3];
    size_t first, count, capacity;
    int is_stream; // a full FIFO drops its oldest sample, not the newest
    int is_overrun; // until someone has looked
    size_t lost_count; // since someone has looked
    double units_per_g[3];
    int units_max;
};

// Create a sensor by its name in printer.cfg, NULL if there is none such
struct accelerometer *accelerometer_create(const char *kind);
void accelerometer_free(struct accelerometer *sensor);
void accelerometer_connect(struct accelerometer *sensor,
                           struct timeline *timeline,
                           struct mechanics *mechanics);

// Measure at a rate (0: not at all) into a FIFO, which is empty then
void accelerometer_measure(struct accelerometer *sensor, double rate_hz,
                           size_t capacity, int is_stream);
// How many samples the FIFO holds now
size_t accelerometer_count(struct accelerometer *sensor);
// Take the oldest sample; returns -1 if there is none
int accelerometer_take(struct accelerometer *sensor, int16_t *sample);
void accelerometer_clear(struct accelerometer *sensor);

// One function for each family of chips
struct accelerometer *adxl345_create(void);
struct accelerometer *lis2dw_create(void);
struct accelerometer *lis3dh_create(void);
struct accelerometer *mpu9250_create(void);
struct accelerometer *icm20948_create(void);
struct accelerometer *bmi160_create(void);

#pragma GCC visibility pop

#endif // accelerometer.h
