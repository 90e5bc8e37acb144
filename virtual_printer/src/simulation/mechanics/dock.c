// A dock that holds a probe while the toolhead does without
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <math.h> // hypot
#include "mechanics.h" // struct dock

// How near the toolhead has to come for the magnets to meet
#define REACH_MM 1.0
// How far from the way out it may go and still leave the probe behind (cosine)
#define ASIDE 0.7
// A toolhead turns round at a dock, and is there for some 40 ms at least
#define LOOK_NS (5 * 1000 * 1000)

static int
is_leaving_it(const struct dock *dock, double dx_mm, double dy_mm)
{
    double out_x_mm = dock->detach_x_mm - dock->x_mm;
    double out_y_mm = dock->detach_y_mm - dock->y_mm;
    return dx_mm * out_x_mm + dy_mm * out_y_mm
        > ASIDE * hypot(dx_mm, dy_mm) * hypot(out_x_mm, out_y_mm);
}

static void
look(struct event *event)
{
    struct dock *dock = container_of(event, struct dock, event);
    double x_mm, y_mm;
    mechanics_toolhead(dock->mechanics, &x_mm, &y_mm);
    double dx_mm = x_mm - dock->x_mm, dy_mm = y_mm - dock->y_mm;
    int is_there = hypot(dx_mm, dy_mm) <= REACH_MM;
    if (is_there)
        dock->is_attached = 1;
    else if (dock->is_there && is_leaving_it(dock, dx_mm, dy_mm))
        dock->is_attached = 0;
    dock->is_there = is_there;
    event_schedule(&dock->timeline->events, event,
                   dock->timeline->now_ns + LOOK_NS);
}

void
dock_watch(struct dock *dock)
{
    dock->event.run = look;
    event_schedule(&dock->timeline->events, &dock->event, LOOK_NS);
}
