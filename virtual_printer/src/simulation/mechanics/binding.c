// A gantry that binds: skewed too far, its motors lose steps
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "binding.h" // struct binding
#include <math.h> // fabs
#include <stdlib.h> // free
#include "../core/memory.h" // allocate
#include "../core/timeline.h" // struct timeline

#define LOOK_EVERY_NS INT64_C(1000000)
#define SKIPPED_FULL_STEPS 4

// How far each corner is out of the plane that all of them are nearest to.  Two
// have none: there it is how far they are from being level.  Three always have.
static void
out_of_plane(const struct mechanics *mechanics, const double *heights_mm,
             double *out_mm)
{
    struct carriage *const *lifts = mechanics->lifts;
    size_t count = mechanics->lift_count;
    double signs[GANTRY_LIFTS_MAX], twist_mm = 0.0;
    for (size_t i = 0; i < count; i++) {
        int is_diagonal = lifts[i]->x_mm != lifts[0]->x_mm
            && lifts[i]->y_mm != lifts[0]->y_mm;
        signs[i] = i == 0 || (count == 4 && is_diagonal) ? 1.0 : -1.0;
        twist_mm += signs[i] * heights_mm[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++)
        out_mm[i] = count == 2 || count == 4 ? signs[i] * twist_mm : 0.0;
}

// The one motor of a lift, NULL if it has none or several
static struct motor *
lifting_motor(struct mechanics *mechanics, size_t lift)
{
    size_t index = (size_t)(mechanics->lifts[lift] - mechanics->carriages);
    struct motor *found = NULL;
    for (size_t i = 0; i < mechanics->motor_count; i++) {
        struct motor *motor = &mechanics->motors[i];
        if (motor->moves[index] == 0.0)
            continue;
        if (found)
            return NULL;
        found = motor;
    }
    return found;
}

// The one that gives way is the one that is moving, or the first
static size_t
weakest(struct binding *binding, struct motor *const *motors)
{
    size_t found = 0;
    for (size_t i = binding->mechanics->lift_count; i-- > 0;)
        if (motors[i] && motors[i]->pulses != binding->last_pulses[i])
            found = i;
    return found;
}

static void
give_way(struct binding *binding, struct motor *const *motors,
         const double *out_mm)
{
    size_t lift = weakest(binding, motors);
    struct motor *motor = motors[lift];
    if (!motor)
        return;
    size_t index = (size_t)(binding->mechanics->lifts[lift]
                            - binding->mechanics->carriages);
    double way_mm =
        SKIPPED_FULL_STEPS * motor->step_dist_mm * (double)motor->microsteps;
    motor->slip_mm += copysign(way_mm, out_mm[lift] * motor->moves[index]);
    binding->skips[lift]++;
}

static void
look_event(struct event *event)
{
    struct binding *binding = container_of(event, struct binding, event);
    struct mechanics *mechanics = binding->mechanics;
    double heights_mm[GANTRY_LIFTS_MAX], out_mm[GANTRY_LIFTS_MAX];
    struct motor *motors[GANTRY_LIFTS_MAX];
    for (size_t i = 0; i < mechanics->lift_count; i++) {
        heights_mm[i] = carriage_position_mm(mechanics, mechanics->lifts[i]);
        motors[i] = lifting_motor(mechanics, i);
    }
    out_of_plane(mechanics, heights_mm, out_mm);
    double force_n = mechanics->lift_count
        ? fabs(out_mm[0]) * binding->stiffness_n_per_mm
        : 0.0;
    binding->greatest_n = fmax(binding->greatest_n, force_n);
    if (force_n > binding->holding_n)
        give_way(binding, motors, out_mm);
    for (size_t i = 0; i < mechanics->lift_count; i++)
        binding->last_pulses[i] = motors[i] ? motors[i]->pulses : 0;
    event_schedule(&binding->timeline->events, &binding->event,
                   binding->timeline->now_ns + LOOK_EVERY_NS);
}

struct binding *
binding_start(struct mechanics *mechanics, struct timeline *timeline,
              double stiffness_n_per_mm, double holding_n)
{
    struct binding *binding = allocate(1, sizeof(*binding));
    binding->event.run = look_event;
    binding->mechanics = mechanics;
    binding->timeline = timeline;
    binding->stiffness_n_per_mm = stiffness_n_per_mm;
    binding->holding_n = holding_n;
    event_schedule(&timeline->events, &binding->event, LOOK_EVERY_NS);
    return binding;
}

void
binding_free(struct binding *binding)
{
    if (!binding)
        return;
    event_cancel(&binding->timeline->events, &binding->event);
    free(binding);
}
