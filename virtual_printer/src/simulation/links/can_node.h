// A micro-controller on a CAN bus, as Klipper's firmware does it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CAN_NODE_H
#define CAN_NODE_H

#include "can_bus.h" // struct can_station

#pragma GCC visibility push(hidden)

struct mcu;

enum { CAN_UUID_SIZE = 6 };

struct can_node {
    struct can_station station;
    struct mcu *mcu;
    uint8_t uuid[CAN_UUID_SIZE];
    // Identifier that it listens to and sends with the next one; zero until
    // the host has assigned it
    uint32_t assigned_id;
    struct byte_queue unsent; // bytes for the host, not in frames yet
    struct event packing;
};

struct can_node *can_node_create(struct mcu *mcu, struct can_bus *bus
                                 , const uint8_t uuid[CAN_UUID_SIZE]);
void can_node_free(struct can_node *node);

// Send bytes of the message protocol
void can_node_send(struct can_node *node, const uint8_t *data, size_t size);

// Forget the assigned identifier, as a restart does
void can_node_reset(struct can_node *node);
void can_node_set_unplugged(struct can_node *node, int is_unplugged);

#pragma GCC visibility pop

#endif // can_node.h
