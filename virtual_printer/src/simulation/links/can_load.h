// Foreign frames that keep a CAN bus busy
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CAN_LOAD_H
#define CAN_LOAD_H

#include "can_bus.h" // struct can_station

#pragma GCC visibility push(hidden)

struct can_load {
    struct can_station station;
    struct event next;
    struct random_stream random;
    double share; // of the bus's time
    uint32_t id;
};

struct can_load *can_load_create(struct can_bus *bus, size_t index);
void can_load_set(struct can_load *load, double share, uint32_t id);
void can_load_free(struct can_load *load);

#pragma GCC visibility pop

#endif // can_load.h
