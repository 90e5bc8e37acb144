// Queue of events ordered by time, then by the order of scheduling
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef EVENTS_H
#define EVENTS_H

#include <stddef.h> // size_t
#include <stdint.h> // int64_t

#pragma GCC visibility push(hidden)

#define NS_PER_S 1000000000
#define container_of(pointer, type, member) \
    ((type *)((char *)(pointer) - offsetof(type, member)))

// Embedded in its owner; run() finds the owner with container_of().  An
// event counts as scheduled until run() returns.
struct event {
    void (*run)(struct event *event);
    size_t slot; // place in the queue plus one, zero if not scheduled
};

struct event_entry {
    int64_t time_ns;
    uint64_t order;
    struct event *event;
};

struct event_queue {
    struct event_entry *entries;
    size_t count, capacity;
    uint64_t next_order;
};

// Schedule an event, or move it if it is scheduled already
void event_schedule(struct event_queue *queue, struct event *event,
                    int64_t time_ns);
void event_cancel(struct event_queue *queue, struct event *event);

#pragma GCC visibility pop

#endif // events.h
