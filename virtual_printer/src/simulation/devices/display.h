// Displays: their controllers, and what they show
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef DISPLAY_H
#define DISPLAY_H

#include "../core/pin.h" // struct clocked_device

#pragma GCC visibility push(hidden)

enum { TEXT_ROWS = 4, TEXT_COLUMNS_MAX = 20 };
enum { PICTURE_WIDTH = 128, PICTURE_HEIGHT = 64 };

enum display_kind {
    DISPLAY_HD44780,
    DISPLAY_HD44780_SPI,
    DISPLAY_AIP31068_SPI,
    DISPLAY_ST7920,
    DISPLAY_UC1701,
    DISPLAY_SSD1306,
    DISPLAY_SH1106,
    DISPLAY_KIND_COUNT,
};
extern const char *const display_kind_names[DISPLAY_KIND_COUNT];

// A controller of 80 characters, 8 of which can be drawn
struct hd44780 {
    uint8_t characters[80], glyphs[64];
    int address; // in the characters: 40 for each of two lines
    int glyph_address; // -1 while it is the characters that are written
    int shift; // by how many characters the lines are scrolled
    uint8_t is_on, is_backward, is_shifting;
    // Over four wires
    uint8_t is_four_bits, has_high, high;
    uint8_t latched; // what the shift register before it shows
};

// A controller of 64 characters and a picture behind them
struct st7920 {
    uint8_t characters[64], glyphs[128];
    uint8_t picture[64][32]; // whose lower half is not on the glass
    uint8_t *target; // what is written: one of these
    size_t target_size, place;
    uint8_t is_on, is_backward, is_extended, is_picture_on;
    uint8_t row, has_row; // of the picture
};

// A controller of eight pages, each of which is eight rows of a picture
struct paged_display {
    uint8_t pages[8][132];
    int column_count, first_column; // of all, and on the glass
    uint8_t page, column, start_row;
    uint8_t is_on, is_inverse, is_all_on, is_mirrored, is_flipped;
    uint8_t is_turned; // its modules have it the other way round
    uint8_t arguments_left; // of a command that means nothing here
};

struct display {
    struct display *next; // of the same machine
    char *name;
    enum display_kind kind;
    int column_count; // of a text display
    const struct pin *data_pin; // high while what is sent is data
    struct clocked_device clocked;
    struct spi_device spi;
    struct i2c_device i2c;
    struct hd44780 hd44780;
    struct st7920 st7920;
    struct paged_display paged;
};

// Give a display whose kind is set the state that it has when switched on
void display_reset(struct display *display);
// Number of characters in a row, 0 if it shows no text
int display_text_width(const struct display *display);
// What a row of text shows
void display_text(const struct display *display, int row, uint8_t *text);
int display_has_picture(const struct display *display);
// Whether a dot is dark; the characters of the ST7920's ROM are left out
int display_dot(const struct display *display, int x, int y);

// hd44780.c
void hd44780_reset(struct hd44780 *chip);
void hd44780_take(struct hd44780 *chip, uint8_t byte, int is_data);
void hd44780_take_four_bits(struct hd44780 *chip, uint8_t bits, int is_data);
// What a shift register puts on the wires
void hd44780_latch(struct hd44780 *chip, uint8_t outputs);
void hd44780_text(const struct hd44780 *chip, int columns, int row,
                  uint8_t *text);

// st7920.c
void st7920_reset(struct st7920 *chip);
void st7920_take(struct st7920 *chip, uint8_t byte, int is_data);
void st7920_text(const struct st7920 *chip, int row, uint8_t *text);
int st7920_dot(const struct st7920 *chip, int x, int y);

// paged_display.c
void paged_display_reset(struct paged_display *chip, enum display_kind kind);
void paged_display_command(struct paged_display *chip, enum display_kind kind,
                           uint8_t byte);
void paged_display_data(struct paged_display *chip, uint8_t byte);
int paged_display_dot(const struct paged_display *chip, int x, int y);

#pragma GCC visibility pop

#endif // display.h
