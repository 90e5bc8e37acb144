// Outputs that are set at given clocks, and that may not stay on for too long
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef TIMED_OUTPUT_H
#define TIMED_OUTPUT_H

#include "mcu.h" // struct mcu_timer

#pragma GCC visibility push(hidden)

struct timed_output;

struct timed_output_kind {
    struct object_type type;
    // Set the output; returns whether it is as a shutdown would leave it
    int (*apply)(struct timed_output *out, uint32_t value);
    // Switch an output that toggles; returns the ticks to its next edge
    uint32_t (*toggle)(struct timed_output *out);
    // No setting has come in time, or it would not
    enum reason missed, exceeds;
};

// First in the object of an output
struct timed_output {
    struct mcu *mcu;
    const struct timed_output_kind *kind;
    struct mcu_timer timer;
    struct move_queue queue;
    uint32_t default_value;
    uint32_t max_duration_ticks; // that it may have another value, 0 if any
    // When the next setting is due, at the latest if it is not there yet
    uint8_t has_deadline;
    uint32_t deadline_clock;
    // Of an output that toggles: ticks to its next edge; 0 for any other
    uint32_t edge_ticks;
};

// Add an output as an object of so many bytes; NULL after a shutdown
void *timed_output_add(struct mcu *mcu, uint32_t oid,
                       const struct timed_output_kind *kind, size_t size,
                       uint32_t default_value, uint32_t max_duration_ticks);
// Have a value set at a clock, after those that are waiting
void timed_output_queue(struct timed_output *out, uint32_t clock,
                        uint32_t value);
// Set a value now, which is an error while others are waiting
void timed_output_update(struct timed_output *out, uint32_t value,
                         enum reason waiting);
// Set all outputs of a kind to their defaults, and forget what is waiting
void timed_outputs_shutdown(struct mcu *mcu,
                            const struct timed_output_kind *kind);

#pragma GCC visibility pop

#endif // timed_output.h
