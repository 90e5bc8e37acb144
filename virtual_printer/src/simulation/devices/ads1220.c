// ADS1220 (data sheet: Texas Instruments SBAS501)
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memset
#include "../core/memory.h" // allocate
#include "load_cell.h" // struct load_cell

enum {
    COMMAND_POWERDOWN = 0x02,
    COMMAND_RESET = 0x06,
    COMMAND_START = 0x08,
    COMMAND_RREG = 0x20,
    COMMAND_WREG = 0x40,
    COMMAND_BITS = 0xf0,
    REGISTER_COUNT = 4,
    MODE_TURBO = 2,
    BIT_CONTINUOUS = 0x04,
};

static const double normal_rates_hz[8] = {
    20.0, 45.0, 90.0, 175.0, 330.0, 600.0, 1000.0, 1000.0,
};

struct ads1220 {
    struct load_cell cell;
    uint8_t registers[REGISTER_COUNT];
};

static void
begin_conversions(struct ads1220 *ads1220)
{
    uint8_t control = ads1220->registers[1];
    double rate_hz = normal_rates_hz[control >> 5];
    if ((control >> 3 & 0x03) == MODE_TURBO)
        rate_hz *= 2.0;
    load_cell_start(&ads1220->cell, rate_hz, 1);
}

// Read or write registers; the command has where and how many
static void
access_registers(struct ads1220 *ads1220, uint8_t *bytes, size_t count)
{
    size_t first = bytes[0] >> 2 & 0x03, access_count = (bytes[0] & 0x03) + 1u;
    int is_write = (bytes[0] & COMMAND_BITS) == COMMAND_WREG;
    for (size_t i = 0; i < access_count && i + 1 < count; i++) {
        uint8_t *place = &ads1220->registers[(first + i) % REGISTER_COUNT];
        if (is_write)
            *place = bytes[i + 1];
        bytes[i + 1] = is_write ? 0 : *place;
    }
    bytes[0] = 0;
}

static void
read_result(struct ads1220 *ads1220, uint8_t *bytes, size_t count)
{
    uint32_t result = (uint32_t)load_cell_counts(&ads1220->cell);
    for (size_t i = 0; i < count; i++)
        bytes[i] = i < 3 ? (uint8_t)(result >> (16 - 8 * i)) : 0;
    load_cell_take(&ads1220->cell);
    if (!(ads1220->registers[1] & BIT_CONTINUOUS))
        load_cell_stop(&ads1220->cell);
}

static void
transfer(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct ads1220 *ads1220 = container_of(device, struct ads1220, cell.spi);
    if (!count)
        return;
    uint8_t command = bytes[0], kind = command & COMMAND_BITS;
    if (kind == COMMAND_RREG || kind == COMMAND_WREG) {
        access_registers(ads1220, bytes, count);
        return;
    }
    memset(bytes, 0, count);
    if (!command) {
        read_result(ads1220, bytes, count);
    } else if (command == COMMAND_START) {
        begin_conversions(ads1220);
    } else if (command == COMMAND_RESET || command == COMMAND_POWERDOWN) {
        load_cell_stop(&ads1220->cell);
        if (command == COMMAND_RESET)
            memset(ads1220->registers, 0, sizeof(ads1220->registers));
    }
}

static int
level(struct pin_source *source)
{
    return !load_cell_is_ready(container_of(source, struct load_cell, ready));
}

static int64_t
next_low_ns(struct pin_source *source)
{
    return load_cell_ready_ns(container_of(source, struct load_cell, ready));
}

struct load_cell *
ads1220_create(void)
{
    struct ads1220 *ads1220 = allocate(1, sizeof(*ads1220));
    ads1220->cell.spi.transfer = transfer;
    ads1220->cell.ready.level = level;
    ads1220->cell.ready.next_low_ns = next_low_ns;
    return &ads1220->cell;
}
