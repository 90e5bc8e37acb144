// A load cell under the nozzle, behind a converter of 24 bits
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef LOAD_CELL_H
#define LOAD_CELL_H

#include "../core/pin.h" // struct spi_device
#include "../core/random_stream.h" // struct random_stream
#include "../core/timeline.h" // struct timeline
#include "sensing.h" // struct sensing

#pragma GCC visibility push(hidden)

struct mechanics;

struct load_cell {
    const struct timeline *timeline;
    struct mechanics *mechanics;
    struct random_stream random;
    double counts_per_g, zero_counts, noise_g;
    struct sensing sensing;

    // The converter
    struct spi_device spi; // or else it is read by its pins
    struct pin_source ready;
    struct pin_load clock_pin;
    double rate_hz; // of a converter that is set by its own pins
    double rate_factor; // of its own clock
    int is_converting;
    double period_ns;
    int64_t start_ns, taken_count; // conversions since the start
};

// Create a load cell by the kind of its converter, NULL if there is none such
struct load_cell *load_cell_create(const char *kind);
void load_cell_free(struct load_cell *cell);

// For the converters.  What the cell says now, in their units
int32_t load_cell_counts(struct load_cell *cell);
// Convert from now on; the first result takes so many periods
void load_cell_start(struct load_cell *cell, double rate_hz, int first_periods);
void load_cell_stop(struct load_cell *cell);
int load_cell_is_ready(const struct load_cell *cell);
// The result is taken; there is none until the next conversion has ended
void load_cell_take(struct load_cell *cell);
// When there is one, INT64_MAX if never
int64_t load_cell_ready_ns(const struct load_cell *cell);

// One function for each family of converters
struct load_cell *hx71x_create(void);
struct load_cell *ads1220_create(void);
struct load_cell *ads131m02_create(void);
struct load_cell *ads131m04_create(void);

#pragma GCC visibility pop

#endif // load_cell.h
