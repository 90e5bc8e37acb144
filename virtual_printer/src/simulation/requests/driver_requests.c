// Requests of a test: power and state of stepper drivers
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../description/machine.h" // machine_find_driver
#include "../devices/tmc.h" // struct tmc
#include "control.h" // reply_add

// Show a driver, once its power is as wanted
void
request_driver(struct simulation *sim, struct words *words, struct reply *reply)
{
    const char *name = words_item(words, 1, "driver");
    struct tmc *tmc = machine_find_driver(sim, name);
    if (!tmc) {
        words_fail(words, "unknown driver '%s'", name);
        return;
    }
    int is_powered = (int)words_integer_or(words, "power", 0, 1, -1);
    if (words_find(words, "power") && !words->error[0])
        tmc_set_power(tmc, is_powered);
    tmc_count_steps(tmc);
    reply_add(reply, " power=%d phase=%u step_time=%u load_2=%u load_4=%u",
              tmc->is_powered, tmc->phase, tmc_step_time(tmc), tmc_load_2(tmc),
              tmc_load_4(tmc));
}
