// The host's adapter on a CAN bus
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "can_host.h" // struct can_host

// Streams of random numbers besides those of the buses
#define HOST_RANDOM_PURPOSE ((uint64_t)1 << 41)

// What Klipper's documentation sets the interface's queue to
enum { QUEUE_LENGTH = 128 };

struct can_parcel {
    int origin; // the socket that it comes from, if any
    struct can_message message;
};


/****************************************************************
 * Between the sockets and the bus
 ****************************************************************/

static void
send_parcel(struct delay_line *line, int origin,
            const struct can_message *message)
{
    struct can_parcel parcel = { .origin = origin, .message = *message };
    delay_line_send(line, &parcel, sizeof(parcel),
                    line->timeline->now_ns + delay_line_draw_ns(line));
}

static void
deliver_to_bus(struct delay_line *line, const uint8_t *data, size_t size)
{
    struct can_host *host = container_of(line, struct can_host, to_bus);
    struct can_parcel parcel;
    memcpy(&parcel, data, size);
    byte_queue_append(&host->origins, &parcel.origin, sizeof(parcel.origin));
    can_station_send(&host->station, &parcel.message);
}

static void
deliver_to_sockets(struct delay_line *line, const uint8_t *data, size_t size)
{
    struct can_host *host = container_of(line, struct can_host, to_sockets);
    struct can_parcel parcel;
    memcpy(&parcel, data, size);
    host->receiver->receive(host->receiver, host->station.bus, parcel.origin,
                            &parcel.message);
}

static void
host_receive(struct can_station *station, const struct can_message *message)
{
    struct can_host *host = container_of(station, struct can_host, station);
    send_parcel(&host->to_sockets, NO_SOCKET, message);
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
        send_parcel(&host->to_sockets, origin, message);
}

int
can_host_send(struct can_host *host, int origin,
              const struct can_message *message)
{
    size_t waiting = can_station_waiting(&host->station)
        + host->to_bus.bytes.size / sizeof(struct can_parcel);
    if (waiting >= QUEUE_LENGTH)
        return -1;
    send_parcel(&host->to_bus, origin, message);
    return 0;
}


/****************************************************************
 * Life cycle
 ****************************************************************/

struct can_host *
can_host_create(struct can_bus *bus, size_t index,
                struct can_receiver *receiver)
{
    struct can_host *host = allocate(1, sizeof(*host));
    can_station_join(&host->station, bus, "host");
    host->station.receive = host_receive;
    host->station.sent = host_sent;
    uint64_t purpose = HOST_RANDOM_PURPOSE + 2 * index;
    delay_line_init(&host->to_bus, bus->timeline, purpose);
    delay_line_init(&host->to_sockets, bus->timeline, purpose + 1);
    host->to_bus.deliver = deliver_to_bus;
    host->to_sockets.deliver = deliver_to_sockets;
    host->receiver = receiver;
    return host;
}

void
can_host_free(struct can_host *host)
{
    delay_line_release(&host->to_bus);
    delay_line_release(&host->to_sockets);
    free(host->origins.storage);
    free(host->station.messages.storage);
    free(host);
}
