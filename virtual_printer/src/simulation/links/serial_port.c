// A serial port of the host's as the transport of a link
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "serial_port.h" // struct serial_port

static void
port_deliver(struct transport *transport, const uint8_t *data, size_t size)
{
    struct serial_port *port =
        container_of(transport, struct serial_port, transport);
    if (!port->is_open)
        return;
    byte_queue_append(&port->readable, data, size);
    transport->link->timeline->is_host_due = 1;
}

void
serial_port_set_open(struct serial_port *port, int is_open)
{
    byte_queue_clear(&port->readable);
    port->is_passed = port->is_open && !is_open && port->is_silent;
    port->is_silent = is_open;
    port->is_open = is_open;
}

void
serial_port_write(struct serial_port *port, const uint8_t *data, size_t size)
{
    port->is_silent = 0;
    if (!port->transport.link->is_hung_up)
        link_receive_transfer(port->transport.link, data, size);
}

size_t
serial_port_read(struct serial_port *port, uint8_t *data, size_t size)
{
    struct byte_queue *readable = &port->readable;
    if (size > readable->size)
        size = readable->size;
    if (size) {
        memcpy(data, byte_queue_front(readable), size);
        byte_queue_consume(readable, size);
    }
    return size;
}


/****************************************************************
 * Life cycle
 ****************************************************************/

static void
port_free(struct transport *transport)
{
    struct serial_port *port =
        container_of(transport, struct serial_port, transport);
    free(port->readable.storage);
    free(port->device_path);
    free(port);
}

static const struct transport_kind serial_port_kind = {
    .deliver = port_deliver,
    .free = port_free,
};

struct serial_port *
serial_port_create(struct link *link, const char *device_path)
{
    struct serial_port *port = allocate(1, sizeof(*port));
    port->device_path = copy_string(device_path);
    link_set_transport(link, &port->transport, &serial_port_kind);
    return port;
}

struct serial_port *
serial_port_of(const struct link *link)
{
    struct transport *transport = link->transport;
    if (!transport || transport->kind != &serial_port_kind)
        return NULL;
    return container_of(transport, struct serial_port, transport);
}
