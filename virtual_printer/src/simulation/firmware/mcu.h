// One virtual micro-controller: clock, timers, objects, move queue, shutdown
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef MCU_H
#define MCU_H

#include "../core/random_stream.h" // struct random_stream
#include "../core/timeline.h" // struct timeline
#include "../links/link.h" // struct link
#include "../links/protocol.h" // struct receiver
#include "responses.h" // enum response

#pragma GCC visibility push(hidden)

struct mcu;
struct mechanics;

enum { MESSAGE_ID_COUNT = 256, OBJECT_ID_COUNT = 256, PIN_COUNT = 256 };
enum { CLOCK_SHIFT = 56 };

// What can be wrong with a response whose checksum is right: its last
// value is missing, another one follows, no message has its number, a
// value is nonsense, it comes twice, or not at all
enum malformation {
    MALFORMED_NOT,
    MALFORMED_CUT,
    MALFORMED_LONG,
    MALFORMED_UNKNOWN,
    MALFORMED_VALUE,
    MALFORMED_DOUBLED,
    MALFORMED_MISSING,
    MALFORMED_COUNT,
};

enum object_type {
    OBJECT_NONE,
    OBJECT_STEPPER,
    OBJECT_ENDSTOP,
    OBJECT_TRSYNC,
    OBJECT_DIGITAL_OUT,
    OBJECT_DISTANCE,
};

enum timer_result { TIMER_DONE, TIMER_AGAIN };

// Something the firmware does at a clock of its own.  For TIMER_AGAIN
// the callback has moved wake_clock on.
struct mcu_timer {
    struct event event;
    struct mcu *mcu;
    uint64_t wake_clock;
    enum timer_result (*callback)(struct mcu_timer *timer);
};

// Slot of the move queue, which steppers and digital outputs share
struct move {
    struct move *next;
    uint32_t interval_ticks, clock, on_ticks;
    uint16_t count;
    int16_t add_ticks;
    uint8_t direction;
};

struct move_queue {
    struct move *first, *last;
};

struct object {
    enum object_type type;
    void *data;
};

struct static_string {
    uint16_t id;
    char *text;
};

struct mcu {
    struct timeline *timeline;
    struct mechanics *mechanics; // what its pins are wired to
    char *name;
    struct link link;
    int line; // of the description

    // Data dictionary
    const struct command *commands[MESSAGE_ID_COUNT];
    uint32_t response_ids[RESPONSE_COUNT];
    uint8_t has_response[RESPONSE_COUNT];
    struct static_string *strings;
    size_t string_count;
    uint16_t reason_ids[REASON_COUNT];
    uint8_t *dictionary;
    size_t dictionary_size;

    // Clock: ticks since start_clock = elapsed ns * rate / 2^CLOCK_SHIFT
    uint32_t nominal_frequency;
    uint64_t rate, start_clock;
    int64_t start_ns;

    // Receiving and running commands
    struct receiver receiver;
    struct random_stream random;
    struct event process_event, boot_event, stats_event, task_event;
    int is_booting;
    int is_in_turn;
    // A shutdown ends the turn in which it happens at once
    int is_interrupted;

    // Configuration
    struct object *objects;
    uint32_t object_count;
    int is_finalized;
    uint32_t config_checksum;
    uint8_t pin_levels[PIN_COUNT];

    // Move queue
    struct move *moves, *free_moves;
    uint32_t move_count, moves_used, moves_used_peak;

    // Shutdown
    int is_shutdown;
    uint16_t shutdown_id;
    int is_trsync_task_due;
    uint64_t command_count;

    // A fault on purpose: the next responses of this kind are malformed,
    // with nonsense for this value, or the last if there are fewer
    enum response malformed_response;
    enum malformation malformation;
    uint32_t malformed_times;
    size_t malformed_field;
};

struct mcu *mcu_create(struct timeline *timeline, struct mechanics *mechanics,
                       size_t index);
void mcu_start(struct mcu *mcu, double clock_offset_s, double drift_ppm);
void mcu_free(struct mcu *mcu);

// Clock at a time, and the first time at which the clock is reached
uint64_t mcu_clock_at(const struct mcu *mcu, int64_t time_ns);
int64_t mcu_time_of(const struct mcu *mcu, uint64_t clock);
uint64_t mcu_clock_now(const struct mcu *mcu);
uint32_t mcu_ticks_from_ns(const struct mcu *mcu, uint32_t duration_ns);

// The 64 bit clock meant by a clock on the wire, at most 2^31 ticks away
uint64_t mcu_clock_from_wire(const struct mcu *mcu, uint32_t clock);

// Everything the firmware does happens between these two
void mcu_begin_turn(struct mcu *mcu);
void mcu_end_turn(struct mcu *mcu);

void mcu_respond(struct mcu *mcu, enum response response,
                 const uint32_t *values, size_t count);
#define MCU_RESPOND(mcu, response, ...)                               \
    mcu_respond((mcu), (response), (const uint32_t[]){ __VA_ARGS__ }, \
                sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

// Stop everything, remember and report why
void mcu_shutdown(struct mcu *mcu, enum reason reason);
void mcu_shutdown_by_id(struct mcu *mcu, uint16_t string_id);
const char *mcu_string(const struct mcu *mcu, uint16_t string_id);
int mcu_find_string(const struct mcu *mcu, const char *text);

// Forget the configuration; the clock and the link go on
void mcu_config_reset(struct mcu *mcu);
// Start over as after power-on
void mcu_reboot(struct mcu *mcu);

void mcu_timer_init(struct mcu_timer *timer, struct mcu *mcu,
                    enum timer_result (*callback)(struct mcu_timer *));
// Shuts down and returns -1 if the clock has passed already
int mcu_timer_add(struct mcu_timer *timer, uint32_t clock);
void mcu_timer_start(struct mcu_timer *timer, uint64_t clock);
void mcu_timer_cancel(struct mcu_timer *timer);

// Find an object, or shut down and return NULL
void *mcu_object(struct mcu *mcu, uint32_t oid, enum object_type type);
void *mcu_object_add(struct mcu *mcu, uint32_t oid, enum object_type type,
                     size_t size);
// The next object of a type from an oid on, NULL after the last one
void *mcu_object_next(struct mcu *mcu, uint32_t *oid, enum object_type type);

// All slots are free again
void moves_reset(struct mcu *mcu);
// Get a slot, or shut down and return NULL
struct move *move_allocate(struct mcu *mcu);
void move_release(struct mcu *mcu, struct move *move);
void move_queue_push(struct move_queue *queue, struct move *move);
struct move *move_queue_pop(struct move_queue *queue);

// commands.c
enum { ARGUMENT_COUNT_MAX = 8 };

struct command {
    const char *name;
    void (*run)(struct mcu *mcu, const uint32_t *arguments);
    uint8_t argument_count;
    uint8_t is_allowed_in_shutdown;
};

const struct command *command_find(const char *name);
// Run all commands of a block
void command_dispatch(struct mcu *mcu, const uint8_t *payload, size_t size);

#pragma GCC visibility pop

#endif // mcu.h
