// Foreign frames that keep a CAN bus busy
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "can_load.h" // struct can_load

// Streams of random numbers besides those of the hosts on the buses
#define LOAD_RANDOM_PURPOSE ((uint64_t)1 << 42)
// What is to be sent when others take all of the bus is lost at last
#define QUEUE_LENGTH 16

// Send a frame of any content; the next one follows when this one's share
// of time is over, give or take half of it
static void
next_event(struct event *event)
{
    struct can_load *load = container_of(event, struct can_load, next);
    struct can_bus *bus = load->station.bus;
    struct can_message message = {
        .id = load->id,
        .size = CAN_CLASSIC_DATA_MAX,
    };
    for (int i = 0; i < CAN_CLASSIC_DATA_MAX; i++)
        message.data[i] = (uint8_t)random_bits(&load->random);
    if (can_station_waiting(&load->station) < QUEUE_LENGTH)
        can_station_send(&load->station, &message);
    int64_t mean_ns =
        (int64_t)((double)can_bus_frame_ns(bus, &message) / load->share);
    event_schedule(&bus->timeline->events, event,
                   bus->timeline->now_ns + mean_ns / 2
                       + random_below(&load->random, mean_ns));
}

static void
load_receive(struct can_station *station, const struct can_message *message)
{
    (void)station, (void)message;
}

void
can_load_set(struct can_load *load, double share, uint32_t id)
{
    struct timeline *timeline = load->station.bus->timeline;
    load->share = share;
    load->id = id;
    if (share <= 0.0)
        event_cancel(&timeline->events, &load->next);
    else if (!load->next.slot)
        event_schedule(&timeline->events, &load->next, timeline->now_ns);
}

struct can_load *
can_load_create(struct can_bus *bus, size_t index)
{
    struct can_load *load = allocate(1, sizeof(*load));
    can_station_join(&load->station, bus, "load");
    load->station.receive = load_receive;
    load->next.run = next_event;
    random_init(&load->random, bus->timeline->seed,
                LOAD_RANDOM_PURPOSE + index);
    return load;
}

void
can_load_free(struct can_load *load)
{
    event_cancel(&load->station.bus->timeline->events, &load->next);
    free(load->station.messages.storage);
    free(load);
}
