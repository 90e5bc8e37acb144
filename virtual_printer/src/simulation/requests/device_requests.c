// Requests of a test: what is connected to pins
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../description/machine.h" // struct simulation
#include "../devices/display.h" // struct display
#include "../devices/led_chain.h" // struct led_chain
#include "../devices/output_chip.h" // struct output_chip
#include "../firmware/mcu.h" // struct mcu
#include "../firmware/neopixel.h" // neopixel_shown
#include "control.h" // requested_mcu

// Put a switch on a pin, or take it away
void
request_switch(struct simulation *sim, struct words *words, struct reply *reply)
{
    (void)reply;
    static const char *const states[] = {
        [SWITCH_NONE] = "none",
        [SWITCH_LOW] = "0",
        [SWITCH_HIGH] = "1",
    };
    struct mcu *mcu = requested_mcu(sim, words);
    uint8_t pin = requested_pin(words);
    int state = words_choice(words, "level", states, 3);
    words_check_used(words);
    if (words->error[0])
        return;
    pin_announce(&mcu->pins[pin]);
    mcu->pins[pin].switch_state = (uint8_t)state;
}

// Share of the time for which an MCU, or another chip, has a pin high
void
request_duty(struct simulation *sim, struct words *words, struct reply *reply)
{
    const char *name = words_item(words, 1, "mcu");
    const struct output_chip *chip = machine_find_output_chip(sim, name);
    const struct mcu *mcu = chip ? NULL : requested_mcu(sim, words);
    uint8_t pin = requested_pin(words);
    if (chip && pin < chip->kind->output_count)
        reply_add(reply, " %.6f", chip->outputs[pin].duty);
    else if (chip)
        words_fail(words, "no pin %d on chip '%s'", pin, name);
    else if (mcu)
        reply_add(reply, " %.6f", mcu->pins[pin].duty);
}

// How far each output of a chip is on, from 0 to 1
void
request_outputs(struct simulation *sim, struct words *words,
                struct reply *reply)
{
    const char *name = words_item(words, 1, "chip");
    const struct output_chip *chip = machine_find_output_chip(sim, name);
    if (!chip)
        words_fail(words, "unknown chip '%s'", name);
    for (int i = 0; chip && i < chip->kind->output_count; i++)
        reply_add(reply, " %.6f", chip->outputs[i].duty);
}

static void
add_bytes(struct reply *reply, const uint8_t *bytes, size_t count)
{
    reply_add(reply, " ");
    for (size_t i = 0; i < count; i++)
        reply_add(reply, "%02x", bytes[i]);
}

// What a chain of LEDs shows
void
request_leds(struct simulation *sim, struct words *words, struct reply *reply)
{
    struct mcu *mcu = requested_mcu(sim, words);
    uint8_t pin = requested_pin(words);
    size_t size = 0;
    const uint8_t *bytes = mcu ? neopixel_shown(mcu, pin, &size) : NULL;
    const struct led_chain *chain = mcu ? sim->led_chains : NULL;
    for (; chain && !bytes; chain = chain->next)
        if (chain->data_pin == &mcu->pins[pin]) {
            bytes = chain->colors;
            size = LED_BYTES * chain->led_count;
        }
    if (bytes)
        add_bytes(reply, bytes, size);
    else
        words_fail(words, "no LEDs on pin %d", pin);
}

static struct display *
requested_display(struct simulation *sim, struct words *words)
{
    const char *name = words_item(words, 1, "display");
    struct display *display = machine_find_display(sim, name);
    if (!display)
        words_fail(words, "unknown display '%s'", name);
    return display;
}

// The characters of each row of a display
void
request_display_text(struct simulation *sim, struct words *words,
                     struct reply *reply)
{
    struct display *display = requested_display(sim, words);
    int width = display ? display_text_width(display) : 0;
    uint8_t text[TEXT_COLUMNS_MAX];
    if (display && !width)
        words_fail(words, "display '%s' shows no text", display->name);
    for (int row = 0; row < TEXT_ROWS && width; row++) {
        display_text(display, row, text);
        add_bytes(reply, text, (size_t)width);
    }
}

// The dots of each row of a display, the leftmost in the highest bit
void
request_display_picture(struct simulation *sim, struct words *words,
                        struct reply *reply)
{
    struct display *display = requested_display(sim, words);
    if (display && !display_has_picture(display))
        words_fail(words, "display '%s' shows no picture", display->name);
    for (int y = 0; y < PICTURE_HEIGHT && !words->error[0]; y++) {
        uint8_t bits[PICTURE_WIDTH / 8] = { 0 };
        for (int x = 0; x < PICTURE_WIDTH; x++)
            bits[x / 8] |= (uint8_t)(display_dot(display, x, y) << (7 - x % 8));
        add_bytes(reply, bits, sizeof(bits));
    }
}
