// Chains of LEDs that are clocked: APA102, called Dotstar
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef LED_CHAIN_H
#define LED_CHAIN_H

#include "../core/pin.h" // struct spi_device

#pragma GCC visibility push(hidden)

// Of an LED: blue, green and red
enum { LED_BYTES = 3, LED_FRAME_BYTES = 4 };

struct led_chain {
    struct led_chain *next; // of the same machine
    struct spi_device spi;
    const struct pin *data_pin; // by which tests name it
    size_t led_count;
    uint8_t *colors;
    // The LED that the next frame is for, and what has come of that
    size_t reached, frame_size;
    uint8_t frame[LED_FRAME_BYTES];
};

struct led_chain *led_chain_create(size_t led_count);
void led_chain_free(struct led_chain *chain);

#pragma GCC visibility pop

#endif // led_chain.h
