// Chains of LEDs that are clocked: APA102, called Dotstar
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "led_chain.h" // struct led_chain
#include <stdlib.h> // free
#include <string.h> // memcpy
#include "../core/events.h" // container_of
#include "../core/memory.h" // allocate

// With what the frame of an LED begins, before its brightness
enum { FRAME_MARK = 0xe0 };

// Frames go to one LED after the other; one that is all zero starts again
static void
take_frame(struct led_chain *chain)
{
    if ((chain->frame[0] & FRAME_MARK) != FRAME_MARK) {
        chain->reached = 0;
    } else if (chain->reached < chain->led_count) {
        memcpy(&chain->colors[LED_BYTES * chain->reached++], chain->frame + 1,
               LED_BYTES);
    }
}

static void
transfer(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct led_chain *chain = container_of(device, struct led_chain, spi);
    for (size_t i = 0; i < count; i++) {
        chain->frame[chain->frame_size++] = bytes[i];
        if (chain->frame_size < LED_FRAME_BYTES)
            continue;
        chain->frame_size = 0;
        take_frame(chain);
    }
    memset(bytes, 0, count);
}

struct led_chain *
led_chain_create(size_t led_count)
{
    struct led_chain *chain = allocate(1, sizeof(*chain));
    chain->led_count = led_count;
    chain->colors = allocate(led_count, LED_BYTES);
    chain->spi.transfer = transfer;
    return chain;
}

void
led_chain_free(struct led_chain *chain)
{
    free(chain->colors);
    free(chain);
}
