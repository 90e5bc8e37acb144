// An I2C bus that a host clocks itself, edge by edge, with one chip on it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "i2c_wires.h" // struct i2c_wires
#include <stdlib.h> // free
#include "../core/events.h" // container_of
#include "../core/memory.h" // allocate

// Each byte is followed by a bit that acknowledges it
enum { BITS_PER_BYTE = 9, MESSAGE_SIZE_MAX = 64 };

struct i2c_wires {
    struct i2c_device *device;
    struct pin_load clock, data;
    int clock_level, data_level;
    int is_started;
    size_t bit_count;
    uint8_t bytes[MESSAGE_SIZE_MAX];
};

// Nobody drives the wires: pull-ups do
static int
level_of(double duty)
{
    return duty != 0.0;
}

static void
start(struct i2c_wires *wires)
{
    wires->is_started = 1;
    wires->bit_count = 0;
}

// Hand on what was written to the chip; the first byte is its address
static void
stop(struct i2c_wires *wires)
{
    size_t count = wires->bit_count / BITS_PER_BYTE;
    if (wires->is_started && count
        && wires->bytes[0] == (uint8_t)(wires->device->address << 1))
        wires->device->write(wires->device, wires->bytes + 1, count - 1);
    wires->is_started = 0;
}

static void
take_bit(struct i2c_wires *wires)
{
    size_t place = wires->bit_count / BITS_PER_BYTE;
    size_t bit = wires->bit_count % BITS_PER_BYTE;
    if (!wires->is_started || place >= MESSAGE_SIZE_MAX)
        return;
    if (bit < BITS_PER_BYTE - 1)
        wires->bytes[place] =
            (uint8_t)(wires->bytes[place] << 1 | wires->data_level);
    wires->bit_count++;
}

static void
drive_clock(struct pin_load *load, double duty)
{
    struct i2c_wires *wires = container_of(load, struct i2c_wires, clock);
    int level = level_of(duty);
    if (level && !wires->clock_level)
        take_bit(wires);
    wires->clock_level = level;
}

// Data that changes while the clock is high starts or stops a message
static void
drive_data(struct pin_load *load, double duty)
{
    struct i2c_wires *wires = container_of(load, struct i2c_wires, data);
    int level = level_of(duty);
    if (wires->clock_level && level < wires->data_level)
        start(wires);
    else if (wires->clock_level && level > wires->data_level)
        stop(wires);
    wires->data_level = level;
}

struct i2c_wires *
i2c_wires_connect(struct i2c_device *device, struct pin *clock,
                  struct pin *data)
{
    struct i2c_wires *wires = allocate(1, sizeof(*wires));
    wires->device = device;
    wires->clock.drive = drive_clock;
    wires->data.drive = drive_data;
    wires->clock_level = wires->data_level = 1;
    pin_load_connect(clock, &wires->clock);
    pin_load_connect(data, &wires->data);
    return wires;
}

void
i2c_wires_free(struct i2c_wires *wires)
{
    free(wires);
}
