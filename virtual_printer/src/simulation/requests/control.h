// What the requests of a test share
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CONTROL_H
#define CONTROL_H

#include <stddef.h> // size_t
#include "../core/words.h" // struct words

#pragma GCC visibility push(hidden)

struct simulation;

// One line that grows until it is full
struct reply {
    char *text;
    size_t size, used;
};

void reply_add(struct reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Carry out one request line; stores one line "ok ..." or "error ..."
void control_answer(struct simulation *sim, const char *request,
                    char *reply_text, size_t reply_size);

// The micro-controller that the second word names, NULL if there is none
struct mcu *requested_mcu(struct simulation *sim, struct words *words);
// The number of a pin, which is the third word
uint8_t requested_pin(struct words *words);

// faults.c
void request_link(struct simulation *sim, struct words *words,
                  struct reply *reply);
void request_mcu(struct simulation *sim, struct words *words,
                 struct reply *reply);
void request_clock(struct simulation *sim, struct words *words,
                   struct reply *reply);
void request_endstop(struct simulation *sim, struct words *words,
                     struct reply *reply);
void request_stepper(struct simulation *sim, struct words *words,
                     struct reply *reply);
void request_reply(struct simulation *sim, struct words *words,
                   struct reply *reply);

// Requests that wait for their time
void actions_free(struct simulation *sim);

// can_requests.c
void request_can_bus(struct simulation *sim, struct words *words,
                     struct reply *reply);
void request_can_counters(struct simulation *sim, struct words *words,
                          struct reply *reply);

// thermal_requests.c
void request_temperatures(struct simulation *sim, struct words *words,
                          struct reply *reply);
void request_temperature_sensor(struct simulation *sim, struct words *words,
                                struct reply *reply);
void request_heater(struct simulation *sim, struct words *words,
                    struct reply *reply);

// driver_requests.c
void request_driver(struct simulation *sim, struct words *words,
                    struct reply *reply);

// sensor_requests.c
void request_sensor(struct simulation *sim, struct words *words,
                    struct reply *reply);

// beacon_requests.c
void request_beacon(struct simulation *sim, struct words *words,
                    struct reply *reply);

// device_requests.c
void request_switch(struct simulation *sim, struct words *words,
                    struct reply *reply);
void request_duty(struct simulation *sim, struct words *words,
                  struct reply *reply);
void request_outputs(struct simulation *sim, struct words *words,
                     struct reply *reply);
void request_leds(struct simulation *sim, struct words *words,
                  struct reply *reply);
void request_display_text(struct simulation *sim, struct words *words,
                          struct reply *reply);
void request_display_picture(struct simulation *sim, struct words *words,
                             struct reply *reply);

#pragma GCC visibility pop

#endif // control.h
