// Sockets of the host's programs on CAN buses
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <errno.h> // ENOBUFS
#include "core/memory.h" // allocate
#include "description/machine.h" // struct simulation
#include "links/can_frame.h" // can_frame_padded_size
#include "can_sockets.h" // can_sockets_receive
#include "simulation.h" // can_socket_open

// Messages for which the buffer of a socket has room by default
enum { SOCKET_ROOM = 256 };

struct can_socket {
    struct can_bus *bus;
    int is_open;
    int options[CAN_SOCKET_FD + 1];
    struct can_rule *filters;
    size_t filter_count;
    struct byte_queue messages; // of struct can_message, for the host
};


/****************************************************************
 * What reaches a socket
 ****************************************************************/

static int
is_filter_passed(const struct can_socket *socket, uint32_t id)
{
    for (size_t i = 0; i < socket->filter_count; i++) {
        const struct can_rule *filter = &socket->filters[i];
        uint32_t wanted = filter->id & ~CAN_ID_INVERTED;
        int is_equal = !((id ^ wanted) & filter->mask & ~CAN_ID_INVERTED);
        if (is_equal != !!(filter->id & CAN_ID_INVERTED))
            return 1;
    }
    return 0;
}

static int
is_wanted(const struct can_socket *socket, const struct can_message *message)
{
    if (message->is_fd && !socket->options[CAN_SOCKET_FD])
        return 0;
    if (message->origin == CAN_FROM_SELF
        && !socket->options[CAN_SOCKET_OWN_MESSAGES])
        return 0;
    return is_filter_passed(socket, message->id);
}

// Where a message comes from, as one of the sockets sees it
static enum can_origin
seen_origin(int origin, int index)
{
    if (origin == NO_SOCKET)
        return CAN_FROM_BUS;
    return origin == index ? CAN_FROM_SELF : CAN_FROM_HOST;
}

void
can_sockets_receive(struct can_receiver *receiver, struct can_bus *bus,
                    int origin, struct can_message *message)
{
    struct simulation *sim =
        container_of(receiver, struct simulation, can_receiver);
    message->time_ns = sim->timeline.now_ns;
    for (size_t i = 0; i < sim->can_socket_count; i++) {
        struct can_socket *socket = sim->can_sockets[i];
        if (socket->bus != bus)
            continue;
        message->origin = seen_origin(origin, (int)i);
        if (!is_wanted(socket, message)
            || socket->messages.size >= SOCKET_ROOM * sizeof(*message))
            continue;
        byte_queue_append(&socket->messages, message, sizeof(*message));
        sim->timeline.is_host_due = 1;
    }
}


/****************************************************************
 * Sockets
 ****************************************************************/

int
simulation_find_can_bus(struct simulation *sim, const char *name)
{
    return machine_find_can_bus(sim, name);
}

const char *
simulation_can_bus_name(struct simulation *sim, int bus)
{
    if (bus < 0 || (size_t)bus >= sim->can_bus_count)
        return NULL;
    return sim->can_buses[bus]->name;
}

int
can_socket_open(struct simulation *sim)
{
    size_t index = 0;
    while (index < sim->can_socket_count && sim->can_sockets[index]->is_open)
        index++;
    if (index == sim->can_socket_count) {
        struct can_socket **place = array_grow(
            &sim->can_sockets, &sim->can_socket_count, sizeof(*place));
        *place = allocate(1, sizeof(**place));
    }
    struct can_socket *socket = sim->can_sockets[index];
    socket->is_open = socket->options[CAN_SOCKET_LOOPBACK] = 1;
    static const struct can_rule everything = { 0, 0 };
    can_socket_filter(sim, (int)index, &everything, 1);
    return (int)index;
}

void
can_socket_close(struct simulation *sim, int index)
{
    struct can_socket *socket = sim->can_sockets[index];
    free(socket->messages.storage);
    free(socket->filters);
    memset(socket, 0, sizeof(*socket));
}

void
can_socket_bind(struct simulation *sim, int index, int bus)
{
    sim->can_sockets[index]->bus = sim->can_buses[bus];
}

int
can_socket_bus(struct simulation *sim, int index)
{
    for (size_t i = 0; i < sim->can_bus_count; i++)
        if (sim->can_buses[i] == sim->can_sockets[index]->bus)
            return (int)i;
    return -1;
}

void
can_socket_set(struct simulation *sim, int index, enum can_socket_option option,
               int value)
{
    sim->can_sockets[index]->options[option] = value;
}

void
can_socket_filter(struct simulation *sim, int index,
                  const struct can_rule *filters, size_t count)
{
    struct can_socket *socket = sim->can_sockets[index];
    free(socket->filters);
    socket->filters = allocate(count, sizeof(*filters));
    memcpy(socket->filters, filters, count * sizeof(*filters));
    socket->filter_count = count;
}

int
can_socket_write(struct simulation *sim, int index,
                 const struct can_message *message, int64_t now_ns)
{
    timeline_catch_up(&sim->timeline, now_ns);
    const struct can_socket *socket = sim->can_sockets[index];
    if (!socket->bus)
        return ENXIO;
    uint8_t limit = message->is_fd ? CAN_DATA_MAX : CAN_CLASSIC_DATA_MAX;
    if (message->size > limit
        || (message->is_fd
            && !(socket->options[CAN_SOCKET_FD] && can_bus_is_fd(socket->bus))))
        return EINVAL;
    // What lies behind the data is of no concern, and may be anything
    struct can_message sent = {
        .id = message->id & ~CAN_ID_INVERTED,
        .is_fd = message->is_fd,
        .size = message->size,
    };
    memcpy(sent.data, message->data, message->size);
    if (message->is_fd)
        sent.size = can_frame_padded_size(message->size);
    int origin = socket->options[CAN_SOCKET_LOOPBACK] ? index : NO_SOCKET;
    return can_host_send(socket->bus->host, origin, &sent) ? ENOBUFS : 0;
}

size_t
can_socket_readable(struct simulation *sim, int index)
{
    return sim->can_sockets[index]->messages.size / sizeof(struct can_message);
}

int
can_socket_read(struct simulation *sim, int index, struct can_message *message)
{
    struct byte_queue *messages = &sim->can_sockets[index]->messages;
    if (!messages->size)
        return 0;
    memcpy(message, byte_queue_front(messages), sizeof(*message));
    byte_queue_consume(messages, sizeof(*message));
    return 1;
}

void
can_sockets_free(struct simulation *sim)
{
    for (size_t i = 0; i < sim->can_socket_count; i++) {
        can_socket_close(sim, (int)i);
        free(sim->can_sockets[i]);
    }
    free(sim->can_sockets);
}
