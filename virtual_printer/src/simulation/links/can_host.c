// The host's adapter on a CAN bus
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "can_host.h" // struct can_host
#include "../description/machine.h" // struct simulation

// Streams of random numbers besides those of the buses
#define HOST_RANDOM_PURPOSE ((uint64_t)1 << 41)

// What Klipper's documentation sets the interface's queue to
enum { QUEUE_LENGTH = 128 };

struct can_parcel {
    int64_t time_ns;
    int origin; // the socket that it comes from, if any
    struct can_message message;
};


/****************************************************************
 * Between the sockets and the bus
 ****************************************************************/

static void
passage_send(struct can_passage *passage, int origin
             , const struct can_message *message)
{
    struct can_host *host = passage->host;
    struct simulation *sim = host->station.bus->sim;
    struct can_parcel parcel = { .origin = origin, .message = *message };
    parcel.time_ns = sim->now_ns + passage->delay_ns
        + random_below(&passage->random, host->jitter_ns + 1);
    if (parcel.time_ns < passage->last_arrival_ns)
        parcel.time_ns = passage->last_arrival_ns;
    passage->last_arrival_ns = parcel.time_ns;
    if (!passage->parcels.size)
        event_schedule(&sim->events, &passage->arrival, parcel.time_ns);
    byte_queue_append(&passage->parcels, &parcel, sizeof(parcel));
}

static void
arrival_event(struct event *event)
{
    struct can_passage *passage = container_of(event, struct can_passage
                                               , arrival);
    struct simulation *sim = passage->host->station.bus->sim;
    while (passage->parcels.size) {
        struct can_parcel parcel;
        memcpy(&parcel, byte_queue_front(&passage->parcels), sizeof(parcel));
        if (parcel.time_ns > sim->now_ns) {
            event_schedule(&sim->events, event, parcel.time_ns);
            return;
        }
        byte_queue_consume(&passage->parcels, sizeof(parcel));
        passage->deliver(passage->host, parcel.origin, &parcel.message);
    }
}

static void
deliver_to_bus(struct can_host *host, int origin, struct can_message *message)
{
    byte_queue_append(&host->origins, &origin, sizeof(origin));
    can_station_send(&host->station, message);
}

static void
host_receive(struct can_station *station, const struct can_message *message)
{
    struct can_host *host = container_of(station, struct can_host, station);
    passage_send(&host->to_sockets, NO_SOCKET, message);
}

// What one socket has sent, the others see once it has been on the bus
static void
host_sent(struct can_station *station, const struct can_message *message)
{
    struct can_host *host = container_of(station, struct can_host, station);
    int origin;
    memcpy(&origin, byte_queue_front(&host->origins), sizeof(origin));
    byte_queue_consume(&host->origins, sizeof(origin));
    if (origin != NO_SOCKET)
        passage_send(&host->to_sockets, origin, message);
}

int
can_host_send(struct can_host *host, int origin
              , const struct can_message *message)
{
    size_t waiting = can_station_waiting(&host->station)
        + host->to_bus.parcels.size / sizeof(struct can_parcel);
    if (waiting >= QUEUE_LENGTH)
        return -1;
    passage_send(&host->to_bus, origin, message);
    return 0;
}

static void
deliver_to_sockets(struct can_host *host, int origin
                   , struct can_message *message)
{
    can_sockets_receive(host->station.bus, origin, message);
}


/****************************************************************
 * Life cycle
 ****************************************************************/

static void
passage_init(struct can_passage *passage, struct can_host *host
             , uint64_t purpose)
{
    passage->host = host;
    passage->arrival.run = arrival_event;
    random_init(&passage->random, host->station.bus->sim->seed, purpose);
}

struct can_host *
can_host_create(struct can_bus *bus, size_t index)
{
    struct can_host *host = allocate(1, sizeof(*host));
    can_station_join(&host->station, bus, "host");
    host->station.receive = host_receive;
    host->station.sent = host_sent;
    passage_init(&host->to_bus, host, HOST_RANDOM_PURPOSE + 2 * index);
    passage_init(&host->to_sockets, host
                 , HOST_RANDOM_PURPOSE + 2 * index + 1);
    host->to_bus.deliver = deliver_to_bus;
    host->to_sockets.deliver = deliver_to_sockets;
    return host;
}

void
can_host_free(struct can_host *host)
{
    struct event_queue *events = &host->station.bus->sim->events;
    event_cancel(events, &host->to_bus.arrival);
    event_cancel(events, &host->to_sockets.arrival);
    free(host->to_bus.parcels.storage);
    free(host->to_sockets.parcels.storage);
    free(host->origins.storage);
    free(host->station.messages.storage);
    free(host);
}
