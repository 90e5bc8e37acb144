// Communication peripherals of SAMD chips, whose pins the host chooses
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "mcu.h" // struct mcu

// A bus is known by its number and a chip on it by its select pin, so nothing
// depends on which pins carry clock and data.
static void
command_set_sercom_pin(struct mcu *mcu, const uint32_t *arguments)
{
    (void)mcu, (void)arguments;
}

static const struct command commands[] = {
    { "set_sercom_pin", command_set_sercom_pin, "bus sercom_pin_type pin", 0 },
};

const struct peripheral sercom_peripheral = { COMMANDS_OF(commands) };
