// Link between the host and one micro-controller: messages and faults
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // array_grow
#include "link.h" // struct link
#include "protocol.h" // BLOCK_SIZE_MIN


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
send_copy(struct channel *channel, const uint8_t *data, size_t size,
          int64_t latency_ns)
{
    channel->wire_free_ns +=
        (int64_t)((double)size * channel->link->ns_per_byte);
    channel->message_count++;
    channel->byte_count += size;
    if (take_one(&channel->drop_count))
        return;
    struct delay_line *line = &channel->line;
    delay_line_send(line, data, size, channel->wire_free_ns + latency_ns);
    if (take_one(&channel->corrupt_count)) {
        size_t back = 1 + (size_t)random_below(&line->random, (int64_t)size);
        byte_queue_front(&line->bytes)[line->bytes.size - back] ^=
            (uint8_t)(1 + random_below(&line->random, 255));
    }
}

// Put one message on its way; those behind one that is late wait for it
static void
send_message(struct channel *channel, const uint8_t *data, size_t size,
             int64_t latency_ns, int64_t now_ns)
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
    return delay_line_draw_ns(&channel->line)
        + window_delay_ns(channel, now_ns);
}

// Put one transfer on its way
static void
send_transfer(struct channel *channel, const uint8_t *data, size_t size)
{
    int64_t now_ns = channel->link->timeline->now_ns;
    int64_t latency_ns = draw_latency_ns(channel, now_ns);
    while (size) {
        size_t piece = message_size(data, size);
        send_message(channel, data, piece, latency_ns, now_ns);
        data += piece;
        size -= piece;
    }
}

void
link_receive_transfer(struct link *link, const uint8_t *data, size_t size)
{
    send_transfer(&link->channels[LINK_TO_MCU], data, size);
}

void
link_receive_frame(struct link *link, const uint8_t *data, size_t size)
{
    struct channel *channel = &link->channels[LINK_TO_MCU];
    int64_t now_ns = link->timeline->now_ns;
    send_message(channel, data, size, draw_latency_ns(channel, now_ns), now_ns);
}

void
link_flush(struct link *link)
{
    if (!link->outgoing.size)
        return;
    if (!link->is_hung_up)
        send_transfer(&link->channels[LINK_TO_HOST],
                      byte_queue_front(&link->outgoing), link->outgoing.size);
    byte_queue_clear(&link->outgoing);
}


/****************************************************************
 * Arrival
 ****************************************************************/

static void
channel_deliver(struct delay_line *line, const uint8_t *data, size_t size)
{
    struct channel *channel = container_of(line, struct channel, line);
    struct link *link = channel->link;
    if (channel->direction == LINK_TO_MCU)
        link->firmware->receive(link, data, size);
    else
        link->transport->kind->deliver(link->transport, data, size);
}


/****************************************************************
 * Set-up and faults
 ****************************************************************/

void
link_init(struct link *link, struct timeline *timeline,
          const struct link_firmware *firmware, uint64_t index)
{
    link->timeline = timeline;
    link->firmware = firmware;
    for (int i = 0; i < LINK_DIRECTIONS; i++) {
        struct channel *channel = &link->channels[i];
        channel->link = link;
        channel->direction = i;
        channel->line.deliver = channel_deliver;
        delay_line_init(&channel->line, timeline, index * 4 + (uint64_t)i);
    }
}

void
link_set_transport(struct link *link, struct transport *transport,
                   const struct transport_kind *kind)
{
    transport->kind = kind;
    transport->link = link;
    link->transport = transport;
}

void
link_release(struct link *link)
{
    for (int i = 0; i < LINK_DIRECTIONS; i++) {
        delay_line_release(&link->channels[i].line);
        free(link->channels[i].windows);
    }
    if (link->transport)
        link->transport->kind->free(link->transport);
    free(link->outgoing.storage);
}

void
link_reset(struct link *link)
{
    if (link->transport->kind->reset)
        link->transport->kind->reset(link->transport);
}

void
link_add_window(struct link *link, int direction,
                const struct delay_window *window)
{
    struct channel *channel = &link->channels[direction];
    struct delay_window *added =
        array_grow(&channel->windows, &channel->window_count, sizeof(*added));
    *added = *window;
}

void
link_set_hung_up(struct link *link, int is_hung_up)
{
    struct transport *transport = link->transport;
    link->is_hung_up = is_hung_up;
    if (transport->kind->set_unplugged)
        transport->kind->set_unplugged(transport, is_hung_up);
    if (!is_hung_up)
        return;
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        delay_line_clear(&link->channels[i].line);
    link->timeline->is_host_due = 1;
}
