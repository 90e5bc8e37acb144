// A load cell under the nozzle, behind a converter of 24 bits
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // free
#include <string.h> // strcmp
#include "../mechanics/mechanics.h" // mechanics_nozzle_force_g
#include "load_cell.h" // struct load_cell

enum { COUNTS_MAX = 0x7fffff };
// What the nozzle pushes with that is on the bed
#define NEAR_G 200.0


/****************************************************************
 * The cell
 ****************************************************************/

int32_t
load_cell_counts(struct load_cell *cell)
{
    double push_g = cell->sensing.state == SENSING_NEAR
        ? NEAR_G
        : mechanics_nozzle_force_g(cell->mechanics);
    double force_g = push_g + cell->noise_g * random_normal(&cell->random);
    double counts = sensing_value(
        &cell->sensing, cell->zero_counts + cell->counts_per_g * force_g);
    if (counts > COUNTS_MAX)
        return COUNTS_MAX;
    if (counts < -COUNTS_MAX - 1)
        return -COUNTS_MAX - 1;
    return (int32_t)counts;
}


/****************************************************************
 * Conversions: nobody has to be there when one ends
 ****************************************************************/

void
load_cell_start(struct load_cell *cell, double rate_hz, int first_periods)
{
    cell->is_converting = 1;
    cell->period_ns = NS_PER_S / (rate_hz * cell->rate_factor);
    cell->start_ns = cell->timeline->now_ns;
    cell->taken_count = first_periods - 1;
}

void
load_cell_stop(struct load_cell *cell)
{
    cell->is_converting = 0;
}

int64_t
load_cell_ready_ns(const struct load_cell *cell)
{
    if (!cell->is_converting || cell->sensing.state == SENSING_SILENT)
        return INT64_MAX;
    double due_ns = cell->period_ns * (double)(cell->taken_count + 1);
    return cell->start_ns + (int64_t)due_ns + 1;
}

int
load_cell_is_ready(const struct load_cell *cell)
{
    return load_cell_ready_ns(cell) <= cell->timeline->now_ns;
}

void
load_cell_take(struct load_cell *cell)
{
    double elapsed_ns = (double)(cell->timeline->now_ns - cell->start_ns);
    int64_t count = (int64_t)(elapsed_ns / cell->period_ns);
    if (count > cell->taken_count)
        cell->taken_count = count;
}


/****************************************************************
 * Life cycle
 ****************************************************************/

static const struct {
    const char *name;
    struct load_cell *(*create)(void);
} kinds[] = {
    { "hx71x",     hx71x_create     },
    { "ads1220",   ads1220_create   },
    { "ads131m02", ads131m02_create },
    { "ads131m04", ads131m04_create },
};

struct load_cell *
load_cell_create(const char *kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strcmp(kinds[i].name, kind))
            return kinds[i].create();
    return NULL;
}

void
load_cell_free(struct load_cell *cell)
{
    free(cell);
}
