// Drivers of LEDs, and chips that have further pins for an MCU
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memset
#include "output_chip.h" // struct output_chip

// The first byte names a register, the next ones go there and to those behind
static void
write_registers(struct output_chip *chip, const uint8_t *bytes, size_t count,
                uint8_t address_bits)
{
    if (!count)
        return;
    chip->pointer = bytes[0] & address_bits;
    for (size_t i = 1; i < count; i++)
        chip->registers[chip->pointer++] = bytes[i];
}


/****************************************************************
 * PCA9533 (NXP): four LEDs that are off, on, or dimmed in one of two ways
 ****************************************************************/

enum { PCA9533_PWM0 = 2, PCA9533_PWM1 = 4, PCA9533_LS0 = 5 };

static void
reset_pca9533(struct output_chip *chip)
{
    chip->registers[PCA9533_PWM0] = chip->registers[PCA9533_PWM1] = 0x80;
}

static void
write_pca9533(struct output_chip *chip, const uint8_t *bytes, size_t count)
{
    write_registers(chip, bytes, count, 0x07);
}

static double
share_pca9533(const struct output_chip *chip, int output)
{
    switch (chip->registers[PCA9533_LS0] >> (2 * output) & 0x03) {
    case 0: return 0.0;
    case 1: return 1.0;
    case 2: return chip->registers[PCA9533_PWM0] / 256.0;
    default: return chip->registers[PCA9533_PWM1] / 256.0;
    }
}

const struct output_chip_kind pca9533_kind = {
    "pca9533", 4, reset_pca9533, write_pca9533, share_pca9533,
};


/****************************************************************
 * PCA9632 (NXP): four LEDs, each dimmed on its own
 ****************************************************************/

enum { PCA9632_MODE1 = 0, PCA9632_PWM0 = 2, PCA9632_LEDOUT = 8 };
enum { PCA9632_SLEEP = 0x10 };

static void
reset_pca9632(struct output_chip *chip)
{
    chip->registers[PCA9632_MODE1] = PCA9632_SLEEP;
}

static void
write_pca9632(struct output_chip *chip, const uint8_t *bytes, size_t count)
{
    write_registers(chip, bytes, count, 0x0f);
}

static double
share_pca9632(const struct output_chip *chip, int output)
{
    if (chip->registers[PCA9632_MODE1] & PCA9632_SLEEP)
        return 0.0;
    switch (chip->registers[PCA9632_LEDOUT] >> (2 * output) & 0x03) {
    case 0: return 0.0;
    case 1: return 1.0;
    default: return chip->registers[PCA9632_PWM0 + output] / 256.0;
    }
}

const struct output_chip_kind pca9632_kind = {
    "pca9632", 4, reset_pca9632, write_pca9632, share_pca9632,
};


/****************************************************************
 * PCA9685 (NXP): sixteen outputs, on for a part of 4096 steps
 ****************************************************************/

enum { PCA9685_MODE1 = 0x00, PCA9685_LED0 = 0x06, PCA9685_ALL = 0xfa };
enum { PCA9685_SLEEP = 0x10, PCA9685_FULL = 0x10, PCA9685_OUTPUTS = 16 };

static void
reset_pca9685(struct output_chip *chip)
{
    chip->registers[PCA9685_MODE1] = PCA9685_SLEEP | 0x01;
    for (int i = 0; i < PCA9685_OUTPUTS; i++)
        chip->registers[PCA9685_LED0 + 4 * i + 3] = PCA9685_FULL;
}

static void
write_pca9685(struct output_chip *chip, const uint8_t *bytes, size_t count)
{
    write_registers(chip, bytes, count, 0xff);
    for (size_t i = 1; i < count; i++) {
        int place = bytes[0] + (int)i - 1 - PCA9685_ALL;
        for (int j = 0; place >= 0 && place < 4 && j < PCA9685_OUTPUTS; j++)
            chip->registers[PCA9685_LED0 + 4 * j + place] = bytes[i];
    }
}

