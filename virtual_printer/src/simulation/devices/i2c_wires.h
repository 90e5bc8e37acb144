// An I2C bus that a host clocks itself, edge by edge, with one chip on it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef I2C_WIRES_H
#define I2C_WIRES_H

#include "../core/pin.h" // struct i2c_device

#pragma GCC visibility push(hidden)

struct i2c_wires;

// Have a chip hear what is written to it over two pins
struct i2c_wires *i2c_wires_connect(struct i2c_device *device,
                                    struct pin *clock, struct pin *data);
void i2c_wires_free(struct i2c_wires *wires);

#pragma GCC visibility pop

#endif // i2c_wires.h
