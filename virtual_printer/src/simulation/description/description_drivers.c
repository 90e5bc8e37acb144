// Stepper drivers in a description file
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // free
#include <string.h> // strtok_r
#include "../core/memory.h" // array_grow
#include "../devices/tmc.h" // struct tmc
#include "../firmware/mcu.h" // struct mcu
#include "description.h" // description_mcu
#include "machine.h" // struct simulation

enum { CHAIN_LENGTH_MAX = 12 };

// Read the pins that choose it among others on its wire: PIN:LEVEL,...
static void
read_select(struct words *words, struct tmc *tmc, const struct mcu *mcu)
{
    const char *given = words_find(words, "select");
    char *text = copy_string(given ? given : ""), *rest;
    for (char *part = strtok_r(text, ",", &rest); part;
         part = strtok_r(NULL, ",", &rest)) {
        char *colon = strchr(part, ':');
        if (!colon || tmc->select_count == TMC_SELECT_PINS_MAX) {
            words_fail(words, "select is not a few pins with levels");
            break;
        }
        *colon = 0;
        int64_t pin = words_parse_integer(words, "select", part, 0, 255);
        tmc->select_pins[tmc->select_count] = &mcu->pins[pin & 0xff];
        tmc->select_levels[tmc->select_count++] =
            (uint8_t)words_parse_integer(words, "select", colon + 1, 0, 1);
    }
    free(text);
}

static void
read_uart(struct words *words, struct tmc *tmc, struct mcu *mcu)
{
    struct pin *pin = &mcu->pins[words_integer(words, "uart_pin", 0, 255)];
    tmc->address = (uint8_t)words_integer_or(words, "address", 0, 255, 0);
    read_select(words, tmc, mcu);
    if (!tmc->model->has_uart)
        words_fail(words, "a %s has no UART", tmc->model->name);
    tmc->uart.next = pin->uarts;
    pin->uarts = &tmc->uart;
}

// The chain that a pin selects, which its first chip brings along
static struct tmc_chain *
find_chain(struct simulation *sim, struct pin *pin, size_t length)
{
    for (size_t i = 0; i < sim->driver_chain_count; i++)
        if (pin->selected == &sim->driver_chains[i]->spi)
            return sim->driver_chains[i];
    struct tmc_chain **place = array_grow(
        &sim->driver_chains, &sim->driver_chain_count, sizeof(*place));
    *place = tmc_chain_create(length);
    pin->selected = &(*place)->spi;
    return *place;
}

static void
read_spi(struct simulation *sim, struct words *words, struct tmc *tmc,
         struct mcu *mcu)
{
    struct pin *pin = &mcu->pins[words_integer(words, "cs_pin", 0, 255)];
    size_t length =
        (size_t)words_integer_or(words, "chain_length", 1, CHAIN_LENGTH_MAX, 1);
    size_t position = (size_t)words_integer_or(words, "chain_position", 1,
                                               (int64_t)length, 1);
    struct tmc_chain *chain = find_chain(sim, pin, length);
    if (!tmc->model->has_spi)
        words_fail(words, "a %s has no SPI", tmc->model->name);
    if (chain->length != length || chain->chips[position - 1]) {
        words_fail(words, "its place in the chain is not free");
        return;
    }
    chain->chips[position - 1] = tmc;
    tmc->chain = chain;
    if (!tmc->model->shaft_bit)
        chain->spi.transfer = tmc2660_transfer;
}

// Wire an output that shows a stall, if the description says to which pin
static void
read_diag(struct simulation *sim, struct words *words, struct tmc_diag *diag,
          const char *mcu_key, const char *pin_key)
{
    if (!words_find(words, mcu_key))
        return;
    struct mcu *mcu = description_mcu(sim, words, words_text(words, mcu_key));
    int64_t number = words_integer(words, pin_key, 0, 255);
    if (!mcu)
        return;
    if (mcu->pins[number].source)
        words_fail(words, "pin %d is driven by something else", (int)number);
    mcu->pins[number].source = &diag->source;
}

void
read_driver(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    const char *name = words_item(words, 1, "name");
    const char *model_name = words_text(words, "model");
    const struct tmc_model *model = tmc_find_model(model_name);
    struct mcu *mcu = description_mcu(sim, words, words_text(words, "mcu"));
    if (!model)
        words_fail(words, "unknown model '%s'", model_name);
    if (machine_find_driver(sim, name))
        words_fail(words, "driver '%s' is there twice", name);
    if (!model || !mcu)
        return;
    struct tmc **place =
        array_grow(&sim->drivers, &sim->driver_count, sizeof(*place));
    // A stepper that is not simulated stands still
    *place = tmc_create(model, name,
                        mechanics_find_motor_by_name(&sim->mechanics, name));
    struct tmc *tmc = *place;
    if (words_find(words, "uart_pin"))
        read_uart(words, tmc, mcu);
    else
        read_spi(sim, words, tmc, mcu);
    read_diag(sim, words, &tmc->diags[0], "diag0_mcu", "diag0_pin");
    read_diag(sim, words, &tmc->diags[1], "diag1_mcu", "diag1_pin");
    tmc_set_power(tmc, (int)words_integer_or(words, "power", 0, 1, 1));
}
