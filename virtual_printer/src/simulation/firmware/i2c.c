// I2C buses of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "i2c.h" // i2c_chip_write
#include <string.h> // memset
#include "mcu.h" // struct mcu

static const struct object_type i2c_type = { "i2c" };

enum { I2C_SUCCESS, I2C_NACK };
// Numbers of buses from here on are those of software, by their pins
enum { I2C_SOFTWARE_BUSES = 1 << 16 };

struct i2c {
    struct mcu *mcu;
    uint32_t bus;
    uint8_t address;
};

struct i2c *
i2c_find(struct mcu *mcu, uint32_t oid)
{
    return mcu_object(mcu, oid, &i2c_type);
}

static struct i2c_device *
find_device(const struct i2c *i2c)
{
    struct i2c_device *device = i2c->mcu->i2c_devices;
    while (device
           && (device->bus != i2c->bus || device->address != i2c->address))
        device = device->next;
    if (!device)
        unanswered_note(i2c->mcu, UNANSWERED_I2C, i2c->bus, i2c->address);
    return device;
}

int
i2c_chip_write(struct i2c *i2c, const uint8_t *bytes, size_t count)
{
    struct i2c_device *device = find_device(i2c);
    return device ? device->write(device, bytes, count) : 0;
}

int
i2c_bus_write(struct mcu *mcu, uint32_t bus, uint8_t address,
              const uint8_t *bytes, size_t count)
{
    struct i2c i2c = { mcu, bus, address };
    return i2c_chip_write(&i2c, bytes, count);
}

int
i2c_chip_read(struct i2c *i2c, const uint8_t *bytes, size_t count,
              uint8_t *answer, size_t answer_size)
{
    struct i2c_device *device = find_device(i2c);
    memset(answer, 0, answer_size);
    return device ? device->read(device, bytes, count, answer, answer_size) : 0;
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_i2c(struct mcu *mcu, const uint32_t *arguments)
{
    struct i2c *i2c =
        mcu_object_add(mcu, arguments[0], &i2c_type, sizeof(*i2c));
    if (!i2c)
        return;
    i2c->mcu = mcu;
    // Only firmware before 2023 has them here
    i2c->bus = arguments[1];
    i2c->address = (uint8_t)arguments[2];
}

static void
command_i2c_set_bus(struct mcu *mcu, const uint32_t *arguments)
{
    struct i2c *i2c = i2c_find(mcu, arguments[0]);
    if (!i2c)
        return;
    i2c->bus = arguments[1];
    i2c->address = (uint8_t)arguments[2];
}

// Chips may share the clock alone: both pins together are the bus
static void
command_i2c_set_software_bus(struct mcu *mcu, const uint32_t *arguments)
{
    struct i2c *i2c = i2c_find(mcu, arguments[0]);
    if (!i2c)
        return;
    i2c->bus = I2C_SOFTWARE_BUSES + ((arguments[1] & 0xff) << 8)
        + (arguments[3] & 0xff);
    i2c->address = (uint8_t)arguments[2];
}

static void
fail_unless_acknowledged(struct mcu *mcu, int result)
{
    if (result < 0)
        mcu_shutdown(mcu, REASON_I2C_NACK);
}

static void
command_i2c_write(struct mcu *mcu, const uint32_t *arguments)
{
    struct i2c *i2c = i2c_find(mcu, arguments[0]);
    if (i2c)
        fail_unless_acknowledged(
            mcu, i2c_chip_write(i2c, mcu->argument_bytes[1], arguments[1]));
}

static void
command_i2c_read(struct mcu *mcu, const uint32_t *arguments)
{
    struct i2c *i2c = i2c_find(mcu, arguments[0]);
    uint8_t answer[BLOCK_SIZE_MAX];
    size_t size = (uint8_t)arguments[2];
    if (!i2c || size > sizeof(answer))
        return;
    fail_unless_acknowledged(
        mcu,
        i2c_chip_read(i2c, mcu->argument_bytes[1], arguments[1], answer, size));
    if (!mcu->is_interrupted)
        MCU_RESPOND_BYTES(mcu, RESPONSE_I2C_READ, answer, size,
                          arguments[0] & 0xff);
}

// Clear and set bits of a register of as many bytes as half of those given
static void
command_i2c_modify_bits(struct mcu *mcu, const uint32_t *arguments)
{
    struct i2c *i2c = i2c_find(mcu, arguments[0]);
    size_t reg_size = arguments[1], size = arguments[2] / 2;
    uint8_t bytes[BLOCK_SIZE_MAX];
    if (!i2c || reg_size + size > sizeof(bytes))
        return;
    const uint8_t *bits = mcu->argument_bytes[2];
    memcpy(bytes, mcu->argument_bytes[1], reg_size);
    int result = i2c_chip_read(i2c, bytes, reg_size, bytes + reg_size, size);
    for (size_t i = 0; i < size; i++)
        bytes[reg_size + i] =
            (uint8_t)((bytes[reg_size + i] & ~bits[i]) | bits[size + i]);
    if (result >= 0)
        result = i2c_chip_write(i2c, bytes, reg_size + size);
    fail_unless_acknowledged(mcu, result);
}

static void
command_i2c_transfer(struct mcu *mcu, const uint32_t *arguments)
{
    struct i2c *i2c = i2c_find(mcu, arguments[0]);
    uint8_t answer[BLOCK_SIZE_MAX];
    size_t size = (uint8_t)arguments[2];
    if (!i2c || size > sizeof(answer))
        return;
    const uint8_t *bytes = mcu->argument_bytes[1];
    int result = size ? i2c_chip_read(i2c, bytes, arguments[1], answer, size)
                      : i2c_chip_write(i2c, bytes, arguments[1]);
    if (result < 0)
        size = 0;
    MCU_RESPOND_BYTES(mcu, RESPONSE_I2C, answer, size, arguments[0] & 0xff,
                      result < 0 ? I2C_NACK : I2C_SUCCESS);
}

static const struct command commands[] = {
    { "config_i2c",           command_config_i2c,           "oid i2c_bus address rate", 0 },
    { "i2c_set_bus",          command_i2c_set_bus,          "oid i2c_bus address rate", 0 },
    { "i2c_set_software_bus", command_i2c_set_software_bus,
     "oid scl_pin address sda_pin rate",                                                0 },
    { "i2c_set_sw_bus",       command_i2c_set_software_bus,
     "oid scl_pin address sda_pin pulse_ticks",                                         0 },
    { "i2c_write",            command_i2c_write,            "oid data",                 0 },
    { "i2c_read",             command_i2c_read,             "oid reg read_len",         0 },
    { "i2c_modify_bits",      command_i2c_modify_bits,      "oid reg clear_set_bits",   0 },
    { "i2c_transfer",         command_i2c_transfer,         "oid write read_len",       0 },
};

const struct peripheral i2c_peripheral = { COMMANDS_OF(commands) };