// The registers of an output say at which step it goes on, and off
static double
share_pca9685(const struct output_chip *chip, int output)
{
    const uint16_t *bytes = &chip->registers[PCA9685_LED0 + 4 * output];
    if (chip->registers[PCA9685_MODE1] & PCA9685_SLEEP
        || bytes[3] & PCA9685_FULL)
        return 0.0;
    if (bytes[1] & PCA9685_FULL)
        return 1.0;
    int on = (bytes[1] & 0x0f) << 8 | bytes[0];
    int off = (bytes[3] & 0x0f) << 8 | bytes[2];
    return ((off - on) & 0x0fff) / 4096.0;
}

const struct output_chip_kind pca9685_kind = {
    "pca9685", PCA9685_OUTPUTS, reset_pca9685, write_pca9685, share_pca9685,
};


/****************************************************************
 * SX1509 (Semtech): sixteen pins, some of them dimmed
 ****************************************************************/

enum {
    SX1509_DIRECTION = 0x0e,
    SX1509_DATA = 0x10,
    SX1509_MISC = 0x1f,
    SX1509_LED_DRIVER = 0x20,
    SX1509_RESET = 0x7d,
    SX1509_OUTPUTS = 16,
};

// Registers of how long the driver of a pin pulls it down
static const uint8_t sx1509_on[SX1509_OUTPUTS] = {
    0x2a, 0x2d, 0x30, 0x33, 0x36, 0x3b, 0x40, 0x45,
    0x4a, 0x4d, 0x50, 0x53, 0x56, 0x5b, 0x5f, 0x65,
};

static void
reset_sx1509(struct output_chip *chip)
{
    memset(chip->registers, 0, sizeof(chip->registers));
    for (int i = 0; i < 2; i++)
        chip->registers[SX1509_DIRECTION + i] =
            chip->registers[SX1509_DATA + i] = 0xff;
    for (int i = 0; i < SX1509_OUTPUTS; i++)
        chip->registers[sx1509_on[i]] = 0xff;
}

static void
write_sx1509(struct output_chip *chip, const uint8_t *bytes, size_t count)
{
    int was_asked = count == 2 && bytes[0] == SX1509_RESET && bytes[1] == 0x34
        && chip->registers[SX1509_RESET] == 0x12;
    write_registers(chip, bytes, count, 0x7f);
    if (was_asked)
        reset_sx1509(chip);
}

// The bit of a pin in a pair of registers, of which the first has the upper ones
static int
sx1509_bit(const struct output_chip *chip, int address, int output)
{
    return chip->registers[address + (output < 8)] >> (output & 7) & 1;
}

static double
share_sx1509(const struct output_chip *chip, int output)
{
    int is_high = sx1509_bit(chip, SX1509_DATA, output);
    // An input drives nothing
    if (sx1509_bit(chip, SX1509_DIRECTION, output))
        return 0.0;
    int has_clock = chip->registers[SX1509_MISC] >> 4 & 0x07;
    if (is_high || !has_clock || !sx1509_bit(chip, SX1509_LED_DRIVER, output))
        return is_high;
    return 1.0 - chip->registers[sx1509_on[output]] / 255.0;
}

const struct output_chip_kind sx1509_kind = {
    "sx1509", SX1509_OUTPUTS, reset_sx1509, write_sx1509, share_sx1509,
};


/****************************************************************
 * 74HC595 (many makers): shift registers of eight outputs, five in a row
 ****************************************************************/

enum { SHIFT_REGISTERS = 5 };

static void
reset_shift_registers(struct output_chip *chip)
{
    (void)chip;
}

// What comes first goes through to the last one
static void
write_shift_registers(struct output_chip *chip, const uint8_t *bytes,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (int j = SHIFT_REGISTERS - 1; j > 0; j--)
            chip->registers[j] = chip->registers[j - 1];
        chip->registers[0] = bytes[i];
    }
}

static double
share_shift_registers(const struct output_chip *chip, int output)
{
    return chip->registers[output / 8] >> (output % 8) & 1;
}

const struct output_chip_kind shift_registers_kind = {
    "shift_registers",     8 * SHIFT_REGISTERS,   reset_shift_registers,
    write_shift_registers, share_shift_registers,
};
