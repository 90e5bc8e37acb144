// A TMC driver: reading and writing its registers, power
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // free
#include <string.h> // memset
#include "../core/memory.h" // allocate
#include "tmc.h" // struct tmc

static const struct tmc_register *
find_register(const struct tmc *tmc, uint8_t address)
{
    const struct tmc_model *model = tmc->model;
    for (size_t i = 0; i < model->register_count; i++)
        if (model->registers[i].address == address)
            return &model->registers[i];
    return NULL;
}

int
tmc_has(const struct tmc *tmc, uint8_t address)
{
    return find_register(tmc, address) != NULL;
}

uint32_t
tmc_read(struct tmc *tmc, uint8_t address)
{
    const struct tmc_register *found = find_register(tmc, address);
    if (!found || !(found->access & TMC_READ))
        return 0;
    if (found->access == TMC_READ)
        return tmc_status_value(tmc, address);
    uint32_t value = tmc->values[address];
    if (found->access & TMC_CLEAR_READ)
        tmc->values[address] = 0;
    return value;
}

void
tmc_write(struct tmc *tmc, uint8_t address, uint32_t value)
{
    const struct tmc_register *found = find_register(tmc, address);
    // Whatever is written counts
    tmc->write_count++;
    if (!found)
        return;
    // The sine wave may go on in other steps from here on
    tmc_count_steps(tmc);
    if (found->access & TMC_CLEAR_ONES)
        tmc->values[address] &= ~value;
    else if (found->access & TMC_WRITE)
        tmc->values[address] = value;
}

// Everything as after power-on
static void
reset(struct tmc *tmc)
{
    const struct tmc_model *model = tmc->model;
    memset(tmc->values, 0, sizeof(tmc->values));
    for (size_t i = 0; i < model->register_count; i++)
        tmc->values[model->registers[i].address] = model->registers[i].reset;
    tmc_count_steps(tmc);
    tmc->phase = 0;
    tmc->write_count = 0;
    tmc->answer = 0;
}

void
tmc_set_power(struct tmc *tmc, int is_powered)
{
    if (is_powered && !tmc->is_powered)
        reset(tmc);
    tmc->is_powered = is_powered;
    if (tmc->motor)
        motor_set_limp(tmc->motor, !is_powered);
}

struct tmc *
tmc_create(const struct tmc_model *model, const char *name, struct motor *motor)
{
    struct tmc *tmc = allocate(1, sizeof(*tmc));
    tmc->model = model;
    tmc->name = copy_string(name);
    tmc->motor = motor;
    tmc->uart.exchange = tmc_exchange;
    for (uint8_t i = 0; i < 2; i++)
        tmc->diags[i] = (struct tmc_diag){ .source.level = tmc_diag_level,
                                           .tmc = tmc,
                                           .number = i };
    tmc_set_power(tmc, 1);
    return tmc;
}

void
tmc_free(struct tmc *tmc)
{
    free(tmc->name);
    free(tmc);
}
