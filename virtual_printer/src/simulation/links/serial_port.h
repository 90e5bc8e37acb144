// A serial port of the host's as the transport of a link
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef SERIAL_PORT_H
#define SERIAL_PORT_H

#include "link.h" // struct transport

#pragma GCC visibility push(hidden)

struct serial_port {
    struct transport transport;
    char *device_path;
    int is_open;
    int is_silent; // nothing has been written since it was opened
    int is_passed; // it was opened and closed in silence
    struct byte_queue readable; // for the host
};

struct serial_port *serial_port_create(struct link *link,
                                       const char *device_path);
// The port of a link, NULL if it has none
struct serial_port *serial_port_of(const struct link *link);

void serial_port_set_open(struct serial_port *port, int is_open);
void serial_port_write(struct serial_port *port, const uint8_t *data,
                       size_t size);

// Take up to size bytes that reached the host; returns their number
size_t serial_port_read(struct serial_port *port, uint8_t *data, size_t size);

#pragma GCC visibility pop

#endif // serial_port.h
