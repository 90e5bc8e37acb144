// Bytes on their way: how long they take, and in which order they arrive
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef DELAY_LINE_H
#define DELAY_LINE_H

#include "../core/byte_queue.h" // struct byte_queue
#include "../core/random_stream.h" // struct random_stream
#include "../core/timeline.h" // struct timeline

#pragma GCC visibility push(hidden)

// Embedded in its owner; deliver() finds the owner with container_of()
struct delay_line {
    struct timeline *timeline;
    struct event arrival;
    struct random_stream random;
    int64_t delay_ns;
    int64_t jitter_ns; // the most that is added at random
    int64_t last_arrival_ns;
    struct byte_queue bytes;
    struct byte_queue parcels; // of struct parcel: when bytes arrive
    void (*deliver)(struct delay_line *line, const uint8_t *data, size_t size);
};

void delay_line_init(struct delay_line *line, struct timeline *timeline,
                     uint64_t random_purpose);
void delay_line_release(struct delay_line *line);

// Draw how long the next bytes take
int64_t delay_line_draw_ns(struct delay_line *line);

// Have bytes arrive together at a time, later if earlier ones do
void delay_line_send(struct delay_line *line, const void *data, size_t size,
                     int64_t time_ns);

// Lose all that is on its way
void delay_line_clear(struct delay_line *line);

#pragma GCC visibility pop

#endif // delay_line.h
