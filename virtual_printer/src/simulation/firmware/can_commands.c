// Commands that only the firmware of nodes on a CAN bus has
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../links/can_node.h" // struct can_node
#include "mcu.h" // struct mcu

// Node of an MCU that is asked about it; the firmware of others has no such
// commands
static struct can_node *
asked_node(struct mcu *mcu)
{
    struct can_node *node = can_node_of(&mcu->link);
    if (!node)
        mcu_shutdown(mcu, REASON_INVALID_COMMAND);
    return node;
}

static void
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
    block_put_integer(&block, can_node_number(node));
    block_finish(&block, mcu->receiver.next_sequence);
    byte_queue_append(&mcu->link.outgoing, block.bytes, block.size);
}

static void
command_get_canbus_status(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    const struct can_node *node = asked_node(mcu);
    if (!node)
        return;
    const struct can_station *station = &node->station;
    MCU_RESPOND(
        mcu, RESPONSE_CANBUS_STATUS, (uint32_t)station->receive_failure_count,
        (uint32_t)station->error_count, (uint32_t)station->retransmission_count,
        (uint32_t)can_station_state(station));
}

static const struct command commands[] = {
    { "get_canbus_id",     command_get_canbus_id,     "", 1 },
    { "get_canbus_status", command_get_canbus_status, "", 1 },
};

const struct peripheral can_peripheral = { COMMANDS_OF(commands) };
