// I2C buses, for other parts of the firmware that ask chips on them
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef I2C_H
#define I2C_H

#include <stddef.h> // size_t
#include <stdint.h> // uint8_t

#pragma GCC visibility push(hidden)

struct mcu;
struct i2c;

// The chip of an oid; shuts down and returns NULL if there is none
struct i2c *i2c_find(struct mcu *mcu, uint32_t oid);
// A chip that is not there takes all bytes and answers zeros
int i2c_chip_write(struct i2c *i2c, const uint8_t *bytes, size_t count);
int i2c_chip_read(struct i2c *i2c, const uint8_t *bytes, size_t count,
                  uint8_t *answer, size_t answer_size);

// The same to the chip at an address, without an object of it
int i2c_bus_write(struct mcu *mcu, uint32_t bus, uint8_t address,
                  const uint8_t *bytes, size_t count);

#pragma GCC visibility pop

#endif // i2c.h
