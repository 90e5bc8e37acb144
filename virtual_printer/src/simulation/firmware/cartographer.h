// The firmware of a Cartographer probe
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CARTOGRAPHER_H
#define CARTOGRAPHER_H

#include <stdint.h> // uint32_t

#pragma GCC visibility push(hidden)

struct cartographer;
struct i2c_device;
struct mcu;
struct pin_source;

// What is on its board: no command reaches any of it
struct cartographer_wiring {
    struct i2c_device *converter; // an LDC1612 with the coil
    struct pin_source *ready; // low while that has a result
    uint8_t thermistor_pin; // of the coil
    // What its maker has measured far from any metal: frequency and temperature
    uint32_t base_count;
    uint16_t base_adc;
};

struct cartographer *
cartographer_create(struct mcu *mcu, const struct cartographer_wiring *wiring);
void cartographer_free(struct cartographer *cartographer);

#pragma GCC visibility pop

#endif // cartographer.h
