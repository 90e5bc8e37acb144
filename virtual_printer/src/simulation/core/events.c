// Queue of events: a binary heap that events know their place in
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // realloc
#include "events.h" // struct event_queue

static int
entry_is_before(const struct event_entry *a, const struct event_entry *b)
{
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns;
    return a->order < b->order;
}

static void
entry_store(struct event_queue *queue, size_t index, struct event_entry entry)
{
    queue->entries[index] = entry;
    entry.event->slot = index + 1;
}

// Move an entry toward the top, starting at a place that is free
static void
sift_up(struct event_queue *queue, size_t index, struct event_entry entry)
{
    while (index) {
        size_t parent = (index - 1) / 2;
        if (!entry_is_before(&entry, &queue->entries[parent]))
            break;
        entry_store(queue, index, queue->entries[parent]);
        index = parent;
    }
    entry_store(queue, index, entry);
}

// Move an entry toward the bottom, starting at a place that is free
static void
sift_down(struct event_queue *queue, size_t index, struct event_entry entry)
{
    for (;;) {
        size_t child = index * 2 + 1;
        if (child >= queue->count)
            break;
        if (child + 1 < queue->count
            && entry_is_before(&queue->entries[child + 1],
                               &queue->entries[child]))
            child++;
        if (!entry_is_before(&queue->entries[child], &entry))
            break;
        entry_store(queue, index, queue->entries[child]);
        index = child;
    }
    entry_store(queue, index, entry);
}

static void
place_entry(struct event_queue *queue, size_t index, struct event_entry entry)
{
    if (index && entry_is_before(&entry, &queue->entries[(index - 1) / 2]))
        sift_up(queue, index, entry);
    else
        sift_down(queue, index, entry);
}

void
event_schedule(struct event_queue *queue, struct event *event, int64_t time_ns)
{
    struct event_entry entry = { time_ns, queue->next_order++, event };
    if (event->slot) {
        place_entry(queue, event->slot - 1, entry);
        return;
    }
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity * 2 + 64;
        queue->entries = realloc(queue->entries,
                                 queue->capacity * sizeof(queue->entries[0]));
        if (!queue->entries)
            abort();
    }
    sift_up(queue, queue->count++, entry);
}

void
event_cancel(struct event_queue *queue, struct event *event)
{
    if (!event->slot)
        return;
    size_t index = event->slot - 1;
    event->slot = 0;
    struct event_entry last = queue->entries[--queue->count];
    if (index != queue->count)
        place_entry(queue, index, last);
}
