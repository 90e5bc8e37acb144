// Requests of a test: what becomes of the sensors that look for the bed
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../description/machine.h" // struct simulation
#include "../devices/ldc1612.h" // struct ldc1612
#include "../devices/load_cell.h" // struct load_cell
#include "../firmware/beacon.h" // struct beacon
#include "control.h" // requested_mcu

// Set the state of a sensor if an MCU reads it; returns how many that were
static int
set_state(struct sensing *sensing, const struct mcu *mcu,
          enum sensing_state state)
{
    if (sensing->mcu != mcu)
        return 0;
    sensing->state = state;
    return 1;
}

// Have the coils and load cells that an MCU reads fail, or work again
void
request_sensor(struct simulation *sim, struct words *words, struct reply *reply)
{
    (void)reply;
    static const char *const states[] = {
        [SENSING_WORKS] = "works",
        [SENSING_SILENT] = "silent",
        [SENSING_STUCK] = "stuck",
        [SENSING_NEAR] = "near",
    };
    const struct mcu *mcu = requested_mcu(sim, words);
    enum sensing_state state =
        (enum sensing_state)words_choice(words, "state", states, SENSING_COUNT);
    words_check_used(words);
    if (words->error[0])
        return;
    int count = 0;
    for (size_t i = 0; i < sim->coil_count; i++)
        count += set_state(&sim->coils[i]->sensing, mcu, state);
    for (size_t i = 0; i < sim->load_cell_count; i++)
        count += set_state(&sim->load_cells[i]->sensing, mcu, state);
    for (size_t i = 0; i < sim->beacon_count; i++)
        count += set_state(&sim->beacons[i]->coil.sensing, mcu, state);
    if (!count)
        words_fail(words, "mcu '%s' reads no sensor", mcu->name);
}
