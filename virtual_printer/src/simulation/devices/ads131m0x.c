// ADS131M02 and ADS131M04 (data sheets: Texas Instruments SBAS853, SBAS890)
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memset
#include "../core/memory.h" // allocate
#include "load_cell.h" // struct load_cell

enum {
    ID = 0x00,
    STATUS = 0x01,
    MODE = 0x02,
    CLOCK = 0x03,
    GAIN1 = 0x04,
    CFG = 0x06,
    REGISTER_COUNT = 64,
};

enum {
    COMMAND_RESET = 0x0011,
    COMMAND_KIND_BITS = 0xe000,
    COMMAND_RREG = 0xa000,
    COMMAND_WREG = 0x6000,
    ANSWER_RESET = 0xff20,
    ANSWER_WREG = 0x4000,
    MODE_RESET_BIT = 0x0400,
    CLOCK_TURBO_BIT = 0x20,
    CFG_CHOP_BIT = 0x100,
    WORD_BYTES = 3,
    CHANNELS_MAX = 4,
};
#define MODULATOR_HZ 4096000.0

struct ads131m0x {
    struct load_cell cell;
    int channel_count;
    uint16_t registers[REGISTER_COUNT];
    uint16_t answer; // to the command of the frame before
    int is_status; // which is the state, if there was none
};

static void
begin_conversions(struct ads131m0x *chip)
{
    uint16_t clock = chip->registers[CLOCK], cfg = chip->registers[CFG];
    int ratio = clock & CLOCK_TURBO_BIT ? 64 : 128 << (clock >> 2 & 0x07);
    int cycles = ratio;
    if (cfg & CFG_CHOP_BIT)
        // Each result takes three conversions and a delay
        cycles = 3 * ratio + (2 << (cfg >> 9 & 0x0f));
    load_cell_start(&chip->cell, MODULATOR_HZ / cycles, 1);
}

static void
reset(struct ads131m0x *chip)
{
    memset(chip->registers, 0, sizeof(chip->registers));
    chip->registers[ID] = (uint16_t)(0x2000 | chip->channel_count << 8);
    chip->registers[MODE] = 0x0510;
    chip->registers[CLOCK] =
        (uint16_t)(((1 << chip->channel_count) - 1) << 8 | 0x0e);
}

static uint16_t
read_register(const struct ads131m0x *chip, int address)
{
    // The state repeats a few bits of the mode: reset, and length of words
    return address == STATUS ? chip->registers[MODE] & 0x0700
                             : chip->registers[address];
}

static uint16_t
word_at(const uint8_t *frame, int index)
{
    const uint8_t *bytes = frame + index * WORD_BYTES;
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

// Carry out the command of a frame; its answer goes into the next one
static void
run_command(struct ads131m0x *chip, const uint8_t *frame)
{
    uint16_t command = word_at(frame, 0);
    int address = command >> 7 & (REGISTER_COUNT - 1);
    chip->is_status = 0;
    if (command == COMMAND_RESET) {
        reset(chip);
        begin_conversions(chip);
        chip->answer = (uint16_t)(ANSWER_RESET | chip->channel_count);
    } else if ((command & COMMAND_KIND_BITS) == COMMAND_RREG) {
        chip->answer = read_register(chip, address);
    } else if ((command & COMMAND_KIND_BITS) == COMMAND_WREG) {
        if (address > STATUS)
            chip->registers[address] = word_at(frame, 1);
        if (address == CLOCK || address == CFG)
            begin_conversions(chip);
        chip->answer = (uint16_t)(ANSWER_WREG | (command & 0x1fff));
    } else {
        chip->is_status = 1;
    }
}

static uint16_t
checksum(const uint8_t *bytes, int count)
{
    uint16_t value = 0xffff;
    for (int i = 0; i < count; i++) {
        value ^= (uint16_t)(bytes[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            value = (uint16_t)(value << 1 ^ (value & 0x8000 ? 0x1021 : 0));
    }
    return value;
}

// The cell is on the first channel that is switched on
static void
answer_frame(struct ads131m0x *chip, uint8_t *frame)
{
    uint16_t first =
        chip->is_status ? read_register(chip, STATUS) : chip->answer;
    int enabled = chip->registers[CLOCK] >> 8 & 0x0f, channel = 0;
    while (channel < chip->channel_count - 1 && !(enabled >> channel & 1))
        channel++;
    uint32_t counts = (uint32_t)load_cell_counts(&chip->cell);
    int size = (1 + chip->channel_count) * WORD_BYTES;
    memset(frame, 0, (size_t)(size + WORD_BYTES));
    frame[0] = (uint8_t)(first >> 8);
    frame[1] = (uint8_t)first;
    for (int i = 0; i < WORD_BYTES; i++)
        frame[(1 + channel) * WORD_BYTES + i] =
            (uint8_t)(counts >> (16 - 8 * i));
    uint16_t sum = checksum(frame, size);
    frame[size] = (uint8_t)(sum >> 8);
    frame[size + 1] = (uint8_t)sum;
    load_cell_take(&chip->cell);
}

static void
transfer(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct ads131m0x *chip = container_of(device, struct ads131m0x, cell.spi);
    size_t size = (size_t)(2 + chip->channel_count) * WORD_BYTES;
    uint8_t asked[(2 + CHANNELS_MAX) * WORD_BYTES];
    for (; count; bytes += size, count -= size) {
        uint8_t answer[sizeof(asked)];
        size_t part = count < size ? count : size;
        memset(asked, 0, sizeof(asked));
        memcpy(asked, bytes, part);
        answer_frame(chip, answer);
        memcpy(bytes, answer, part);
        run_command(chip, asked);
        if (part < size)
            return;
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

static struct load_cell *
create(int channel_count)
{
    struct ads131m0x *chip = allocate(1, sizeof(*chip));
    chip->channel_count = channel_count;
    chip->is_status = 1;
    chip->cell.spi.transfer = transfer;
    chip->cell.ready.level = level;
    chip->cell.ready.next_low_ns = next_low_ns;
    reset(chip);
    return &chip->cell;
}

struct load_cell *
ads131m02_create(void)
{
    return create(2);
}

struct load_cell *
ads131m04_create(void)
{
    return create(4);
}
