// Bosch's sensors of temperature, pressure and humidity on I2C: a host works
// out what they measure, by numbers that each of them was trimmed with
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef BOSCH_H
#define BOSCH_H

#include "thermal.h" // struct temperature_sensor

#pragma GCC visibility push(hidden)

struct bosch_chip;

struct bosch_kind {
    // Registers that can be written
    uint8_t first_written, last_written;
    // One of them has been; NULL if that does nothing
    void (*written)(struct temperature_sensor *sensor, struct bosch_chip *chip,
                    uint8_t address);
    // Registers are to be read, from this one on; NULL if all are up to date
    void (*asked)(struct temperature_sensor *sensor, struct bosch_chip *chip,
                  uint8_t address);
};

struct bosch_chip {
    const struct bosch_kind *kind;
    uint8_t pointer;
    uint8_t registers[256];
    int64_t sample; // number of the last one, of a chip that goes on by itself
};

// Connect a chip to its sensor; its registers are all zero
struct bosch_chip *bosch_attach(struct temperature_sensor *sensor,
                                const struct bosch_kind *kind);

// What a converter of so many bits shows for a value that rises, or falls,
// with it
uint32_t bosch_find_raw(double (*meaning)(double raw, double fine), double fine,
                        double value, int bits);

// Numbers in the order of the chip's registers
void bosch_put_bits_20(uint8_t *bytes, uint32_t value);
void bosch_put_little(uint8_t *bytes, int value);
void bosch_put_big(uint8_t *bytes, int value);

#pragma GCC visibility pop

#endif // bosch.h
