// Progress of a simulation in time
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef TIMELINE_H
#define TIMELINE_H

#include "events.h" // struct event_queue

#pragma GCC visibility push(hidden)

struct recorder;

struct timeline {
    struct event_queue events;
    int64_t now_ns;
    uint64_t seed; // of all streams of random numbers
    struct recorder *recorder; // NULL if nothing is recorded
    int64_t record_every_ns; // what is looked at for it
    // Something reached the host and the host has not heard of it yet
    int is_host_due;
};

// Run everything that is due up to now_ns
void timeline_catch_up(struct timeline *timeline, int64_t now_ns);

// Time of the next event, INT64_MAX if there is none
int64_t timeline_next_event(const struct timeline *timeline);

// Run events up to and including limit_ns, but not past the first instant
// at which something reaches the host; returns the time reached
int64_t timeline_advance(struct timeline *timeline, int64_t limit_ns);

#pragma GCC visibility pop

#endif // timeline.h
