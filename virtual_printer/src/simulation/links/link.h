// Link between the host and one micro-controller: what is the same for all
// transports
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef LINK_H
#define LINK_H

#include "delay_line.h" // struct delay_line

#pragma GCC visibility push(hidden)

enum { LINK_TO_MCU, LINK_TO_HOST, LINK_DIRECTIONS };

struct link;
struct transport;

// What a transport does for its link. All but the first and the last may be
// NULL if nothing follows for this kind.
struct transport_kind {
    // Bytes have come through the link
    void (*deliver)(struct transport *transport, const uint8_t *data,
                    size_t size);
    // The firmware starts over
    void (*reset)(struct transport *transport);
    void (*set_unplugged)(struct transport *transport, int is_unplugged);
    void (*free)(struct transport *transport);
};

// What carries the bytes of a link between it and the host. Part of its
// owner, a serial port or a node on a CAN bus.
struct transport {
    const struct transport_kind *kind;
    struct link *link;
};

// The firmware, as its link sees it
struct link_firmware {
    void (*receive)(struct link *link, const uint8_t *data, size_t size);
    int (*is_running)(const struct link *link);
    // Another node on the bus has been given the identifier of this one
    void (*note_id_conflict)(struct link *link);
};

// Messages sent within this span of time are held up
struct delay_window {
    int64_t from_ns, until_ns, delay_ns;
};

// One direction of a link
struct channel {
    struct delay_line line;
    struct link *link;
    int direction;
    int64_t wire_free_ns;
    struct delay_window *windows;
    size_t window_count;
    uint32_t drop_count, repeat_count, corrupt_count; // still to be spoilt
    int64_t late_ns; // by how much the next message is late
    uint64_t byte_count, message_count;
};

// Part of its micro-controller
struct link {
    struct timeline *timeline;
    const struct link_firmware *firmware;
    struct transport *transport;
    double ns_per_byte;
    int is_hung_up;
    struct channel channels[LINK_DIRECTIONS];
    struct byte_queue outgoing; // written by the firmware in this turn
};

void link_init(struct link *link, struct timeline *timeline,
               const struct link_firmware *firmware, uint64_t index);
void link_release(struct link *link);
void link_set_transport(struct link *link, struct transport *transport,
                        const struct transport_kind *kind);

// What the host sends has come: whole blocks in one go, or a frame
void link_receive_transfer(struct link *link, const uint8_t *data, size_t size);
void link_receive_frame(struct link *link, const uint8_t *data, size_t size);

// Send what the firmware wrote in one go, as one transfer
void link_flush(struct link *link);

// The firmware starts over
void link_reset(struct link *link);

void link_add_window(struct link *link, int direction,
                     const struct delay_window *window);

// Unplug the device, or plug it in again
void link_set_hung_up(struct link *link, int is_hung_up);

#pragma GCC visibility pop

#endif // link.h
