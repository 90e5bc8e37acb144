// A controller on a CAN bus: its queue, its error counters and its state
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // array_grow
#include "can_bus.h" // struct can_station

enum {
    // What an error costs a sender's counter, and the counters' limits
    SENDER_PENALTY = 8,
    WARNING_LIMIT = 95,
    PASSIVE_LIMIT = 127,
    OFF_LIMIT = 255,
};


/****************************************************************
 * Messages
 ****************************************************************/

static int
is_on_bus(const struct can_station *station)
{
    return !station->is_off && !station->is_unplugged;
}

int
can_station_is_contending(const struct can_station *station)
{
    return station->messages.size && is_on_bus(station);
}

const struct can_message *
can_station_oldest(const struct can_station *station)
{
    return (const struct can_message *)byte_queue_front(&station->messages);
}

void
can_station_note_sent(struct can_station *station, int is_good)
{
    if (!is_good) {
        station->error_count++;
        station->transmit_error_count += SENDER_PENALTY;
        if (station->transmit_error_count > OFF_LIMIT)
            station->is_off = 1;
        else
            station->retransmission_count++;
        return;
    }
    struct can_message message = *can_station_oldest(station);
    byte_queue_consume(&station->messages, sizeof(message));
    station->sent_count++;
    if (station->transmit_error_count)
        station->transmit_error_count--;
    if (station->sent)
        station->sent(station, &message);
}

void
can_station_note_received(struct can_station *station,
                          const struct can_message *message)
{
    if (!is_on_bus(station))
        return;
    if (message) {
        if (station->receive_error_count)
            station->receive_error_count--;
        station->receive(station, message);
        return;
    }
    station->receive_failure_count++;
    if (station->receive_error_count <= PASSIVE_LIMIT)
        station->receive_error_count++;
}


/****************************************************************
 * Set-up and state
 ****************************************************************/

void
can_station_join(struct can_station *station, struct can_bus *bus,
                 const char *name)
{
    struct can_station **place =
        array_grow(&bus->stations, &bus->station_count, sizeof(*place));
    *place = station;
    station->bus = bus;
    station->name = name;
}

void
can_station_send(struct can_station *station, const struct can_message *message)
{
    byte_queue_append(&station->messages, message, sizeof(*message));
    can_bus_kick(station->bus);
}

size_t
can_station_waiting(const struct can_station *station)
{
    return station->messages.size / sizeof(struct can_message);
}

enum can_state
can_station_state(const struct can_station *station)
{
    int count = station->transmit_error_count;
    if (station->receive_error_count > count)
        count = station->receive_error_count;
    if (station->is_off)
        return CAN_STATE_OFF;
    if (count > PASSIVE_LIMIT)
        return CAN_STATE_PASSIVE;
    return count > WARNING_LIMIT ? CAN_STATE_WARNING : CAN_STATE_ACTIVE;
}

// What a station was sending breaks off
static void
drop_messages(struct can_station *station)
{
    byte_queue_clear(&station->messages);
    if (station->bus->sender == station)
        station->bus->sender = NULL;
}

void
can_station_reset(struct can_station *station)
{
    drop_messages(station);
    station->is_off = 0;
    station->transmit_error_count = station->receive_error_count = 0;
}

void
can_station_set_unplugged(struct can_station *station, int is_unplugged)
{
    station->is_unplugged = is_unplugged;
    if (is_unplugged)
        drop_messages(station);
}

void
can_station_set_off(struct can_station *station)
{
    drop_messages(station);
    station->is_off = 1;
}
