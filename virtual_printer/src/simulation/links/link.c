// Link between the host and one micro-controller: delays, faults, order
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // free
#include "can_node.h" // can_node_send
#include "../firmware/mcu.h" // mcu_receive
#include "../description/machine.h" // struct simulation

// When some bytes of a channel arrive
struct parcel {
    int64_t time_ns;
    size_t size;
};


/****************************************************************
 * Sending
 ****************************************************************/

// Size of the message at the start of some data; what is no message
// counts as one
static size_t
message_size(const uint8_t *data, size_t size)
{
    if (data[0] < BLOCK_SIZE_MIN || data[0] > BLOCK_SIZE_MAX || data[0] > size)
        return size;
    return data[0];
}

static int64_t
window_delay_ns(const struct channel *channel, int64_t now_ns)
{
    int64_t delay_ns = 0;
    for (size_t i = 0; i < channel->window_count; i++) {
        const struct delay_window *window = &channel->windows[i];
        if (now_ns >= window->from_ns && now_ns < window->until_ns)
            delay_ns += window->delay_ns;
    }
    return delay_ns;
}

// Whether the next message is one of those that are still to be spoilt
static int
take_one(uint32_t *count)
{
    if (!*count)
        return 0;
    (*count)--;
    return 1;
}

// Send one copy of a message, unless it is to be lost
static void
send_copy(struct channel *channel, const uint8_t *data, size_t size
          , int64_t latency_ns)
{
    channel->wire_free_ns += (int64_t)((double)size
                                       * channel->link->ns_per_byte);
    channel->message_count++;
    channel->byte_count += size;
    if (take_one(&channel->drop_count))
        return;
    struct parcel parcel = { channel->wire_free_ns + latency_ns, size };
    if (parcel.time_ns < channel->last_arrival_ns)
        parcel.time_ns = channel->last_arrival_ns;
    channel->last_arrival_ns = parcel.time_ns;
    if (!channel->parcels.size)
        event_schedule(&channel->link->sim->events, &channel->arrival
                       , parcel.time_ns);
    byte_queue_append(&channel->parcels, &parcel, sizeof(parcel));
    byte_queue_append(&channel->bytes, data, size);
    if (take_one(&channel->corrupt_count)) {
        size_t back = 1 + (size_t)random_below(&channel->random, (int64_t)size);
        byte_queue_front(&channel->bytes)[channel->bytes.size - back] ^=
            (uint8_t)(1 + random_below(&channel->random, 255));
    }
}

// Put one message on its way; those behind one that is late wait for it
static void
send_message(struct channel *channel, const uint8_t *data, size_t size
             , int64_t latency_ns, int64_t now_ns)
{
    if (channel->wire_free_ns < now_ns)
        channel->wire_free_ns = now_ns;
    latency_ns += channel->late_ns;
    channel->late_ns = 0;
    send_copy(channel, data, size, latency_ns);
    if (take_one(&channel->repeat_count))
        send_copy(channel, data, size, latency_ns);
}

static int64_t
draw_latency_ns(struct channel *channel, int64_t now_ns)
{
    return channel->delay_ns
        + random_below(&channel->random, channel->link->jitter_ns + 1)
        + window_delay_ns(channel, now_ns);
}

// Put one transfer on its way
static void
send_transfer(struct channel *channel, const uint8_t *data, size_t size)
{
    int64_t now_ns = channel->link->sim->now_ns;
    int64_t latency_ns = draw_latency_ns(channel, now_ns);
    while (size) {
        size_t piece = message_size(data, size);
        send_message(channel, data, piece, latency_ns, now_ns);
        data += piece;
        size -= piece;
    }
}

void
link_receive(struct link *link, const uint8_t *data, size_t size)
{
    struct channel *channel = &link->channels[LINK_TO_MCU];
    int64_t now_ns = link->sim->now_ns;
    send_message(channel, data, size, draw_latency_ns(channel, now_ns)
                 , now_ns);
}

void
link_flush(struct link *link)
{
    if (!link->outgoing.size)
        return;
    if (!link->is_hung_up)
        send_transfer(&link->channels[LINK_TO_HOST]
                      , byte_queue_front(&link->outgoing)
                      , link->outgoing.size);
    byte_queue_clear(&link->outgoing);
}


/****************************************************************
 * Arrival
 ****************************************************************/

