// The host on a CAN bus: its adapter, and the sockets behind it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CAN_HOST_H
#define CAN_HOST_H

#include "can_bus.h" // struct can_station
#include "delay_line.h" // struct delay_line

#pragma GCC visibility push(hidden)

// Takes what the adapters hand to the host's programs, part of its owner
struct can_receiver {
    void (*receive)(struct can_receiver *receiver, struct can_bus *bus,
                    int origin, struct can_message *message);
};

struct can_host {
    struct can_station station;
    struct delay_line to_bus, to_sockets; // of struct can_parcel
    struct can_receiver *receiver;
    // Sockets that the station's messages came from, in the same order
    struct byte_queue origins;
};

// Origin of what comes from the bus, and of what no other socket is to see
enum { NO_SOCKET = -1 };

struct can_host *can_host_create(struct can_bus *bus, size_t index,
                                 struct can_receiver *receiver);
void can_host_free(struct can_host *host);

// Send what comes from a socket; returns -1 if the queue is full
int can_host_send(struct can_host *host, int origin,
                  const struct can_message *message);

#pragma GCC visibility pop

#endif // can_host.h
