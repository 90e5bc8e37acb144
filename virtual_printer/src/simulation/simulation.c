// Event queue of the simulation, and its progress in time
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // strcmp
#include "links/can_host.h" // can_sockets_free
#include "links/can_load.h" // can_load_free
#include "firmware/mcu.h" // mcu_free
#include "description/machine.h" // struct simulation


/****************************************************************
 * Memory
 ****************************************************************/

void *
allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        abort();
    return memory;
}

void *
array_grow(void *array_pointer, size_t *count, size_t size)
{
    void *old;
    memcpy(&old, array_pointer, sizeof(old));
    char *array = realloc(old, (*count + 1) * size);
    if (!array)
        abort();
    memcpy(array_pointer, &array, sizeof(array));
    char *element = array + *count * size;
    memset(element, 0, size);
    (*count)++;
    return element;
}

char *
copy_string(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(allocate(size, 1), text, size);
}


/****************************************************************
 * Event queue (a binary heap that events know their place in)
 ****************************************************************/

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
            && entry_is_before(&queue->entries[child + 1]
                               , &queue->entries[child]))
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
        queue->entries = realloc(queue->entries, queue->capacity
                                 * sizeof(queue->entries[0]));
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


/****************************************************************
 * Progress
 ****************************************************************/

// An event stays at the top of the queue while it runs, because many go
// on to schedule themselves for a time that is not far off
static void
run_next_event(struct simulation *sim)
{
    struct event_queue *queue = &sim->events;
    struct event_entry next = queue->entries[0];
    sim->now_ns = next.time_ns;
    next.event->run(next.event);
    if (queue->count && queue->entries[0].order == next.order)
        event_cancel(queue, queue->entries[0].event);
}

static int
is_event_due(const struct simulation *sim, int64_t limit_ns)
{
    return sim->events.count && sim->events.entries[0].time_ns <= limit_ns;
}

void
simulation_catch_up(struct simulation *sim, int64_t now_ns)
{
    while (is_event_due(sim, now_ns))
        run_next_event(sim);
    if (now_ns > sim->now_ns)
        sim->now_ns = now_ns;
}

int64_t
simulation_next_event(struct simulation *sim)
{
    if (sim->is_host_due)
        return sim->now_ns;
    return sim->events.count ? sim->events.entries[0].time_ns : INT64_MAX;
}

int64_t
simulation_advance(struct simulation *sim, int64_t limit_ns)
{
    while (!sim->is_host_due && is_event_due(sim, limit_ns))
        run_next_event(sim);
    if (sim->is_host_due)
        // What happens at this very instant belongs together
        simulation_catch_up(sim, sim->now_ns);
    else if (limit_ns > sim->now_ns)
        sim->now_ns = limit_ns;
    sim->is_host_due = 0;
    return sim->now_ns;
}


/****************************************************************
 * Life cycle
 ****************************************************************/

struct mcu *
simulation_find_mcu(struct simulation *sim, const char *name)
{
    for (size_t i = 0; i < sim->mcu_count; i++)
        if (!strcmp(sim->mcus[i]->name, name))
            return sim->mcus[i];
    return NULL;
}

int
simulation_find_link(struct simulation *sim, const char *device_path)
{
    for (size_t i = 0; i < sim->mcu_count; i++)
        if (sim->mcus[i]->link.device_path
            && !strcmp(sim->mcus[i]->link.device_path, device_path))
            return (int)i;
    return -1;
}

struct simulation *
simulation_load(const char *description_path, char *error, size_t error_size)
{
    struct simulation *sim = allocate(1, sizeof(*sim));
    if (!description_read(sim, description_path, error, error_size))
        return sim;
    simulation_free(sim);
    return NULL;
}

void
simulation_free(struct simulation *sim)
{
    if (!sim)
        return;
    actions_free(sim);
    for (size_t i = 0; i < sim->mcu_count; i++)
        mcu_free(sim->mcus[i]);
    free(sim->mcus);
    can_sockets_free(sim);
    for (size_t i = 0; i < sim->can_bus_count; i++) {
        can_load_free(sim->can_buses[i]->load);
        can_host_free(sim->can_buses[i]->host);
        can_bus_free(sim->can_buses[i]);
    }
    free(sim->can_buses);
    mechanics_release(&sim->mechanics);
    free(sim->events.entries);
    free(sim);
}
