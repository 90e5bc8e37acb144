// How much of the CPU a stepper may take, by the moves it has
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef STEPPER_LOAD_H
#define STEPPER_LOAD_H

#include "mcu.h" // struct mcu

#pragma GCC visibility push(hidden)

// The steps of a move at level n take less than 2^n / CPU_WHOLE of the CPU;
// those of the last level may take all of it, or more
enum { LOAD_LEVELS = 10 };
// From this share on steppers are looked at step by step
enum { LOAD_LIMIT = CPU_WHOLE / 2 };

struct stepper_load {
    uint32_t event_count; // timers of the firmware for each step
    // Ticks between two steps at which they take the CPU to one part
    uint32_t ticks_per_part;
    uint8_t level; // of the move that is being stepped
    uint16_t present; // bit n is set if there is a move of that level
    uint16_t counts[LOAD_LEVELS];
};

void stepper_load_init(struct stepper_load *load, const struct mcu *mcu,
                       uint32_t event_count);
// A move was queued
void stepper_load_add(struct stepper_load *load, struct cpu *cpu,
                      struct move *move);
// The move that was stepped is over
void stepper_load_remove(struct stepper_load *load, struct cpu *cpu);
void stepper_load_clear(struct stepper_load *load, struct cpu *cpu);

#pragma GCC visibility pop

#endif // stepper_load.h
