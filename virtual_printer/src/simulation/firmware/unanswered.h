// Chips that firmware speaks to and that nobody has modelled
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef UNANSWERED_H
#define UNANSWERED_H

#include <stdint.h> // uint32_t

#pragma GCC visibility push(hidden)

struct mcu;

enum { UNANSWERED_SPI, UNANSWERED_SPI_BUS, UNANSWERED_I2C };

struct unanswered {
    struct unanswered *next; // of the same MCU
    int kind;
    uint32_t place; // select pin, or number of the bus
    uint8_t address; // on an I2C bus
};

// Remember, once, that nobody answers there
void unanswered_note(struct mcu *mcu, int kind, uint32_t place,
                     uint8_t address);
void unanswered_free(struct mcu *mcu);

#pragma GCC visibility pop

#endif // unanswered.h
