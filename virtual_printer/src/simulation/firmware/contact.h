// Tells from the frequency of a coil when the nozzle has touched the bed
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CONTACT_H
#define CONTACT_H

#include <stdint.h> // uint64_t

#pragma GCC visibility push(hidden)

// The samples that an approach is learned from, then those that may be past
// the contact already
enum { CONTACT_LEARN = 40, CONTACT_GAP = 14 };
enum { CONTACT_SAMPLES = CONTACT_LEARN + CONTACT_GAP };

struct contact {
    uint8_t latency_min, sensitivity;
    // The last samples, in a ring
    double values[CONTACT_SAMPLES];
    uint64_t count;
    unsigned suspect_count; // in a row, that say the nozzle rests on the bed
    int is_armed, is_found;
    uint64_t armed_clock, trigger_clock, detect_clock;
};

// Wait for a contact from now on
void contact_start(struct contact *contact);
// Take a sample, each so many ticks after the last one; returns whether this is
// the one that shows the contact
int contact_feed(struct contact *contact, double value, uint64_t clock,
                 uint32_t period_ticks);
// How many samples it took
unsigned contact_latency(const struct contact *contact, uint32_t period_ticks);

#pragma GCC visibility pop

#endif // contact.h
