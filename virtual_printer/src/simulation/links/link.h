// Link between the host and one micro-controller
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef LINK_H
#define LINK_H

#include "../core/byte_queue.h" // struct byte_queue
#include "../core/events.h" // struct event
#include "../core/random_stream.h" // struct random_stream

#pragma GCC visibility push(hidden)

enum { LINK_TO_MCU, LINK_TO_HOST, LINK_DIRECTIONS };

// Messages sent within this span of time are held up
struct delay_window {
    int64_t from_ns, until_ns, delay_ns;
};

struct can_node;

// One direction of a link
struct channel {
    struct event arrival;
    struct link *link;
    int direction;
    struct random_stream random;
    int64_t delay_ns, last_arrival_ns, wire_free_ns;
    struct byte_queue bytes; // on their way
    struct byte_queue parcels; // of struct parcel: when they arrive
    struct delay_window *windows;
    size_t window_count;
    uint32_t drop_count, repeat_count, corrupt_count; // still to be spoilt
    int64_t late_ns; // by how much the next message is late
    uint64_t byte_count, message_count;
};

struct link {
    struct simulation *sim;
    struct mcu *mcu;
    char *device_path;
    int64_t jitter_ns;
    double ns_per_byte;
    struct can_node *can_node; // between link and host, if it is on a bus
    int is_open, is_hung_up;
    struct channel channels[LINK_DIRECTIONS];
    struct byte_queue outgoing; // written by the firmware in this turn
    struct byte_queue readable; // for the host
};

void link_init(struct link *link, struct simulation *sim, struct mcu *mcu
               , uint64_t index);
void link_release(struct link *link);

// Bytes of a frame have come over the bus
void link_receive(struct link *link, const uint8_t *data, size_t size);

// Send what the firmware wrote in one go, as one transfer
void link_flush(struct link *link);

void link_add_window(struct link *link, int direction
                     , const struct delay_window *window);

// Unplug the device, or plug it in again
void link_set_hung_up(struct link *link, int is_hung_up);

#pragma GCC visibility pop

#endif // link.h
