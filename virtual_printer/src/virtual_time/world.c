// The simulation as the scheduler sees it: events, and links that deliver
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"
#include "../simulation/simulation.h"

#include <stdio.h>

static struct simulation *simulation;

// Load the description of the machine, if there is one
void
world_setup(const char *description_path)
{
    if (description_path == NULL)
        return;
    char error[512];
    simulation = simulation_load(description_path, error, sizeof(error));
    if (simulation == NULL)
        report_bad_setup("%s", error);
}

// The simulation; NULL if the process runs without one
struct simulation *
world_simulation(void)
{
    return simulation;
}

// Instant of the simulation's next event
int64_t
world_next_event_ns(void)
{
    return simulation != NULL ? simulation_next_event(simulation) : NEVER_NS;
}

// Run the simulation to a limit, or to the first bytes for the host
int64_t
world_advance(int64_t limit_ns)
{
    return simulation_advance(simulation, limit_ns);
}

// Wake the threads that wait for a link which has something for them, as
// soon as the host's kernel would
void
world_deliver(int64_t time_ns)
{
    if (!slot_any_waiting(WAIT_DESCRIPTORS))
        return;
    for (int i = 0; i < slot_count(); i++) {
        struct slot *slot = slot_at(i);
        if (slot->is_delivery_pending || !waiting_has_link_ready(slot))
            continue;
        slot->is_delivery_pending = true;
        int64_t wake_ns = time_ns + host_latency_draw_ns();
        if (wake_ns < slot->wake_ns)
            slot->wake_ns = wake_ns;
    }
}

// Run the simulation up to now
void
world_catch_up(void)
{
    while (world_next_event_ns() <= clock_now_ns())
        world_deliver(world_advance(clock_now_ns()));
}

// Index of the link behind a device path, -1 if it is none
int
world_find_link(const char *path)
{
    if (simulation == NULL || path == NULL)
        return -1;
    return simulation_find_link(simulation, path);
}

// Answer a request of the driver about the simulation
void
world_control(const char *request, char *reply, size_t reply_size)
{
    if (simulation == NULL) {
        snprintf(reply, reply_size, "error there is no simulation");
        return;
    }
    world_catch_up();
    simulation_control(simulation, clock_now_ns(), request, reply, reply_size);
    world_deliver(clock_now_ns());
}
