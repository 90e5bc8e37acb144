// A micro-controller on a CAN bus, as Klipper's firmware does it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "can_node.h" // struct can_node
#include "../firmware/mcu.h" // struct mcu
#include "../firmware/objects.h" // command_get_canbus_id
#include "../description/machine.h" // allocate

enum {
    ID_ADMIN = 0x3f0, ID_ADMIN_RESPONSE = 0x3f1, ID_FIRST_NODE = 0x100,
    COMMAND_QUERY_UNASSIGNED = 0x00, COMMAND_SET_NODE = 0x01,
    RESPONSE_NEED_NODE = 0x20,
    // Frames that a usual controller holds while they wait for the bus
    MAILBOX_COUNT = 3
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
            .id = node->assigned_id + 1, .size = (uint8_t)size
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

void
can_node_send(struct can_node *node, const uint8_t *data, size_t size)
{
    if (!node->assigned_id || node->station.is_unplugged)
        return;
    byte_queue_append(&node->unsent, data, size);
    // What else is said at this instant goes into the same frames
    struct simulation *sim = node->mcu->sim;
    event_schedule(&sim->events, &node->packing, sim->now_ns);
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
    mcu_shutdown(node->mcu, REASON_CAN_ID_CONFLICT);
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
    if (node->mcu->is_booting)
        return;
    if (message->id == ID_ADMIN)
        run_admin_command(node, message);
    else if (node->assigned_id && message->id == node->assigned_id)
        link_receive(&node->mcu->link, message->data, message->size);
    else if (node->assigned_id && message->id == node->assigned_id + 1)
        report_conflict(node);
}


/****************************************************************
 * Commands
 ****************************************************************/

// Node of an MCU that is asked about it; the firmware of others has no such
// commands
static struct can_node *
asked_node(struct mcu *mcu)
{
    if (!mcu->link.can_node)
        mcu_shutdown(mcu, REASON_INVALID_COMMAND);
    return mcu->link.can_node;
}

void
command_get_canbus_id(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    const struct can_node *node = asked_node(mcu);
    if (!node)
        return;
    struct block block;
    block_begin(&block);
    block_put_integer(&block, mcu->response_ids[RESPONSE_CANBUS_ID]);
    block_put_bytes(&block, node->uuid, CAN_UUID_SIZE);
    block_put_integer(&block, (node->assigned_id - ID_FIRST_NODE) / 2);
    block_finish(&block, mcu->receiver.next_sequence);
    byte_queue_append(&mcu->link.outgoing, block.bytes, block.size);
}

void
command_get_canbus_status(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    const struct can_node *node = asked_node(mcu);
    if (!node)
        return;
    const struct can_station *station = &node->station;
    MCU_RESPOND(mcu, RESPONSE_CANBUS_STATUS
                , (uint32_t)station->receive_failure_count
                , (uint32_t)station->error_count
                , (uint32_t)station->retransmission_count
                , (uint32_t)can_station_state(station));
}


/****************************************************************
 * Life cycle
 ****************************************************************/

static void
drop_unsent(struct can_node *node)
{
    byte_queue_clear(&node->unsent);
    event_cancel(&node->mcu->sim->events, &node->packing);
}

void
can_node_reset(struct can_node *node)
{
    node->assigned_id = 0;
    drop_unsent(node);
    can_station_reset(&node->station);
}

void
can_node_set_unplugged(struct can_node *node, int is_unplugged)
{
    if (is_unplugged)
        drop_unsent(node);
    can_station_set_unplugged(&node->station, is_unplugged);
}

struct can_node *
can_node_create(struct mcu *mcu, struct can_bus *bus
                , const uint8_t uuid[CAN_UUID_SIZE])
{
    struct can_node *node = allocate(1, sizeof(*node));
    node->mcu = mcu;
    memcpy(node->uuid, uuid, CAN_UUID_SIZE);
    node->packing.run = packing_event;
    node->station.receive = node_receive;
    node->station.sent = node_sent;
    can_station_join(&node->station, bus, mcu->name);
    return node;
}

void
can_node_free(struct can_node *node)
{
    if (!node)
        return;
    drop_unsent(node);
    free(node->unsent.storage);
    free(node->station.messages.storage);
    free(node);
}
