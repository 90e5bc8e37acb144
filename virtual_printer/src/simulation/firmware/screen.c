// Displays to which bytes are clocked out on pins
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "mcu.h" // struct mcu

static const struct object_type hd44780_type = { "hd44780" };
static const struct object_type st7920_type = { "st7920" };

// Displays are told apart by the pin that enables them
struct screen {
    struct mcu *mcu;
    uint8_t pin;
};

static void
add_screen(struct mcu *mcu, uint32_t oid, const struct object_type *type,
           uint32_t pin)
{
    struct screen *screen = mcu_object_add(mcu, oid, type, sizeof(*screen));
    if (!screen)
        return;
    screen->mcu = mcu;
    screen->pin = (uint8_t)pin;
}

static void
send_bytes(struct mcu *mcu, const uint32_t *arguments,
           const struct object_type *type, int is_data)
{
    struct screen *screen = mcu_object(mcu, arguments[0], type);
    if (!screen)
        return;
    struct clocked_device *device = mcu->pins[screen->pin].clocked;
    if (device)
        device->write(device, mcu->argument_bytes[1], arguments[1], is_data);
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_hd44780(struct mcu *mcu, const uint32_t *arguments)
{
    add_screen(mcu, arguments[0], &hd44780_type, arguments[1]);
}

static void
command_hd44780_send_cmds(struct mcu *mcu, const uint32_t *arguments)
{
    send_bytes(mcu, arguments, &hd44780_type, 0);
}

static void
command_hd44780_send_data(struct mcu *mcu, const uint32_t *arguments)
{
    send_bytes(mcu, arguments, &hd44780_type, 1);
}

static void
command_config_st7920(struct mcu *mcu, const uint32_t *arguments)
{
    add_screen(mcu, arguments[0], &st7920_type, arguments[1]);
}

static void
command_st7920_send_cmds(struct mcu *mcu, const uint32_t *arguments)
{
    send_bytes(mcu, arguments, &st7920_type, 0);
}

static void
command_st7920_send_data(struct mcu *mcu, const uint32_t *arguments)
{
    send_bytes(mcu, arguments, &st7920_type, 1);
}

static const struct command commands[] = {
    { "config_hd44780",    command_config_hd44780,
     "oid e_pin rs_pin d4_pin d5_pin d6_pin d7_pin delay_ticks",     0 },
    { "hd44780_send_cmds", command_hd44780_send_cmds, "oid cmds",    0 },
    { "hd44780_send_data", command_hd44780_send_data, "oid data",    0 },
    { "config_st7920",     command_config_st7920,
     "oid cs_pin sclk_pin sid_pin sync_delay_ticks cmd_delay_ticks", 0 },
    { "st7920_send_cmds",  command_st7920_send_cmds,  "oid cmds",    0 },
    { "st7920_send_data",  command_st7920_send_data,  "oid data",    0 },
};

const struct peripheral screen_peripheral = { COMMANDS_OF(commands) };
