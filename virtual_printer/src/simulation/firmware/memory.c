// Reading the memory of a virtual micro-controller
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "mcu.h" // struct mcu

// Sizes of what is read: 1, 2 or 4 bytes
enum { ORDER_BYTE, ORDER_HALF, ORDER_WORD };

static void
command_debug_read(struct mcu *mcu, const uint32_t *arguments)
{
    uint32_t order = arguments[0] & 0xff, address = arguments[1];
    const struct memory_word *word = mcu->memory_words;
    while (word && word->address != address)
        word = word->next;
    uint32_t value = word ? word->value : 0;
    if (order < ORDER_WORD)
        value &= order == ORDER_HALF ? 0xffff : 0xff;
    MCU_RESPOND(mcu, RESPONSE_DEBUG, value);
}

static const struct command commands[] = {
    { "debug_read", command_debug_read, "order addr", 1 },
};

const struct peripheral memory_peripheral = { COMMANDS_OF(commands) };