static void
deliver(struct channel *channel, size_t size)
{
    struct link *link = channel->link;
    const uint8_t *data = byte_queue_front(&channel->bytes);
    if (channel->direction == LINK_TO_MCU) {
        mcu_receive(link->mcu, data, size);
    } else if (link->can_node) {
        can_node_send(link->can_node, data, size);
    } else if (link->is_open) {
        byte_queue_append(&link->readable, data, size);
        link->sim->is_host_due = 1;
    }
    byte_queue_consume(&channel->bytes, size);
}

static void
arrival_event(struct event *event)
{
    struct channel *channel = container_of(event, struct channel, arrival);
    struct simulation *sim = channel->link->sim;
    while (channel->parcels.size) {
        struct parcel parcel;
        memcpy(&parcel, byte_queue_front(&channel->parcels), sizeof(parcel));
        if (parcel.time_ns > sim->now_ns) {
            event_schedule(&sim->events, event, parcel.time_ns);
            return;
        }
        byte_queue_consume(&channel->parcels, sizeof(parcel));
        deliver(channel, parcel.size);
    }
}


/****************************************************************
 * Set-up and faults
 ****************************************************************/

void
link_init(struct link *link, struct simulation *sim, struct mcu *mcu
          , uint64_t index)
{
    link->sim = sim;
    link->mcu = mcu;
    for (int i = 0; i < LINK_DIRECTIONS; i++) {
        struct channel *channel = &link->channels[i];
        channel->link = link;
        channel->direction = i;
        channel->arrival.run = arrival_event;
        random_init(&channel->random, sim->seed, index * 4 + (uint64_t)i);
    }
}

void
link_release(struct link *link)
{
    for (int i = 0; i < LINK_DIRECTIONS; i++) {
        free(link->channels[i].bytes.storage);
        free(link->channels[i].parcels.storage);
        free(link->channels[i].windows);
    }
    can_node_free(link->can_node);
    free(link->outgoing.storage);
    free(link->readable.storage);
    free(link->device_path);
}

void
link_add_window(struct link *link, int direction
                , const struct delay_window *window)
{
    struct channel *channel = &link->channels[direction];
    struct delay_window *added = array_grow(
        &channel->windows, &channel->window_count, sizeof(*added));
    *added = *window;
}

void
link_set_hung_up(struct link *link, int is_hung_up)
{
    link->is_hung_up = is_hung_up;
    if (link->can_node)
        can_node_set_unplugged(link->can_node, is_hung_up);
    if (!is_hung_up)
        return;
    for (int i = 0; i < LINK_DIRECTIONS; i++) {
        event_cancel(&link->sim->events, &link->channels[i].arrival);
        byte_queue_clear(&link->channels[i].bytes);
        byte_queue_clear(&link->channels[i].parcels);
    }
    link->sim->is_host_due = 1;
}


/****************************************************************
 * The host's side
 ****************************************************************/

void
link_open(struct simulation *sim, int index, int64_t now_ns)
{
    simulation_catch_up(sim, now_ns);
    struct link *link = &sim->mcus[index]->link;
    byte_queue_clear(&link->readable);
    link->is_open = 1;
}

void
link_close(struct simulation *sim, int index, int64_t now_ns)
{
    simulation_catch_up(sim, now_ns);
    struct link *link = &sim->mcus[index]->link;
    byte_queue_clear(&link->readable);
    link->is_open = 0;
}

void
link_write(struct simulation *sim, int index
           , const uint8_t *data, size_t size, int64_t now_ns)
{
    simulation_catch_up(sim, now_ns);
    struct link *link = &sim->mcus[index]->link;
    if (!link->is_hung_up)
        send_transfer(&link->channels[LINK_TO_MCU], data, size);
}

size_t
link_readable(struct simulation *sim, int index)
{
    return sim->mcus[index]->link.readable.size;
}

size_t
link_read(struct simulation *sim, int index, uint8_t *data, size_t size)
{
    struct byte_queue *readable = &sim->mcus[index]->link.readable;
    if (size > readable->size)
        size = readable->size;
    if (size) {
        memcpy(data, byte_queue_front(readable), size);
        byte_queue_consume(readable, size);
    }
    return size;
}

int
link_is_hung_up(struct simulation *sim, int index)
{
    return sim->mcus[index]->link.is_hung_up;
}
