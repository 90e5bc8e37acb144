// Chains of LEDs that are sent their colours over one wire
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "neopixel.h" // neopixel_shown
#include <string.h> // memcpy
#include "mcu.h" // struct mcu

static const struct object_type neopixel_type = { "neopixel" };

enum { DATA_SIZE_MAX = 0x7fff };

struct neopixel {
    uint8_t pin;
    size_t size;
    uint8_t bytes[]; // those that were updated, then those that are shown
};

const uint8_t *
neopixel_shown(struct mcu *mcu, uint8_t pin, size_t *size)
{
    struct neopixel *neopixel;
    uint32_t oid = 0;
    while ((neopixel = mcu_object_next(mcu, &oid, &neopixel_type))) {
        if (neopixel->pin != pin)
            continue;
        *size = neopixel->size;
        return neopixel->bytes + neopixel->size;
    }
    return NULL;
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_neopixel(struct mcu *mcu, const uint32_t *arguments)
{
    size_t size = (uint16_t)arguments[2];
    if (size > DATA_SIZE_MAX) {
        mcu_shutdown(mcu, REASON_NEOPIXEL_DATA_SIZE);
        return;
    }
    struct neopixel *neopixel = mcu_object_add(
        mcu, arguments[0], &neopixel_type, sizeof(*neopixel) + 2 * size);
    if (!neopixel)
        return;
    neopixel->pin = (uint8_t)arguments[1];
    neopixel->size = size;
    mcu_pin_set(mcu, neopixel->pin, 0);
}

static void
command_neopixel_update(struct mcu *mcu, const uint32_t *arguments)
{
    struct neopixel *neopixel = mcu_object(mcu, arguments[0], &neopixel_type);
    if (!neopixel)
        return;
    size_t place = (uint16_t)arguments[1], count = arguments[2];
    if (place + count > neopixel->size)
        mcu_shutdown(mcu, REASON_NEOPIXEL_UPDATE);
    else
        memcpy(neopixel->bytes + place, mcu->argument_bytes[2], count);
}

static void
command_neopixel_send(struct mcu *mcu, const uint32_t *arguments)
{
    struct neopixel *neopixel = mcu_object(mcu, arguments[0], &neopixel_type);
    if (!neopixel)
        return;
    memcpy(neopixel->bytes + neopixel->size, neopixel->bytes, neopixel->size);
    MCU_RESPOND(mcu, RESPONSE_NEOPIXEL_RESULT, arguments[0] & 0xff, 1);
}

static const struct command commands[] = {
    { "config_neopixel", command_config_neopixel,
     "oid pin data_size bit_max_ticks reset_min_ticks",           0 },
    { "neopixel_update", command_neopixel_update, "oid pos data", 0 },
    { "neopixel_send",   command_neopixel_send,   "oid",          0 },
};

const struct peripheral neopixel_peripheral = { COMMANDS_OF(commands) };
