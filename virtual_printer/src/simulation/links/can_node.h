// A node on a CAN bus, as Klipper's firmware does it: transport of a link
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CAN_NODE_H
#define CAN_NODE_H

#include "can_bus.h" // struct can_station
#include "link.h" // struct transport

#pragma GCC visibility push(hidden)

enum { CAN_UUID_SIZE = 6 };

struct can_node {
    struct transport transport;
    struct can_station station;
    uint8_t uuid[CAN_UUID_SIZE];
    // Identifier that it listens to and sends with the next one; zero until
    // the host has assigned it
    uint32_t assigned_id;
    struct byte_queue unsent; // bytes for the host, not in frames yet
    struct event packing;
};

struct can_node *can_node_create(struct link *link, struct can_bus *bus,
                                 const char *name,
                                 const uint8_t uuid[CAN_UUID_SIZE]);
// The node of a link, NULL if it is on no bus
struct can_node *can_node_of(const struct link *link);

// Number that the host has assigned
uint32_t can_node_number(const struct can_node *node);

#pragma GCC visibility pop

#endif // can_node.h
