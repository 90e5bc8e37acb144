// The host on a CAN bus: its adapter, and the sockets behind it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CAN_HOST_H
#define CAN_HOST_H

#include "can_bus.h" // struct can_station

#pragma GCC visibility push(hidden)

// Messages on their way between the sockets and the bus
struct can_passage {
    struct can_host *host;
    struct event arrival;
    struct byte_queue parcels; // of struct can_parcel
    struct random_stream random;
    int64_t delay_ns, last_arrival_ns;
    void (*deliver)(struct can_host *host, int origin
                    , struct can_message *message);
};

struct can_host {
    struct can_station station;
    struct can_passage to_bus, to_sockets;
    int64_t jitter_ns;
    // Sockets that the station's messages came from, in the same order
    struct byte_queue origins;
};

// Origin of what comes from the bus, and of what no other socket is to see
enum { NO_SOCKET = -1 };

struct can_host *can_host_create(struct can_bus *bus, size_t index);
void can_host_free(struct can_host *host);

// Send what comes from a socket; returns -1 if the queue is full
int can_host_send(struct can_host *host, int origin
                  , const struct can_message *message);

// can_sockets.c
void can_sockets_receive(struct can_bus *bus, int origin
                         , struct can_message *message);
void can_sockets_free(struct simulation *sim);

#pragma GCC visibility pop

#endif // can_host.h
