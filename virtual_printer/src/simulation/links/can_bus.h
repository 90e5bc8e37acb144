// CAN bus: arbitration, time on the wire, errors and who drops out of it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CAN_BUS_H
#define CAN_BUS_H

#include "../core/byte_queue.h" // struct byte_queue
#include "../core/random_stream.h" // struct random_stream
#include "../core/timeline.h" // struct timeline
#include "can_message.h" // struct can_message

#pragma GCC visibility push(hidden)

struct can_host;
struct can_load;

// States that a controller's error counters bring it to
enum can_state {
    CAN_STATE_ACTIVE,
    CAN_STATE_WARNING,
    CAN_STATE_PASSIVE,
    CAN_STATE_OFF,
};

// A controller on the bus, part of its owner
struct can_station {
    struct can_bus *bus;
    const char *name;
    struct byte_queue messages; // of struct can_message, to be sent in order
    int is_unplugged, is_off;
    int transmit_error_count, receive_error_count; // as the standard counts
    uint64_t sent_count, error_count, receive_failure_count;
    uint64_t retransmission_count;
    void (*receive)(struct can_station *station,
                    const struct can_message *message);
    // The oldest message has been sent; may be NULL
    void (*sent)(struct can_station *station,
                 const struct can_message *message);
};

struct can_bus {
    struct timeline *timeline;
    char *name;
    double bit_ns, data_bit_ns; // data_bit_ns is zero on a classic bus
    double error_rate; // share of the attempts that fail
    struct random_stream random;
    struct can_station **stations;
    size_t station_count;
    struct can_host *host;
    struct can_load *load;
    // What is on the wire
    struct event start, end;
    struct can_station *sender; // NULL if it has gone meanwhile
    int is_sending, is_spoilt;
    int64_t free_ns;
    uint64_t frame_count, bit_count, busy_ns, error_count;
};

struct can_bus *can_bus_create(struct timeline *timeline, const char *name,
                               size_t index);
void can_bus_free(struct can_bus *bus);
void can_bus_set_rates(struct can_bus *bus, double bit_rate, double data_rate);
int can_bus_is_fd(const struct can_bus *bus);

// Time that a frame takes, until the next one can start
int64_t can_bus_frame_ns(const struct can_bus *bus,
                         const struct can_message *message);

// Let the stations contend as soon as the bus is free
void can_bus_kick(struct can_bus *bus);

// can_station.c
void can_station_join(struct can_station *station, struct can_bus *bus,
                      const char *name);
void can_station_send(struct can_station *station,
                      const struct can_message *message);
size_t can_station_waiting(const struct can_station *station);
enum can_state can_station_state(const struct can_station *station);

// What the bus asks of a station, and what it reports to it; NULL stands for a spoilt message
int can_station_is_contending(const struct can_station *station);
const struct can_message *can_station_oldest(const struct can_station *station);
void can_station_note_sent(struct can_station *station, int is_good);
void can_station_note_received(struct can_station *station,
                               const struct can_message *message);

// Start over as after power-on, with nothing to send
void can_station_reset(struct can_station *station);
void can_station_set_unplugged(struct can_station *station, int is_unplugged);
// Fall silent as after too many errors
void can_station_set_off(struct can_station *station);

#pragma GCC visibility pop

#endif // can_bus.h
