// A chip that is read and written by registers, over SPI or I2C
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/events.h" // container_of
#include "register_chip.h" // struct register_chip

#define SPI_READ_BIT 0x80

static uint8_t
next_address(const struct register_chip *chip, uint8_t address, int is_burst)
{
    if (!is_burst || (address && address == chip->kind->fifo_address))
        return address;
    return chip->kind->next ? chip->kind->next(chip, address)
                            : (uint8_t)((address + 1) & 0x7f);
}

static int
has_bit(uint8_t byte, uint8_t bit)
{
    return !bit || byte & bit;
}

static void
transfer(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct register_chip *chip =
        container_of(device, struct register_chip, spi);
    const struct register_chip_kind *kind = chip->kind;
    if (!count)
        return;
    uint8_t first = bytes[0], address = first & kind->spi_address_bits;
    int is_burst = has_bit(first, kind->spi_increment_bit);
    bytes[0] = 0;
    for (size_t i = 1; i < count; i++) {
        if (first & SPI_READ_BIT) {
            bytes[i] = kind->read(chip, address);
        } else {
            kind->write(chip, address, bytes[i]);
            bytes[i] = 0;
        }
        address = next_address(chip, address, is_burst);
    }
}

static int
write(struct i2c_device *device, const uint8_t *bytes, size_t count)
{
    struct register_chip *chip =
        container_of(device, struct register_chip, i2c);
    const struct register_chip_kind *kind = chip->kind;
    if (!count)
        return 0;
    uint8_t address = bytes[0] & kind->i2c_address_bits;
    for (size_t i = 1; i < count; i++) {
        kind->write(chip, address, bytes[i]);
        address = next_address(chip, address,
                               has_bit(bytes[0], kind->i2c_increment_bit));
    }
    return 0;
}

static int
read(struct i2c_device *device, const uint8_t *bytes, size_t count,
     uint8_t *answer, size_t answer_size)
{
    struct register_chip *chip =
        container_of(device, struct register_chip, i2c);
    const struct register_chip_kind *kind = chip->kind;
    uint8_t first = count ? bytes[0] : 0;
    uint8_t address = first & kind->i2c_address_bits;
    for (size_t i = 0; i < answer_size; i++) {
        answer[i] = kind->read(chip, address);
        address = next_address(chip, address,
                               has_bit(first, kind->i2c_increment_bit));
    }
    return 0;
}

void
register_chip_init(struct register_chip *chip,
                   const struct register_chip_kind *kind)
{
    chip->kind = kind;
    chip->spi.transfer = transfer;
    chip->i2c.write = write;
    chip->i2c.read = read;
}
