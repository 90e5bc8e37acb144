// Potentiometers and converters by which boards set the currents of drivers
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "output_chip.h" // struct output_chip

// The codes of the outputs are kept in the registers, one after the other
static void
set_all(struct output_chip *chip, uint16_t code)
{
    for (int i = 0; i < chip->kind->output_count; i++)
        chip->registers[i] = code;
}


/****************************************************************
 * AD5206 (Analog Devices): six wipers of 256 places, on SPI
 ****************************************************************/

static void
reset_ad5206(struct output_chip *chip)
{
    set_all(chip, 0x80);
}

// Of what is clocked in the last eleven bits count
static void
write_ad5206(struct output_chip *chip, const uint8_t *bytes, size_t count)
{
    if (count < 2)
        return;
    int output = bytes[count - 2] & 0x07;
    if (output < chip->kind->output_count)
        chip->registers[output] = bytes[count - 1];
}

static double
share_of_256(const struct output_chip *chip, int output)
{
    return chip->registers[output] / 256.0;
}

const struct output_chip_kind ad5206_kind = {
    "ad5206", 6, reset_ad5206, write_ad5206, share_of_256,
};


/****************************************************************
 * DAC084S085 (TI): four voltages of 8 bits, on SPI
 ****************************************************************/

enum { DAC084S085_WRITE_ALL = 2, DAC084S085_POWER_DOWN = 3 };

static void
reset_dac084s085(struct output_chip *chip)
{
    set_all(chip, 0);
}

// What is written without an update of the outputs takes effect at once here
static void
write_dac084s085(struct output_chip *chip, const uint8_t *bytes, size_t count)
{
    if (count < 2)
        return;
    int operation = bytes[0] >> 4 & 0x03;
    uint16_t code = (uint16_t)((bytes[0] & 0x0f) << 4 | bytes[1] >> 4);
    if (operation == DAC084S085_POWER_DOWN)
        set_all(chip, 0);
    else if (operation == DAC084S085_WRITE_ALL)
        set_all(chip, code);
    else
        chip->registers[bytes[0] >> 6] = code;
}

const struct output_chip_kind dac084s085_kind = {
    "dac084s085", 4, reset_dac084s085, write_dac084s085, share_of_256,
};


/****************************************************************
 * MCP4018 (Microchip): one wiper of 128 places, on I2C
 ****************************************************************/

enum { MCP4018_MAX = 127 };

static void
reset_mcp4018(struct output_chip *chip)
{
    chip->registers[0] = 0x3f;
}

static void
write_mcp4018(struct output_chip *chip, const uint8_t *bytes, size_t count)
{
    if (count)
        chip->registers[0] = bytes[count - 1] & MCP4018_MAX;
    chip->pointer = 0;
}

static double
share_mcp4018(const struct output_chip *chip, int output)
{
    return (double)chip->registers[output] / MCP4018_MAX;
}

const struct output_chip_kind mcp4018_kind = {
    "mcp4018", 1, reset_mcp4018, write_mcp4018, share_mcp4018,
};


/****************************************************************
 * MCP4451 (Microchip): four wipers of 257 places, on I2C
 ****************************************************************/

enum { MCP4451_MAX = 256, MCP4451_WRITE = 0 };

static void
reset_mcp4451(struct output_chip *chip)
{
    set_all(chip, 0x80);
}

// Each command is an address with two bits of its data, and eight more
static void
write_mcp4451(struct output_chip *chip, const uint8_t *bytes, size_t count)
{
    static const int8_t wiper_of[16] = {
        0, 1, -1, -1, -1, -1, 2, 3, -1, -1, -1, -1, -1, -1, -1, -1,
    };
    for (size_t i = 0; i + 1 < count; i += 2) {
        int wiper = wiper_of[bytes[i] >> 4];
        uint16_t code = (uint16_t)((bytes[i] & 0x03) << 8 | bytes[i + 1]);
        if (wiper >= 0 && (bytes[i] >> 2 & 0x03) == MCP4451_WRITE)
            chip->registers[wiper] = code < MCP4451_MAX ? code : MCP4451_MAX;
    }
}

const struct output_chip_kind mcp4451_kind = {
    "mcp4451", 4, reset_mcp4451, write_mcp4451, share_of_256,
};


/****************************************************************
 * MCP4728 (Microchip): four voltages of 12 bits, on I2C
 ****************************************************************/

enum { MCP4728_MULTI_WRITE = 0x40, MCP4728_SINGLE_WRITE = 0x58 };

static void
reset_mcp4728(struct output_chip *chip)
{
    set_all(chip, 0);
}

static uint16_t
mcp4728_code(const uint8_t *bytes)
{
    return (uint16_t)((bytes[0] & 0x0f) << 8 | bytes[1]);
}

static void
write_mcp4728(struct output_chip *chip, const uint8_t *bytes, size_t count)
{
    if (count < 2)
        return;
    if (!(bytes[0] & 0xc0)) {
        // All in turn
        for (size_t i = 0; i + 1 < count && i < 8; i += 2)
            chip->registers[i / 2] = mcp4728_code(bytes + i);
        return;
    }
    for (size_t i = 0; i + 2 < count; i += 3)
        if ((bytes[i] & 0xf8) == MCP4728_MULTI_WRITE
            || (bytes[i] & 0xf8) == MCP4728_SINGLE_WRITE)
            chip->registers[bytes[i] >> 1 & 0x03] = mcp4728_code(bytes + i + 1);
}

static double
share_mcp4728(const struct output_chip *chip, int output)
{
    return chip->registers[output] / 4096.0;
}

const struct output_chip_kind mcp4728_kind = {
    "mcp4728", 4, reset_mcp4728, write_mcp4728, share_mcp4728,
};
