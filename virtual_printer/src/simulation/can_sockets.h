// The host's sockets on CAN buses, for the rest of the simulation
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CAN_SOCKETS_H
#define CAN_SOCKETS_H

#include "links/can_host.h" // struct can_receiver

#pragma GCC visibility push(hidden)

struct simulation;

void can_sockets_receive(struct can_receiver *receiver, struct can_bus *bus,
                         int origin, struct can_message *message);
void can_sockets_free(struct simulation *sim);

#pragma GCC visibility pop

#endif // can_sockets.h
