// The HD44780 and those like it: two lines of 40 characters
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memset
#include "display.h" // struct hd44780

enum { LINE_LENGTH = 40, CHARACTER_COUNT = 2 * LINE_LENGTH };
// Addresses of the second line begin here
enum { SECOND_LINE = 0x40 };

void
hd44780_reset(struct hd44780 *chip)
{
    memset(chip, 0, sizeof(*chip));
    memset(chip->characters, ' ', sizeof(chip->characters));
    chip->glyph_address = -1;
}

static void
shift_lines(struct hd44780 *chip, int by)
{
    chip->shift = (chip->shift + by + LINE_LENGTH) % LINE_LENGTH;
}

static void
move_cursor(struct hd44780 *chip, int by)
{
    chip->address = (chip->address + by + CHARACTER_COUNT) % CHARACTER_COUNT;
}

static void
go_home(struct hd44780 *chip)
{
    chip->address = chip->shift = 0;
    chip->glyph_address = -1;
}

static void
set_address(struct hd44780 *chip, int address)
{
    int is_second = address >= SECOND_LINE;
    int place = address - (is_second ? SECOND_LINE : 0);
    chip->address = place % LINE_LENGTH + (is_second ? LINE_LENGTH : 0);
    chip->glyph_address = -1;
}

// The highest bit that is set says what a command is
static void
run_command(struct hd44780 *chip, uint8_t command)
{
    if (command & 0x80) {
        set_address(chip, command & 0x7f);
    } else if (command & 0x40) {
        chip->glyph_address = command & 0x3f;
    } else if (command & 0x20) {
        chip->is_four_bits = !(command & 0x10);
        chip->has_high = 0;
    } else if (command & 0x10) {
        int by = command & 0x04 ? 1 : -1;
        if (command & 0x08)
            shift_lines(chip, -by);
        else
            move_cursor(chip, by);
    } else if (command & 0x08) {
        chip->is_on = !!(command & 0x04);
    } else if (command & 0x04) {
        chip->is_backward = !(command & 0x02);
        chip->is_shifting = command & 0x01;
    } else if (command & 0x02) {
        go_home(chip);
    } else if (command & 0x01) {
        memset(chip->characters, ' ', sizeof(chip->characters));
        go_home(chip);
        chip->is_backward = 0;
    }
}

static void
write_data(struct hd44780 *chip, uint8_t byte)
{
    int by = chip->is_backward ? -1 : 1;
    if (chip->glyph_address >= 0) {
        chip->glyphs[chip->glyph_address] = byte;
        chip->glyph_address = (chip->glyph_address + by) & 0x3f;
        return;
    }
    chip->characters[chip->address] = byte;
    move_cursor(chip, by);
    if (chip->is_shifting)
        shift_lines(chip, by);
}

void
hd44780_take(struct hd44780 *chip, uint8_t byte, int is_data)
{
    if (is_data)
        write_data(chip, byte);
    else
        run_command(chip, byte);
}

void
hd44780_take_four_bits(struct hd44780 *chip, uint8_t bits, int is_data)
{
    if (!chip->is_four_bits) {
        // The other four wires are not connected
        hd44780_take(chip, (uint8_t)(bits << 4), is_data);
        return;
    }
    chip->has_high = !chip->has_high;
    if (chip->has_high)
        chip->high = bits;
    else
        hd44780_take(chip, (uint8_t)(chip->high << 4 | bits), is_data);
}

void
hd44780_latch(struct hd44780 *chip, uint8_t outputs)
{
    enum { DATA = 0x02, ENABLE = 0x08 };
    if (chip->latched & ENABLE && !(outputs & ENABLE))
        hd44780_take_four_bits(chip, outputs >> 4, outputs & DATA);
    chip->latched = outputs;
}

// The lower two rows of the glass go on with the lines of the upper two
void
hd44780_text(const struct hd44780 *chip, int columns, int row, uint8_t *text)
{
    const uint8_t *line = chip->characters + (row & 1) * LINE_LENGTH;
    int start = (row >> 1) * columns + chip->shift;
    for (int i = 0; i < columns; i++)
        text[i] = chip->is_on ? line[(start + i) % LINE_LENGTH] : ' ';
}
