// Chains of LEDs that are sent their colours over one wire
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef NEOPIXEL_H
#define NEOPIXEL_H

#include <stddef.h> // size_t
#include <stdint.h> // uint8_t

#pragma GCC visibility push(hidden)

struct mcu;

// The bytes that the chain on a pin shows, NULL if there is none
const uint8_t *neopixel_shown(struct mcu *mcu, uint8_t pin, size_t *size);

#pragma GCC visibility pop

#endif // neopixel.h
