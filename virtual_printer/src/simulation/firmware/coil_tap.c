// A nozzle that touches the bed, in what a coil beside it measures
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

// Towards the bed the frequency rises faster and faster, until the nozzle
// stands on it.

#include <string.h> // memset
#include "coil_tap.h" // struct tap_filter

enum { B0, B1, B2, A0, A1, A2 };

void
tap_filter_restart(struct tap_filter *filter)
{
    memset(filter->state, 0, sizeof(filter->state));
}

// Sections in the second direct form; A0 is one
float
tap_filter_apply(struct tap_filter *filter, float value)
{
    for (uint32_t i = 0; i < filter->section_count; i++) {
        const float *by = filter->sections[i];
        float *state = filter->state[i];
        float now = value - by[A1] * state[0] - by[A2] * state[1];
        value = by[B0] * now + by[B1] * state[0] + by[B2] * state[1];
        state[1] = state[0];
        state[0] = now;
    }
    return value;
}

int
tap_peak_add(struct tap_peak *peak, double value, uint32_t clock)
{
    double last = peak->last;
    peak->last = value;
    if (value > last) {
        peak->peak = value;
        peak->peak_clock = clock;
        return 0;
    }
    return value < last && peak->peak - value >= peak->threshold;
}

// The newest value weighs most
static uint32_t
weighted_mean(const struct tap_slope *slope)
{
    uint64_t sum = 0, weights = 0;
    for (uint32_t i = 0; i < TAP_VALUES; i++) {
        uint32_t weight = i + 1;
        sum +=
            (uint64_t)slope->values[(slope->count + i) % TAP_VALUES] * weight;
        weights += weight;
    }
    return (uint32_t)(sum / weights);
}

int32_t
tap_slope_add(struct tap_slope *slope, uint32_t value)
{
    slope->values[slope->count % TAP_VALUES] = value;
    int32_t *rise = &slope->rises[slope->count % TAP_RISES];
    slope->count++;
    uint32_t mean = weighted_mean(slope);
    *rise = (int32_t)(mean - slope->mean);
    slope->mean = mean;
    int32_t sum = 0;
    for (int i = 0; i < TAP_RISES; i++)
        sum = (int32_t)((uint32_t)sum + (uint32_t)slope->rises[i]);
    return sum / TAP_RISES;
}
