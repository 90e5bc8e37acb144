// Chips with outputs in a description file, and what is connected to those
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // copy_string
#include "../devices/i2c_wires.h" // i2c_wires_connect
#include "../devices/led_chain.h" // struct led_chain
#include "../devices/output_chip.h" // struct output_chip
#include "../firmware/mcu.h" // struct mcu
#include "description.h" // description_mcu
#include "machine.h" // struct simulation

// What an error leaves in the place of a pin
static struct pin nowhere;

struct pin *
description_pin(struct simulation *sim, struct words *words,
                const char *mcu_key, const char *pin_key)
{
    struct mcu *mcu = description_mcu(sim, words, words_text(words, mcu_key));
    int64_t number = words_integer(words, pin_key, 0, PIN_COUNT - 1);
    return mcu && !words->error[0] ? &mcu->pins[number] : &nowhere;
}

struct pin *
description_output(struct simulation *sim, struct words *words)
{
    struct output_chip *chip =
        machine_find_output_chip(sim, words_text(words, "mcu"));
    if (!chip)
        return description_pin(sim, words, "mcu", "pin");
    int64_t number =
        words_integer(words, "pin", 0, chip->kind->output_count - 1);
    return words->error[0] ? &nowhere : &chip->outputs[number];
}

static void
read_place(struct simulation *sim, struct words *words,
           struct output_chip *chip)
{
    description_connect(sim, words, &chip->spi, &chip->i2c);
    if (words_find(words, "clock_pin")) {
        struct pin *clock = description_pin(sim, words, "mcu", "clock_pin");
        struct pin *data = description_pin(sim, words, "mcu", "data_pin");
        chip->wires = i2c_wires_connect(&chip->i2c, clock, data);
    }
    if (words_find(words, "enable_pin")) {
        struct pin *pin =
            description_pin(sim, words, "enable_mcu", "enable_pin");
        int is_inverted = (int)words_integer(words, "enable_invert", 0, 1);
        output_chip_connect_enable(chip, pin, is_inverted);
    }
}

void
read_output_chip(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    const char *name = words_item(words, 1, "name");
    const char *kind = words_text(words, "kind");
    if (machine_find_output_chip(sim, name) || machine_find_mcu(sim, name))
        words_fail(words, "chip '%s' is there twice", name);
    struct output_chip *chip = output_chip_create(kind, name);
    if (!chip) {
        words_fail(words, "unknown kind of chip '%s'", kind);
        return;
    }
    chip->next = sim->output_chips;
    sim->output_chips = chip;
    read_place(sim, words, chip);
}

void
read_led_chain(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    int64_t led_count = words_integer(words, "leds", 1, 10000);
    const struct pin *pin = description_pin(sim, words, "mcu", "data_pin");
    if (words->error[0])
        return;
    struct led_chain *chain = led_chain_create((size_t)led_count);
    chain->next = sim->led_chains;
    sim->led_chains = chain;
    chain->data_pin = pin;
    description_connect(sim, words, &chain->spi, NULL);
}

void
outputs_free(struct simulation *sim)
{
    while (sim->led_chains) {
        struct led_chain *chain = sim->led_chains;
        sim->led_chains = chain->next;
        led_chain_free(chain);
    }
    while (sim->output_chips) {
        struct output_chip *chip = sim->output_chips;
        sim->output_chips = chip->next;
        output_chip_free(chip);
    }
}
