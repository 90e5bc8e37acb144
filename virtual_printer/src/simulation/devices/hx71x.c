// HX711 and HX717: read bit by bit, by pulses on their clock pin
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "load_cell.h" // struct load_cell

// A clock pin that stays high switches the chip off
#define POWER_DOWN_NS 60000
enum { RESULT_BITS = 24, FIRST_PERIODS = 4 };

struct hx71x {
    struct load_cell cell;
    int is_high; // the clock pin
    int64_t rise_ns;
    uint32_t result;
    int pulse_count; // since the result was ready
};

static int
is_shifting(const struct hx71x *hx71x)
{
    return hx71x->pulse_count > 0 && hx71x->pulse_count <= RESULT_BITS;
}

static int
level(struct pin_source *source)
{
    struct hx71x *hx71x = container_of(source, struct hx71x, cell.ready);
    if (is_shifting(hx71x))
        return hx71x->result >> (RESULT_BITS - hx71x->pulse_count) & 1;
    return !load_cell_is_ready(&hx71x->cell);
}

static int64_t
next_low_ns(struct pin_source *source)
{
    struct hx71x *hx71x = container_of(source, struct hx71x, cell.ready);
    return load_cell_ready_ns(&hx71x->cell);
}

// The first pulse takes the result, further ones its bits; those behind them
// choose the gain
static void
rise(struct hx71x *hx71x)
{
    hx71x->rise_ns = hx71x->cell.timeline->now_ns;
    if (!is_shifting(hx71x) && load_cell_is_ready(&hx71x->cell)) {
        hx71x->result = (uint32_t)load_cell_counts(&hx71x->cell);
        hx71x->pulse_count = 0;
        load_cell_take(&hx71x->cell);
    } else if (!hx71x->pulse_count) {
        return;
    }
    hx71x->pulse_count++;
}

static void
fall(struct hx71x *hx71x)
{
    struct load_cell *cell = &hx71x->cell;
    if (cell->timeline->now_ns - hx71x->rise_ns < POWER_DOWN_NS)
        return;
    hx71x->pulse_count = 0;
    load_cell_start(cell, cell->rate_hz, FIRST_PERIODS);
}

static void
drive(struct pin_load *load, double duty)
{
    struct hx71x *hx71x = container_of(load, struct hx71x, cell.clock_pin);
    int is_high = duty > 0.0;
    if (is_high && !hx71x->is_high)
        rise(hx71x);
    else if (!is_high && hx71x->is_high)
        fall(hx71x);
    hx71x->is_high = is_high;
}

struct load_cell *
hx71x_create(void)
{
    struct hx71x *hx71x = allocate(1, sizeof(*hx71x));
    hx71x->cell.ready.level = level;
    hx71x->cell.ready.next_low_ns = next_low_ns;
    hx71x->cell.clock_pin.drive = drive;
    return &hx71x->cell;
}
