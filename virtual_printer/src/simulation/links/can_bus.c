// CAN bus: arbitration, time on the wire, errors and who drops out of it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // free
#include "../core/memory.h" // allocate
#include "../core/recorder.h" // recorder_begin
#include "can_bus.h" // struct can_bus
#include "can_frame.h" // can_frame_length

// Streams of random numbers besides those of micro-controllers and sensors
#define BUS_RANDOM_PURPOSE ((uint64_t)1 << 40)

enum {
    // An error flag is six bits; others answer with theirs, which may reach
    // past it by as much.  Then comes the delimiter.
    ERROR_FLAG_BITS = 6,
    ERROR_DELIMITER_BITS = 8,
};


/****************************************************************
 * Time on the wire
 ****************************************************************/

int
can_bus_is_fd(const struct can_bus *bus)
{
    return bus->data_bit_ns > 0.0;
}

// Time of the first bits of a frame
static double
bits_ns(const struct can_bus *bus, const struct can_length *length, int bits)
{
    int data_bits = bits - length->arbitration_bits;
    if (data_bits < 0)
        data_bits = 0;
    if (data_bits > length->data_bits)
        data_bits = length->data_bits;
    return (bits - data_bits) * bus->bit_ns + data_bits * bus->data_bit_ns;
}

static int
total_bits(const struct can_length *length)
{
    return length->arbitration_bits + length->data_bits + length->end_bits;
}

int64_t
can_bus_frame_ns(const struct can_bus *bus, const struct can_message *message)
{
    struct can_length length = can_frame_length(message, can_bus_is_fd(bus));
    return (int64_t)(bits_ns(bus, &length, total_bits(&length))
                     + CAN_INTERMISSION_BITS * bus->bit_ns + 0.5);
}


/****************************************************************
 * Arbitration
 ****************************************************************/

static struct can_station *
find_winner(struct can_bus *bus)
{
    struct can_station *winner = NULL;
    for (size_t i = 0; i < bus->station_count; i++) {
        struct can_station *station = bus->stations[i];
        if (can_station_is_contending(station)
            && (!winner
                || can_frame_wins(can_station_oldest(station),
                                  can_station_oldest(winner))))
            winner = station;
    }
    return winner;
}

// All that happens at this instant comes first, so that they start together
void
can_bus_kick(struct can_bus *bus)
{
    if (bus->is_sending || bus->start.slot)
        return;
    int64_t now_ns = bus->timeline->now_ns;
    event_schedule(&bus->timeline->events, &bus->start,
                   now_ns > bus->free_ns ? now_ns : bus->free_ns);
}

static void
start_event(struct event *event)
{
    struct can_bus *bus = container_of(event, struct can_bus, start);
    struct can_station *sender = find_winner(bus);
    if (!sender)
        return;
    struct can_length length =
        can_frame_length(can_station_oldest(sender), can_bus_is_fd(bus));
    int bits = total_bits(&length);
    double share =
        (double)(random_bits(&bus->random) >> 11) / 9007199254740992.0;
    bus->is_spoilt = share < bus->error_rate;
    int flag_bits = 0;
    if (bus->is_spoilt) {
        bits = 1 + (int)random_below(&bus->random, bits);
        flag_bits = ERROR_FLAG_BITS + ERROR_DELIMITER_BITS
            + (int)random_below(&bus->random, ERROR_FLAG_BITS + 1);
    }
    bus->sender = sender;
    bus->is_sending = 1;
    double sending_ns = bits_ns(bus, &length, bits) + flag_bits * bus->bit_ns;
    int64_t end_ns = bus->timeline->now_ns + (int64_t)(sending_ns + 0.5);
    bus->free_ns =
        end_ns + (int64_t)(CAN_INTERMISSION_BITS * bus->bit_ns + 0.5);
    bus->bit_count += (uint64_t)(bits + flag_bits + CAN_INTERMISSION_BITS);
    bus->busy_ns += (uint64_t)(bus->free_ns - bus->timeline->now_ns);
    event_schedule(&bus->timeline->events, &bus->end, end_ns);
}


/****************************************************************
 * What became of a frame
 ****************************************************************/

static void
note_failure(struct can_bus *bus, struct can_station *sender)
{
    bus->error_count++;
    for (size_t i = 0; i < bus->station_count; i++)
        if (bus->stations[i] != sender)
            can_station_note_received(bus->stations[i], NULL);
    if (sender)
        can_station_note_sent(sender, 0);
}

static void
record_frame(struct can_bus *bus, const struct can_message *message)
{
    struct recorder *recorder = bus->timeline->recorder;
    recorder_begin(recorder, bus->timeline->now_ns, "frame", bus->name, "id");
    recorder_put(recorder, "%x ", (unsigned int)message->id);
    recorder_put_bytes(recorder, message->data, message->size);
    recorder_end(recorder);
}

static void
note_success(struct can_bus *bus, struct can_station *sender)
{
    struct can_message message = *can_station_oldest(sender);
    bus->frame_count++;
    if (bus->timeline->recorder)
        record_frame(bus, &message);
    for (size_t i = 0; i < bus->station_count; i++)
        if (bus->stations[i] != sender)
            can_station_note_received(bus->stations[i], &message);
    can_station_note_sent(sender, 1);
}

static void
end_event(struct event *event)
{
    struct can_bus *bus = container_of(event, struct can_bus, end);
    struct can_station *sender = bus->sender;
    bus->sender = NULL;
    bus->is_sending = 0;
    if (bus->is_spoilt || !sender)
        note_failure(bus, sender);
    else
        note_success(bus, sender);
    can_bus_kick(bus);
}


/****************************************************************
 * Life cycle
 ****************************************************************/

void
can_bus_set_rates(struct can_bus *bus, double bit_rate, double data_rate)
{
    bus->bit_ns = NS_PER_S / bit_rate;
    bus->data_bit_ns = data_rate > 0.0 ? NS_PER_S / data_rate : 0.0;
}

struct can_bus *
can_bus_create(struct timeline *timeline, const char *name, size_t index)
{
    struct can_bus *bus = allocate(1, sizeof(*bus));
    bus->timeline = timeline;
    bus->name = copy_string(name);
    bus->start.run = start_event;
    bus->end.run = end_event;
    random_init(&bus->random, timeline->seed, BUS_RANDOM_PURPOSE + index);
    return bus;
}

void
can_bus_free(struct can_bus *bus)
{
    event_cancel(&bus->timeline->events, &bus->start);
    event_cancel(&bus->timeline->events, &bus->end);
    free(bus->stations);
    free(bus->name);
    free(bus);
}
