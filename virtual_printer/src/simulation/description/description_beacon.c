// Beacons in a description file
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // strlen
#include "../core/memory.h" // array_grow
#include "../firmware/beacon.h" // struct beacon
#include "../thermal/thermal.h" // thermal_find_body
#include "description.h" // description_mcu
#include "machine.h" // struct simulation

// Apart from the streams of other sensors
#define BEACON_PURPOSE ((uint64_t)5 << 32)

static int
hex_digit(char digit)
{
    const char *digits = "0123456789abcdef";
    const char *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)(found - digits) : -1;
}

// Read so many bytes, two hex digits each
static void
read_bytes(struct words *words, const char *key, uint8_t *bytes, size_t size)
{
    const char *text = words_text(words, key);
    int is_wrong = strlen(text) != 2 * size;
    for (size_t i = 0; i < size && !is_wrong; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        is_wrong = high < 0 || low < 0;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    if (is_wrong)
        words_fail(words, "%s is not %zu bytes in hex", key, size);
}

static void
read_coil_of(struct simulation *sim, struct words *words, struct coil *coil)
{
    coil->mechanics = &sim->mechanics;
    coil->place.offset_x_mm = words_number(words, "offset_x", -1e4, 1e4);
    coil->place.offset_y_mm = words_number(words, "offset_y", -1e4, 1e4);
    coil->height_mm = words_number(words, "height", 0.0, 1e4);
    coil->far_hz = words_number(words, "coil_hz", 1e3, 1e7);
    coil->noise_hz = words_number(words, "noise_hz", 0.0, 1e6);
    if (!words_find(words, "body"))
        return;
    const char *name = words_text(words, "body");
    coil->body = thermal_find_body(&sim->thermal, name);
    if (!coil->body)
        words_fail(words, "unknown body '%s'", name);
}

void
read_beacon(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    const char *name = words_item(words, 1, "mcu");
    struct mcu *mcu = description_mcu(sim, words, name);
    if (!mcu)
        return;
    if (mcu->beacon) {
        words_fail(words, "mcu '%s' is a beacon already", name);
        return;
    }
    struct beacon *beacon = mcu->beacon = beacon_create(mcu);
    struct beacon **place =
        array_grow(&sim->beacons, &sim->beacon_count, sizeof(*place));
    *place = beacon;
    random_init(&beacon->coil.random, sim->timeline.seed,
                BEACON_PURPOSE + sim->beacon_count);
    read_coil_of(sim, words, &beacon->coil);
    beacon->coil.sensing.mcu = mcu;
    read_bytes(words, "nvm", beacon->nvm, sizeof(beacon->nvm));
    read_bytes(words, "chip_data", beacon->chip_data,
               sizeof(beacon->chip_data));
}
