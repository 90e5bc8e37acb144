// Discrete-event simulation of micro-controllers, their links and a printer
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef SIMULATION_H
#define SIMULATION_H

#include <stddef.h> // size_t
#include <stdint.h> // int64_t
#include "links/can_message.h" // struct can_message

#pragma GCC visibility push(default)

// All times are nanoseconds of virtual time since the start of the
// simulation.  They must never decrease from one call to the next.
// After loading, a simulation reads no clock, no file and no source of
// randomness but its own seeded one, so the same calls always give the
// same bytes.
struct simulation;

// Build a simulation from a description file.  On failure returns NULL
// and stores one line which names the faulty line of the file.
struct simulation *simulation_load(const char *description_path, char *error,
                                   size_t error_size);
void simulation_free(struct simulation *sim);

// Index of the link behind a device path, or -1
int simulation_find_link(struct simulation *sim, const char *device_path);

// Time of the next event, INT64_MAX if there is none
int64_t simulation_next_event(struct simulation *sim);

// Run events in time order up to and including limit_ns.  Returns early
// at the first instant at which bytes or a hang-up reach the host, also
// when that already happened inside another call.  Returns the time
// reached.
int64_t simulation_advance(struct simulation *sim, int64_t limit_ns);

void link_open(struct simulation *sim, int link, int64_t now_ns);
void link_close(struct simulation *sim, int link, int64_t now_ns);
void link_write(struct simulation *sim, int link, const uint8_t *data,
                size_t size, int64_t now_ns);

// Number of bytes that reached the host and were not read yet
size_t link_readable(struct simulation *sim, int link);

// Take up to size bytes that reached the host; returns their number
size_t link_read(struct simulation *sim, int link, uint8_t *data, size_t size);

// Is the device unplugged?  (reads end, poll reports a hang-up)
int link_is_hung_up(struct simulation *sim, int link);

// Index of the CAN bus of a name, or -1; and the other way round, or NULL
int simulation_find_can_bus(struct simulation *sim, const char *name);
const char *simulation_can_bus_name(struct simulation *sim, int bus);

// Sockets of the host's.  They receive nothing until they are bound to a
// bus, and then all that others send on it.
int can_socket_open(struct simulation *sim);
void can_socket_close(struct simulation *sim, int socket);
void can_socket_bind(struct simulation *sim, int socket, int bus);
void can_socket_set(struct simulation *sim, int socket,
                    enum can_socket_option option, int value);
void can_socket_filter(struct simulation *sim, int socket,
                       const struct can_rule *filters, size_t count);

// Index of the bus that a socket is bound to, or -1
int can_socket_bus(struct simulation *sim, int socket);

// Hand a message to the bus; returns 0, or the errno that says why not
int can_socket_write(struct simulation *sim, int socket,
                     const struct can_message *message, int64_t now_ns);

// Number of messages that wait to be read
size_t can_socket_readable(struct simulation *sim, int socket);

// Take the oldest message; returns whether there was one
int can_socket_read(struct simulation *sim, int socket,
                    struct can_message *message);

// Carry out one request line; stores one line "ok ..." or "error ..."
void simulation_control(struct simulation *sim, int64_t now_ns,
                        const char *request, char *reply, size_t reply_size);

#pragma GCC visibility pop

#endif // simulation.h
