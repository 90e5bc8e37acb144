// What the parts of one simulation share
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef MACHINE_H
#define MACHINE_H

#include "../core/events.h" // struct event_queue
#include "../mechanics/mechanics.h" // struct mechanics
#include "../simulation.h" // struct simulation

#pragma GCC visibility push(hidden)

struct action;
struct can_bus;
struct can_socket;

struct simulation {
    struct event_queue events;
    int64_t now_ns;
    uint64_t seed;
    // Something reached the host and the host was not told yet
    int is_host_due;
    struct mcu **mcus;
    size_t mcu_count;
    struct can_bus **can_buses;
    size_t can_bus_count;
    struct can_socket **can_sockets;
    size_t can_socket_count;
    struct mechanics mechanics;
    // Requests that wait for their time
    struct action *actions;
};

// Allocate zeroed memory; never returns NULL
void *allocate(size_t count, size_t size);

// Add an element of the given size to an array and return its address
void *array_grow(void *array_pointer, size_t *count, size_t size);

char *copy_string(const char *text);

// Run everything that is due up to now_ns
void simulation_catch_up(struct simulation *sim, int64_t now_ns);

struct mcu *simulation_find_mcu(struct simulation *sim, const char *name);

// description.c
int description_read(struct simulation *sim, const char *path
                     , char *error, size_t error_size);

// faults.c
void actions_free(struct simulation *sim);

#pragma GCC visibility pop

#endif // machine.h
