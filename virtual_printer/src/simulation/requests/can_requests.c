// Requests of a test: disturbances and counters of CAN buses
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <inttypes.h> // PRIu64
#include "../description/description.h" // read_disturbances
#include "../description/machine.h" // struct simulation
#include "../links/can_bus.h" // struct can_bus
#include "control.h" // reply_add

void
request_can_bus(struct simulation *sim, struct words *words,
                struct reply *reply)
{
    (void)reply;
    const char *name = words_item(words, 1, "can_bus");
    int bus = machine_find_can_bus(sim, name);
    if (bus < 0)
        words_fail(words, "unknown can_bus '%s'", name);
    else
        read_disturbances(sim->can_buses[bus], words);
}

static void
add_station(const struct can_station *station, struct reply *reply)
{
    static const char *const states[] = {
        "active",
        "warning",
        "passive",
        "off",
    };
    reply_add(reply,
              " %s.%s.frames=%" PRIu64 " %s.%s.errors=%" PRIu64
              " %s.%s.retransmissions=%" PRIu64 " %s.%s.tec=%d"
              " %s.%s.state=%s",
              station->bus->name, station->name, station->sent_count,
              station->bus->name, station->name, station->error_count,
              station->bus->name, station->name, station->retransmission_count,
              station->bus->name, station->name, station->transmit_error_count,
              station->bus->name, station->name,
              states[can_station_state(station)]);
}

void
request_can_counters(struct simulation *sim, struct words *words,
                     struct reply *reply)
{
    (void)words;
    for (size_t i = 0; i < sim->can_bus_count; i++) {
        const struct can_bus *bus = sim->can_buses[i];
        reply_add(reply,
                  " %s.frames=%" PRIu64 " %s.bits=%" PRIu64
                  " %s.busy_ns=%" PRIu64 " %s.errors=%" PRIu64,
                  bus->name, bus->frame_count, bus->name, bus->bit_count,
                  bus->name, bus->busy_ns, bus->name, bus->error_count);
        for (size_t j = 0; j < bus->station_count; j++)
            add_station(bus->stations[j], reply);
    }
}
