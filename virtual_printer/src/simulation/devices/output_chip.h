// Chips with outputs that the host sets: potentiometers, converters, LED
// drivers, and what else takes an MCU's place where it has not enough pins
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef OUTPUT_CHIP_H
#define OUTPUT_CHIP_H

#include "../core/pin.h" // struct pin

#pragma GCC visibility push(hidden)

enum { OUTPUT_COUNT_MAX = 40, OUTPUT_REGISTERS = 256 };

struct output_chip;

struct output_chip_kind {
    const char *name;
    int output_count;
    // Set the registers as they are after power-on
    void (*reset)(struct output_chip *chip);
    // Take what is written to the chip at once
    void (*write)(struct output_chip *chip, const uint8_t *bytes, size_t count);
    // How far an output is on, from 0 to 1: the place of a wiper, a voltage,
    // or a share of the time
    double (*share)(const struct output_chip *chip, int output);
};

struct output_chip {
    struct output_chip *next; // of the same machine
    char *name;
    const struct output_chip_kind *kind;
    struct spi_device spi;
    struct i2c_device i2c;
    struct i2c_wires *wires; // NULL unless software clocks its bus
    // A pin that has to be on for the outputs to be
    struct pin_load enable;
    int is_enable_inverted, is_enabled;
    uint8_t pointer; // the register that is read next
    uint16_t registers[OUTPUT_REGISTERS];
    struct pin outputs[OUTPUT_COUNT_MAX];
};

// Create a chip of a kind by its name, NULL if there is none such
struct output_chip *output_chip_create(const char *kind, const char *name);
void output_chip_free(struct output_chip *chip);
// Have the outputs on only while a pin of an MCU is
void output_chip_connect_enable(struct output_chip *chip, struct pin *pin,
                                int is_inverted);

// potentiometers.c and output_drivers.c
extern const struct output_chip_kind ad5206_kind, dac084s085_kind, mcp4018_kind,
    mcp4451_kind, mcp4728_kind, pca9533_kind, pca9632_kind, pca9685_kind,
    shift_registers_kind, sx1509_kind;

#pragma GCC visibility pop

#endif // output_chip.h
