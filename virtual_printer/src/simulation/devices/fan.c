// Fans with a tachometer
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <math.h> // exp
#include "../core/events.h" // container_of
#include "../core/timeline.h" // struct timeline
#include "fan.h" // struct fan

// Share of the difference in speed that is left after a time
static double
share_left(const struct fan *fan, int64_t time_ns)
{
    double elapsed_s = (double)(time_ns - fan->change_ns) / NS_PER_S;
    return exp(-elapsed_s / fan->spin_up_s);
}

// Edges of the tachometer until then, which nothing has counted
static double
edges_at(const struct fan *fan, int64_t time_ns)
{
    double elapsed_s = (double)(time_ns - fan->change_ns) / NS_PER_S;
    double lag_s = (fan->speed - fan->target) * fan->spin_up_s
        * (1.0 - share_left(fan, time_ns));
    return fan->edges
        + fan->edges_per_s_max * (fan->target * elapsed_s + lag_s);
}

static int
level_at(struct pin_source *source, int64_t time_ns)
{
    struct fan *fan = container_of(source, struct fan, tachometer);
    return (int)((uint64_t)edges_at(fan, time_ns) & 1);
}

static int
level(struct pin_source *source)
{
    struct fan *fan = container_of(source, struct fan, tachometer);
    return level_at(source, fan->timeline->now_ns);
}

static void
drive(struct pin_load *load, double duty)
{
    struct fan *fan = container_of(load, struct fan, load);
    int64_t now_ns = fan->timeline->now_ns;
    double target = pin_load_share(duty, fan->is_inverted);
    if (target == fan->target)
        return;
    pin_announce(fan->tachometer_pin);
    // Whole turns back, so that the fraction stays exact
    fan->edges = fmod(edges_at(fan, now_ns), 2.0);
    fan->speed =
        fan->target + (fan->speed - fan->target) * share_left(fan, now_ns);
    fan->target = target;
    fan->change_ns = now_ns;
}

void
fan_connect(struct fan *fan, struct pin *pin, struct pin *tachometer_pin)
{
    fan->load.drive = drive;
    pin_load_connect(pin, &fan->load);
    fan->tachometer.level = level;
    fan->tachometer.level_at = level_at;
    fan->tachometer_pin = tachometer_pin;
    tachometer_pin->source = &fan->tachometer;
}
