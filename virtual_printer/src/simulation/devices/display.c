// Displays: how bytes reach their controllers, and what they show
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memset
#include "../core/events.h" // container_of
#include "display.h" // struct display

const char *const display_kind_names[DISPLAY_KIND_COUNT] = {
    [DISPLAY_HD44780] = "hd44780",
    [DISPLAY_HD44780_SPI] = "hd44780_spi",
    [DISPLAY_AIP31068_SPI] = "aip31068_spi",
    [DISPLAY_ST7920] = "st7920",
    [DISPLAY_UC1701] = "uc1701",
    [DISPLAY_SSD1306] = "ssd1306",
    [DISPLAY_SH1106] = "sh1106",
};


/****************************************************************
 * What is sent
 ****************************************************************/

static void
take_paged(struct display *display, const uint8_t *bytes, size_t count,
           int is_data)
{
    for (size_t i = 0; i < count; i++)
        if (is_data)
            paged_display_data(&display->paged, bytes[i]);
        else
            paged_display_command(&display->paged, display->kind, bytes[i]);
}

static void
clocked_write(struct clocked_device *device, const uint8_t *bytes, size_t count,
              int is_data)
{
    struct display *display = container_of(device, struct display, clocked);
    for (size_t i = 0; i < count; i++) {
        if (display->kind == DISPLAY_ST7920) {
            st7920_take(&display->st7920, bytes[i], is_data);
            continue;
        }
        hd44780_take_four_bits(&display->hd44780, bytes[i] >> 4, is_data);
        hd44780_take_four_bits(&display->hd44780, bytes[i] & 0x0f, is_data);
    }
}

// Groups of nine bits, the first of which says whether the others are data
static void
take_groups(struct hd44780 *chip, const uint8_t *bytes, size_t count)
{
    uint32_t bits = 0;
    int bit_count = 0;
    for (size_t i = 0; i < count; i++) {
        bits = bits << 8 | bytes[i];
        bit_count += 8;
        if (bit_count < 9)
            continue;
        bit_count -= 9;
        uint32_t group = bits >> bit_count;
        hd44780_take(chip, (uint8_t)group, group >> 8 & 1);
    }
}

static void
spi_transfer(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct display *display = container_of(device, struct display, spi);
    if (display->kind == DISPLAY_AIP31068_SPI)
        take_groups(&display->hd44780, bytes, count);
    else if (display->kind == DISPLAY_HD44780_SPI)
        // Only the last byte stays in the shift register
        hd44780_latch(&display->hd44780, count ? bytes[count - 1] : 0);
    else
        take_paged(display, bytes, count, display->data_pin->level);
    memset(bytes, 0, count);
}

// The first byte says what the others are
static int
i2c_write(struct i2c_device *device, const uint8_t *bytes, size_t count)
{
    struct display *display = container_of(device, struct display, i2c);
    if (count)
        take_paged(display, bytes + 1, count - 1, bytes[0] & 0x40);
    return 0;
}

static int
i2c_read(struct i2c_device *device, const uint8_t *bytes, size_t count,
         uint8_t *answer, size_t answer_size)
{
    i2c_write(device, bytes, count);
    memset(answer, 0, answer_size);
    return 0;
}

void
display_reset(struct display *display)
{
    display->clocked.write = clocked_write;
    display->spi.transfer = spi_transfer;
    display->i2c.write = i2c_write;
    display->i2c.read = i2c_read;
    hd44780_reset(&display->hd44780);
    st7920_reset(&display->st7920);
    paged_display_reset(&display->paged, display->kind);
}


/****************************************************************
 * What is shown
 ****************************************************************/

int
display_text_width(const struct display *display)
{
    return display->kind == DISPLAY_ST7920 ? 16
        : display->kind < DISPLAY_ST7920   ? display->column_count
                                           : 0;
}

void
display_text(const struct display *display, int row, uint8_t *text)
{
    if (display->kind == DISPLAY_ST7920)
        st7920_text(&display->st7920, row, text);
    else
        hd44780_text(&display->hd44780, display->column_count, row, text);
}

int
display_has_picture(const struct display *display)
{
    return display->kind >= DISPLAY_ST7920;
}

int
display_dot(const struct display *display, int x, int y)
{
    return display->kind == DISPLAY_ST7920
        ? st7920_dot(&display->st7920, x, y)
        : paged_display_dot(&display->paged, x, y);
}
