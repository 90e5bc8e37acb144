// A nozzle that touches the bed, in what a coil beside it measures
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef COIL_TAP_H
#define COIL_TAP_H

#include <stdint.h> // uint32_t

#pragma GCC visibility push(hidden)

// A filter of second order sections in floating point: b0 b1 b2 a0 a1 a2
enum { TAP_SECTIONS_MAX = 4, TAP_COEFFICIENTS = 6 };
struct tap_filter {
    uint32_t section_count;
    float sections[TAP_SECTIONS_MAX][TAP_COEFFICIENTS];
    float state[TAP_SECTIONS_MAX][2];
};
void tap_filter_restart(struct tap_filter *filter);
float tap_filter_apply(struct tap_filter *filter, float value);

// What a tap is seen by: a measure that has risen to a peak falls by so much
struct tap_peak {
    double threshold, peak, last;
    uint32_t peak_clock;
};
// Add a value, falling or not compared with the last one; whether this is a tap
int tap_peak_add(struct tap_peak *peak, double value, uint32_t clock);

// How fast the weighted mean of the last values rises, smoothed
enum { TAP_VALUES = 16, TAP_RISES = 4 };
struct tap_slope {
    uint32_t values[TAP_VALUES];
    int32_t rises[TAP_RISES];
    uint32_t count; // of all values so far
    uint32_t mean;
};
int32_t tap_slope_add(struct tap_slope *slope, uint32_t value);

#pragma GCC visibility pop

#endif // coil_tap.h
