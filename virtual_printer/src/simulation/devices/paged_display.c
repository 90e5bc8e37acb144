// UC1701, SSD1306 and SH1106: a picture in pages of eight rows
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memset
#include "display.h" // struct paged_display

void
paged_display_reset(struct paged_display *chip, enum display_kind kind)
{
    int first_column = chip->first_column;
    memset(chip, 0, sizeof(*chip));
    chip->first_column = first_column;
    chip->column_count = kind == DISPLAY_SSD1306 ? 128 : 132;
    chip->is_turned = kind != DISPLAY_UC1701;
    chip->is_mirrored = chip->is_turned;
    chip->is_flipped = 1;
}

// How many bytes follow a command of which they are arguments
static uint8_t
argument_count(enum display_kind kind, uint8_t command)
{
    static const uint8_t ssd1306_commands[] = {
        0x20, 0x81, 0x8d, 0xa8, 0xad, 0xd3, 0xd5, 0xd9, 0xda, 0xdb,
    };
    if (kind == DISPLAY_UC1701)
        return command == 0x81 || command == 0xf8;
    if (kind == DISPLAY_SSD1306 && (command == 0x21 || command == 0x22))
        return 2;
    return memchr(ssd1306_commands, command, sizeof(ssd1306_commands)) != NULL;
}

// Commands that all of them have; others make no difference to the picture
static void
run_command(struct paged_display *chip, uint8_t command)
{
    if (command < 0x10)
        chip->column = (uint8_t)((chip->column & 0xf0) | command);
    else if (command < 0x20)
        chip->column = (uint8_t)((chip->column & 0x0f) | (command & 0x0f) << 4);
    else if (command >= 0x40 && command < 0x80)
        chip->start_row = command & 0x3f;
    else if ((command & 0xf8) == 0xb0)
        chip->page = command & 0x07;
    else if ((command & 0xf0) == 0xc0)
        chip->is_flipped = !(command & 0x08);
    else if ((command & 0xfe) == 0xa0)
        chip->is_mirrored = (command & 1) ^ chip->is_turned;
    else if ((command & 0xfe) == 0xa4)
        chip->is_all_on = command & 1;
    else if ((command & 0xfe) == 0xa6)
        chip->is_inverse = command & 1;
    else if ((command & 0xfe) == 0xae)
        chip->is_on = command & 1;
}

void
paged_display_command(struct paged_display *chip, enum display_kind kind,
                      uint8_t byte)
{
    if (chip->arguments_left) {
        chip->arguments_left--;
        return;
    }
    chip->arguments_left = argument_count(kind, byte);
    if (chip->arguments_left)
        return;
    if (kind == DISPLAY_UC1701 && byte == 0xe2)
        // Only the memory is kept
        chip->page = chip->column = chip->start_row = chip->is_on = 0;
    else
        run_command(chip, byte);
}

void
paged_display_data(struct paged_display *chip, uint8_t byte)
{
    if (chip->column < chip->column_count)
        chip->pages[chip->page][chip->column++] = byte;
}

int
paged_display_dot(const struct paged_display *chip, int x, int y)
{
    if (!chip->is_on)
        return 0;
    if (chip->is_all_on)
        return 1;
    int column = chip->first_column + x;
    if (chip->is_mirrored)
        column = chip->column_count - 1 - column;
    int row = chip->is_flipped ? PICTURE_HEIGHT - 1 - y : y;
    row = (row + chip->start_row) % PICTURE_HEIGHT;
    int dot = chip->pages[row / 8][column] >> (row % 8) & 1;
    return dot ^ chip->is_inverse;
}
