// A node on a CAN bus, as Klipper's firmware does it: transport of a link
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "can_node.h" // struct can_node

enum {
    ID_ADMIN = 0x3f0,
    ID_ADMIN_RESPONSE = 0x3f1,
    ID_FIRST_NODE = 0x100,
    COMMAND_QUERY_UNASSIGNED = 0x00,
    COMMAND_SET_NODE = 0x01,
    RESPONSE_NEED_NODE = 0x20,
    // Frames that a usual controller holds while they wait for the bus
    MAILBOX_COUNT = 3,
};


/****************************************************************
 * Sending
 ****************************************************************/

static void
fill_mailboxes(struct can_node *node)
{
    while (node->unsent.size
           && can_station_waiting(&node->station) < MAILBOX_COUNT) {
        size_t size = node->unsent.size;
        if (size > CAN_CLASSIC_DATA_MAX)
            size = CAN_CLASSIC_DATA_MAX;
        struct can_message message = {
            .id = node->assigned_id + 1,
            .size = (uint8_t)size,
        };
        memcpy(message.data, byte_queue_front(&node->unsent), size);
        byte_queue_consume(&node->unsent, size);
        can_station_send(&node->station, &message);
    }
}

static void
packing_event(struct event *event)
{
    fill_mailboxes(container_of(event, struct can_node, packing));
}

static void
node_sent(struct can_station *station, const struct can_message *message)
{
    (void)message;
    fill_mailboxes(container_of(station, struct can_node, station));
}

static void
node_deliver(struct transport *transport, const uint8_t *data, size_t size)
{
    struct can_node *node = container_of(transport, struct can_node, transport);
    if (!node->assigned_id || node->station.is_unplugged)
        return;
    byte_queue_append(&node->unsent, data, size);
    // What else is said at this instant goes into the same frames
    struct timeline *timeline = transport->link->timeline;
    event_schedule(&timeline->events, &node->packing, timeline->now_ns);
}


/****************************************************************
 * Receiving
 ****************************************************************/

static void
tell_uuid(struct can_node *node)
{
    struct can_message message = { .id = ID_ADMIN_RESPONSE, .size = 8 };
    message.data[0] = RESPONSE_NEED_NODE;
    memcpy(&message.data[1], node->uuid, CAN_UUID_SIZE);
    message.data[7] = COMMAND_SET_NODE;
    can_station_send(&node->station, &message);
}

// Another node has the identifier of this one
static void
report_conflict(struct can_node *node)
{
    node->assigned_id = 0;
    struct link *link = node->transport.link;
    link->firmware->note_id_conflict(link);
}

static void
set_node_id(struct can_node *node, const struct can_message *message)
{
    uint32_t id = ID_FIRST_NODE + 2 * (uint32_t)message->data[7];
    if (!memcmp(&message->data[1], node->uuid, CAN_UUID_SIZE))
        node->assigned_id = id;
    else if (id == node->assigned_id)
        report_conflict(node);
}

static void
run_admin_command(struct can_node *node, const struct can_message *message)
{
    uint8_t command = message->data[0];
    if (!message->size)
        return;
    if (command == COMMAND_QUERY_UNASSIGNED && !node->assigned_id)
        tell_uuid(node);
    else if (command == COMMAND_SET_NODE && message->size >= 8)
        set_node_id(node, message);
}

static void
node_receive(struct can_station *station, const struct can_message *message)
{
    struct can_node *node = container_of(station, struct can_node, station);
    struct link *link = node->transport.link;
    if (!link->firmware->is_running(link))
        return;
    if (message->id == ID_ADMIN)
        run_admin_command(node, message);
    else if (node->assigned_id && message->id == node->assigned_id)
        link_receive_frame(link, message->data, message->size);
    else if (node->assigned_id && message->id == node->assigned_id + 1)
        report_conflict(node);
}


/****************************************************************
 * Life cycle
 ****************************************************************/

static void
drop_unsent(struct can_node *node)
{
    byte_queue_clear(&node->unsent);
    event_cancel(&node->transport.link->timeline->events, &node->packing);
}

static void
node_reset(struct transport *transport)
{
    struct can_node *node = container_of(transport, struct can_node, transport);
    node->assigned_id = 0;
    drop_unsent(node);
    can_station_reset(&node->station);
}

static void
node_set_unplugged(struct transport *transport, int is_unplugged)
{
    struct can_node *node = container_of(transport, struct can_node, transport);
    if (is_unplugged)
        drop_unsent(node);
    can_station_set_unplugged(&node->station, is_unplugged);
}

static void
node_free(struct transport *transport)
{
    struct can_node *node = container_of(transport, struct can_node, transport);
    drop_unsent(node);
    free(node->unsent.storage);
    free(node->station.messages.storage);
    free(node);
}

static const struct transport_kind can_node_kind = {
    .deliver = node_deliver,
    .reset = node_reset,
    .set_unplugged = node_set_unplugged,
    .free = node_free,
};

struct can_node *
can_node_create(struct link *link, struct can_bus *bus, const char *name,
                const uint8_t uuid[CAN_UUID_SIZE])
{
    struct can_node *node = allocate(1, sizeof(*node));
    memcpy(node->uuid, uuid, CAN_UUID_SIZE);
    node->packing.run = packing_event;
    node->station.receive = node_receive;
    node->station.sent = node_sent;
    link_set_transport(link, &node->transport, &can_node_kind);
    can_station_join(&node->station, bus, name);
    return node;
}

struct can_node *
can_node_of(const struct link *link)
{
    struct transport *transport = link->transport;
    if (!transport || transport->kind != &can_node_kind)
        return NULL;
    return container_of(transport, struct can_node, transport);
}

uint32_t
can_node_number(const struct can_node *node)
{
    return (node->assigned_id - ID_FIRST_NODE) / 2;
}
