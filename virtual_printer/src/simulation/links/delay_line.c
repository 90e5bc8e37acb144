// Bytes on their way: how long they take, and in which order they arrive
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "delay_line.h" // struct delay_line

// When some of the bytes arrive
struct parcel {
    int64_t time_ns;
    size_t size;
};

int64_t
delay_line_draw_ns(struct delay_line *line)
{
    return line->delay_ns + random_below(&line->random, line->jitter_ns + 1);
}

void
delay_line_send(struct delay_line *line, const void *data, size_t size,
                int64_t time_ns)
{
    struct parcel parcel = { time_ns, size };
    if (parcel.time_ns < line->last_arrival_ns)
        parcel.time_ns = line->last_arrival_ns;
    line->last_arrival_ns = parcel.time_ns;
    if (!line->parcels.size)
        event_schedule(&line->timeline->events, &line->arrival, parcel.time_ns);
    byte_queue_append(&line->parcels, &parcel, sizeof(parcel));
    byte_queue_append(&line->bytes, data, size);
}

static void
arrival_event(struct event *event)
{
    struct delay_line *line = container_of(event, struct delay_line, arrival);
    struct timeline *timeline = line->timeline;
    while (line->parcels.size) {
        struct parcel parcel;
        memcpy(&parcel, byte_queue_front(&line->parcels), sizeof(parcel));
        if (parcel.time_ns > timeline->now_ns) {
            event_schedule(&timeline->events, event, parcel.time_ns);
            return;
        }
        byte_queue_consume(&line->parcels, sizeof(parcel));
        line->deliver(line, byte_queue_front(&line->bytes), parcel.size);
        byte_queue_consume(&line->bytes, parcel.size);
    }
}

void
delay_line_clear(struct delay_line *line)
{
    event_cancel(&line->timeline->events, &line->arrival);
    byte_queue_clear(&line->bytes);
    byte_queue_clear(&line->parcels);
}

void
delay_line_init(struct delay_line *line, struct timeline *timeline,
                uint64_t random_purpose)
{
    line->timeline = timeline;
    line->arrival.run = arrival_event;
    random_init(&line->random, timeline->seed, random_purpose);
}

void
delay_line_release(struct delay_line *line)
{
    event_cancel(&line->timeline->events, &line->arrival);
    free(line->bytes.storage);
    free(line->parcels.storage);
}
