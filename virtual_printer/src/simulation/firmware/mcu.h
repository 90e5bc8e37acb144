// One virtual micro-controller: clock, timers, objects, move queue, shutdown
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef MCU_H
#define MCU_H

#include "../core/pin.h" // struct pin
#include "../core/random_stream.h" // struct random_stream
#include "../core/timeline.h" // struct timeline
#include "../links/link.h" // struct link
#include "../links/protocol.h" // struct receiver
#include "commands.h" // struct wire_command
#include "cpu.h" // struct cpu
#include "responses.h" // enum response
#include "unanswered.h" // struct unanswered

#pragma GCC visibility push(hidden)

struct beacon;
struct cartographer;
struct late_response;
struct mcu;
struct mechanics;

enum { OBJECT_ID_COUNT = 256, PIN_COUNT = 256 };
// Messages up to 95 take one byte, those below zero too
enum { MESSAGE_ID_MIN = -32, MESSAGE_ID_MAX = 479, MESSAGE_ID_COUNT = 512 };
enum { CLOCK_SHIFT = 56 };

// What can be wrong with a response whose checksum is right: its last
// value is missing, another one follows, no message has its number, a
// value is nonsense, it comes twice, not at all, or later
enum malformation {
    MALFORMED_NOT,
    MALFORMED_CUT,
    MALFORMED_LONG,
    MALFORMED_UNKNOWN,
    MALFORMED_VALUE,
    MALFORMED_DOUBLED,
    MALFORMED_MISSING,
    MALFORMED_LATE,
    MALFORMED_COUNT,
};

enum timer_result { TIMER_DONE, TIMER_AGAIN };

// Something the firmware does at a clock of its own.  For TIMER_AGAIN
// the callback has moved wake_clock on.
struct mcu_timer {
    struct event event;
    struct mcu *mcu;
    uint64_t wake_clock;
    enum timer_result (*callback)(struct mcu_timer *timer);
    // How many timers of the firmware this one stands for
    uint8_t event_count;
    uint8_t is_late;
    struct mcu_timer *next_late;
};

// Slot of the move queue, which steppers and digital outputs share
struct move {
    struct move *next;
    uint32_t interval_ticks, clock, on_ticks;
    uint16_t count;
    int16_t add_ticks;
    uint8_t direction, load_level;
};

struct move_queue {
    struct move *first, *last;
};

// What an object is, by the address of a record of its module
struct object_type {
    const char *name;
};

struct object {
    const struct object_type *type; // NULL while there is no such object
    void *data;
};

// What is at an address of the chip's memory
struct memory_word {
    struct memory_word *next;
    uint32_t address, value;
};

// A pin that is wired to a supply or its ground
struct fixed_voltage {
    struct fixed_voltage *next;
    struct analog_source source;
    double ratio;
};

// What a firmware has for objects and moves, and what these take; 0 bytes
// stand for more than anybody needs
struct memory_sizes {
    uint32_t total_bytes, id_bytes, object_bytes, move_bytes;
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
    struct wire_command commands[MESSAGE_ID_COUNT]; // from MESSAGE_ID_MIN on
    uint32_t response_ids[RESPONSE_COUNT];
    uint8_t has_response[RESPONSE_COUNT];
    // Whether the last value of a response is bytes
    uint8_t is_of_bytes[RESPONSE_COUNT];
    struct static_string *strings;
    size_t string_count;
    uint16_t reason_ids[REASON_COUNT];
    uint8_t *dictionary;
    size_t dictionary_size;

    // Clock: ticks since start_clock = elapsed ns * rate / 2^CLOCK_SHIFT
    uint32_t nominal_frequency;
    // Value of a hardware PWM pin that is always high
    uint32_t pwm_max;
    uint64_t rate, start_clock;
    int64_t start_ns;
    // Pulses up to so long need no timer of their own, if steps are on both of
    // their edges or on one; 0 if such firmware knows none
    uint32_t plain_edge_ticks, plain_unstep_ticks;

    // Receiving and running commands
    struct cpu cpu;
    struct receiver receiver;
    struct random_stream random;
    struct task process_task, trsync_task;
    struct event boot_event, stats_event;
    int64_t tasks_free_ns; // when the commands of the last block are done
    // A shutdown has left a block in the buffer that waits for its answer
    int has_stale_block;
    // What the command that runs has for those of its arguments that are bytes
    const uint8_t *argument_bytes[ARGUMENT_COUNT_MAX];
    int is_booting;
    int is_in_turn;
    // A shutdown ends the turn in which it happens at once
    int is_interrupted;

    // Configuration
    struct object *objects;
    uint32_t object_count;
    int is_finalized;
    uint32_t config_checksum;
    // What is connected stays when the configuration goes
    struct pin pins[PIN_COUNT];
    struct spi_device *spi_devices; // that no pin selects
    struct i2c_device *i2c_devices;
    struct fixed_voltage *fixed_voltages;
    uint32_t adc_max; // what an analog input shows at the reference voltage
    struct memory_word *memory_words; // that a host may read
    struct one_wire_sensor *one_wire_sensors;
    struct unanswered *unanswered;
    // What this MCU is, NULL for most
    struct beacon *beacon;
    struct cartographer *cartographer;

