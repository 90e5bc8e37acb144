// Progress of a simulation in time
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "timeline.h" // struct timeline

// An event stays at the top of the queue while it runs, because many go
// on to schedule themselves for a time that is not far off
static void
run_next_event(struct timeline *timeline)
{
    struct event_queue *queue = &timeline->events;
    struct event_entry next = queue->entries[0];
    timeline->now_ns = next.time_ns;
    next.event->run(next.event);
    if (queue->count && queue->entries[0].order == next.order)
        event_cancel(queue, queue->entries[0].event);
}

static int
is_event_due(const struct timeline *timeline, int64_t limit_ns)
{
    const struct event_queue *queue = &timeline->events;
    return queue->count && queue->entries[0].time_ns <= limit_ns;
}

void
timeline_catch_up(struct timeline *timeline, int64_t now_ns)
{
    while (is_event_due(timeline, now_ns))
        run_next_event(timeline);
    if (now_ns > timeline->now_ns)
        timeline->now_ns = now_ns;
}

int64_t
timeline_next_event(const struct timeline *timeline)
{
    if (timeline->is_host_due)
        return timeline->now_ns;
    const struct event_queue *queue = &timeline->events;
    return queue->count ? queue->entries[0].time_ns : INT64_MAX;
}

int64_t
timeline_advance(struct timeline *timeline, int64_t limit_ns)
{
    while (!timeline->is_host_due && is_event_due(timeline, limit_ns))
        run_next_event(timeline);
    if (timeline->is_host_due)
        // What happens at this very instant belongs together
        timeline_catch_up(timeline, timeline->now_ns);
    else if (limit_ns > timeline->now_ns)
        timeline->now_ns = limit_ns;
    timeline->is_host_due = 0;
    return timeline->now_ns;
}
