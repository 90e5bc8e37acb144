// The ST7920: four rows of 16 characters, and a picture
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memset
#include "display.h" // struct st7920

enum { ROW_LENGTH = 16, GLYPH_SIZE = 32, GLYPH_COUNT = 4 };

static void
set_target(struct st7920 *chip, uint8_t *target, size_t size, size_t place)
{
    chip->target = target;
    chip->target_size = size;
    chip->place = place % size;
}

static void
write_characters(struct st7920 *chip, size_t place)
{
    set_target(chip, chip->characters, sizeof(chip->characters), place);
}

void
st7920_reset(struct st7920 *chip)
{
    memset(chip, 0, sizeof(*chip));
    memset(chip->characters, ' ', sizeof(chip->characters));
    write_characters(chip, 0);
}

static void
set_functions(struct st7920 *chip, uint8_t command)
{
    chip->is_extended = !!(command & 0x04);
    if (chip->is_extended)
        chip->is_picture_on = !!(command & 0x02);
    chip->has_row = 0;
}

static void
run_basic_command(struct st7920 *chip, uint8_t command)
{
    // An address counts words of two bytes
    if (command & 0x80) {
        write_characters(chip, 2u * (command & 0x1f));
    } else if (command & 0x40) {
        set_target(chip, chip->glyphs, sizeof(chip->glyphs),
                   2u * (command & 0x3f));
    } else if (command & 0x20) {
        set_functions(chip, command);
    } else if (command & 0x10) {
        return;
    } else if (command & 0x08) {
        chip->is_on = !!(command & 0x04);
    } else if (command & 0x04) {
        chip->is_backward = !(command & 0x02);
    } else if (command & 0x02) {
        write_characters(chip, 0);
    } else if (command & 0x01) {
        memset(chip->characters, ' ', sizeof(chip->characters));
        write_characters(chip, 0);
        chip->is_backward = 0;
    }
}

// The place in the picture comes in two parts, the row first
static void
run_extended_command(struct st7920 *chip, uint8_t command)
{
    if (command & 0x80 && !chip->has_row) {
        chip->row = command & 0x3f;
        chip->has_row = 1;
    } else if (command & 0x80) {
        uint8_t *row = chip->picture[chip->row];
        set_target(chip, row, sizeof(chip->picture[0]), 2u * (command & 0x0f));
        chip->has_row = 0;
    } else if ((command & 0xe0) == 0x20) {
        set_functions(chip, command);
    }
}

void
st7920_take(struct st7920 *chip, uint8_t byte, int is_data)
{
    if (!is_data) {
        if (chip->is_extended)
            run_extended_command(chip, byte);
        else
            run_basic_command(chip, byte);
        return;
    }
    chip->target[chip->place] = byte;
    // Backward, it goes to the word before once both bytes are written
    size_t by = !chip->is_backward ? 1
        : chip->place & 1          ? chip->target_size - 3
                                   : 1;
    chip->place = (chip->place + by) % chip->target_size;
}

static const uint8_t *
row_characters(const struct st7920 *chip, int row)
{
    static const uint8_t starts[TEXT_ROWS] = { 0, 32, 16, 48 };
    return chip->characters + starts[row];
}

void
st7920_text(const struct st7920 *chip, int row, uint8_t *text)
{
    if (chip->is_on)
        memcpy(text, row_characters(chip, row), ROW_LENGTH);
    else
        memset(text, ' ', ROW_LENGTH);
}

// Dot of the character at a place, if it is one that the host has drawn
static int
glyph_dot(const struct st7920 *chip, int x, int y)
{
    const uint8_t *word =
        row_characters(chip, y / ROW_LENGTH) + 2 * (x / ROW_LENGTH);
    if (word[0] || word[1] & 1 || word[1] >= 2 * GLYPH_COUNT)
        return 0;
    const uint8_t *glyph = chip->glyphs + word[1] / 2 * GLYPH_SIZE;
    uint8_t bits = glyph[2 * (y % 16) + (x % 16) / 8];
    return bits >> (7 - x % 8) & 1;
}

// The lower half of the glass is the right half of the picture
int
st7920_dot(const struct st7920 *chip, int x, int y)
{
    if (!chip->is_on)
        return 0;
    int column = x + (y >= 32 ? PICTURE_WIDTH : 0);
    uint8_t bits = chip->picture[y % 32][column / 8];
    int dot = chip->is_picture_on && bits >> (7 - column % 8) & 1;
    return dot ^ glyph_dot(chip, x, y);
}