    // Memory for objects and moves
    struct memory_sizes memory;
    uint32_t memory_left;

    // Move queue
    struct move *moves, *free_moves;
    // How many there are, and how many the firmware wants
    uint32_t move_count, move_count_max;
    uint32_t moves_used, moves_used_peak;

    // Shutdown
    int is_shutdown;
    uint16_t shutdown_id;
    int is_trsync_task_due;
    uint64_t command_count;

    // A fault on purpose: the next responses of this kind are malformed,
    // with nonsense for this value, or the last if there are fewer, or so late
    enum response malformed_response;
    enum malformation malformation;
    uint32_t malformed_times;
    size_t malformed_field;
    int64_t malformed_late_ns;
    struct late_response *late_responses;
};

struct mcu *mcu_create(struct timeline *timeline, struct mechanics *mechanics,
                       size_t index);
void mcu_start(struct mcu *mcu, double clock_offset_s, double drift_ppm);
// Let the clock go on at another rate
void mcu_set_drift(struct mcu *mcu, double drift_ppm);
void mcu_free(struct mcu *mcu);

// Clock at a time, and the first time at which the clock is reached; what was
// before the rate changed counts as then
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
// The same with bytes behind the values
void mcu_respond_bytes(struct mcu *mcu, enum response response,
                       const uint32_t *values, size_t count,
                       const uint8_t *bytes, size_t size);
#define MCU_RESPOND_BYTES(mcu, response, bytes, size, ...)                    \
    mcu_respond_bytes((mcu), (response), (const uint32_t[]){ __VA_ARGS__ },   \
                      sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4, (bytes), \
                      (size))

// Never send what is late still
void responses_forget_late(struct mcu *mcu);

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
// Shuts down and returns -1 if that comes too late
int mcu_timer_add(struct mcu_timer *timer, uint32_t clock);
void mcu_timer_start(struct mcu_timer *timer, uint64_t clock);
// Have all that wait for a clock run when the clock now gets there
void mcu_timers_restart(struct mcu *mcu);
// Start a timer again that has just run
void mcu_timer_rearm(struct mcu_timer *timer);
void mcu_timer_cancel(struct mcu_timer *timer);
int mcu_timer_is_pending(const struct mcu_timer *timer);

// Set an output, to a level or to the share of time for which it is high
void mcu_pin_set(struct mcu *mcu, uint8_t pin, int level);
void mcu_pin_drive(struct mcu *mcu, uint8_t pin, double duty);
// Switch an output on for a part of each cycle, from a clock on
void mcu_pin_modulate(struct mcu *mcu, uint8_t number, uint64_t clock,
                      uint32_t on_ticks, uint32_t cycle_ticks);
// Let all outputs float, as after a reset
void mcu_pins_release(struct mcu *mcu);
// Level of an output
int mcu_pin_output(const struct mcu *mcu, uint8_t number);
// Level of an input
int mcu_pin_level(const struct mcu *mcu, uint8_t pin, int pull_up_level);
// The same at a time since the last change that was announced
int mcu_pin_level_at(const struct mcu *mcu, uint8_t number, int64_t time_ns,
                     int pull_up_level);
// Whether its level changes without being announced, as its source foresees
int mcu_pin_goes_on(const struct mcu *mcu, uint8_t number);
// Whether its level changes without being announced
int mcu_pin_needs_polls(const struct mcu *mcu, uint8_t number);

// Wire an analog input, which has nothing else on it
void mcu_fix_voltage(struct mcu *mcu, uint8_t pin, double ratio);

// Find an object, or shut down and return NULL
void *mcu_object(struct mcu *mcu, uint32_t oid, const struct object_type *type);
void *mcu_object_add(struct mcu *mcu, uint32_t oid,
                     const struct object_type *type, size_t size);
// The next object of a type from an oid on, NULL after the last one
void *mcu_object_next(struct mcu *mcu, uint32_t *oid,
                      const struct object_type *type);

// Take memory for objects, or for moves; shuts down and returns -1 if there
// is not enough
int mcu_objects_allocate(struct mcu *mcu, uint32_t count);
int moves_allocate(struct mcu *mcu);
void moves_free(struct mcu *mcu);
// All slots are free again
void moves_reset(struct mcu *mcu);
// Get a slot, or shut down and return NULL
struct move *move_allocate(struct mcu *mcu);
void move_release(struct mcu *mcu, struct move *move);
void move_queue_push(struct move_queue *queue, struct move *move);
struct move *move_queue_pop(struct move_queue *queue);

#pragma GCC visibility pop

#endif // mcu.h
