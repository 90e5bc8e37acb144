// A chip that is read and written by registers, over SPI or I2C
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef REGISTER_CHIP_H
#define REGISTER_CHIP_H

#include "../core/pin.h" // struct spi_device

#pragma GCC visibility push(hidden)

struct register_chip;

struct register_chip_kind {
    // Bits of the first byte that are the address
    uint8_t spi_address_bits, i2c_address_bits;
    // The bit of the first byte that has further bytes go to the registers
    // that follow, 0 if they always do
    uint8_t spi_increment_bit, i2c_increment_bit;
    uint8_t (*read)(struct register_chip *chip, uint8_t address);
    void (*write)(struct register_chip *chip, uint8_t address, uint8_t value);
    // The register by which a FIFO is read: no other follows it; 0 if none is
    uint8_t fifo_address;
    // The register that follows, NULL if it is always the next
    uint8_t (*next)(const struct register_chip *chip, uint8_t address);
};

struct register_chip {
    struct spi_device spi;
    struct i2c_device i2c;
    const struct register_chip_kind *kind;
    uint8_t registers[128]; // as they have been written
};

void register_chip_init(struct register_chip *chip,
                        const struct register_chip_kind *kind);

#pragma GCC visibility pop

#endif // register_chip.h
