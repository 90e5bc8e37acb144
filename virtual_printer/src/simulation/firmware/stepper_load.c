// How much of the CPU a stepper may take, by the moves it has
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
//
// This is what it takes at the shortest interval of all moves that are
// queued: cheap to know, and never too little.  As moves come and go it
// is enough to know how many there are of each level.

#include <string.h> // memset
#include "stepper_load.h" // struct stepper_load

static int
bit_length(uint32_t number)
{
    return number ? 32 - __builtin_clz(number) : 0;
}

static uint32_t
share(const struct stepper_load *load)
{
    return load->present ? 1u << (bit_length(load->present) - 1) : 0;
}

static void
set_present(struct stepper_load *load, struct cpu *cpu, uint32_t present)
{
    cpu->load -= share(load);
    load->present = (uint16_t)present;
    cpu->load += share(load);
    if (cpu->load < LOAD_LIMIT)
        cpu->is_loaded = 0;
}

void
stepper_load_init(struct stepper_load *load, const struct mcu *mcu,
                  uint32_t event_count)
{
    const struct cpu *cpu = &mcu->cpu;
    int64_t event_ps =
        cpu->lone_ps > cpu->shared_ps ? cpu->lone_ps : cpu->shared_ps;
    load->event_count = event_count;
    load->ticks_per_part =
        (uint32_t)((double)(event_ps * event_count) * 1e-12
                   * (double)mcu->nominal_frequency * CPU_WHOLE)
        + 1;
}

// The least number of ticks from one step to the next
static uint32_t
shortest_interval(const struct move *move)
{
    int64_t first = (int32_t)move->interval_ticks;
    int64_t last = first + (int64_t)move->add_ticks * (move->count - 1);
    int64_t least = first < last ? first : last;
    return least > 0 ? (uint32_t)least : 1;
}

void
stepper_load_add(struct stepper_load *load, struct cpu *cpu, struct move *move)
{
    int level = bit_length(load->ticks_per_part / shortest_interval(move));
    if (level >= LOAD_LEVELS)
        level = LOAD_LEVELS - 1;
    move->load_level = (uint8_t)level;
    load->counts[level]++;
    set_present(load, cpu, load->present | 1u << level);
}

void
stepper_load_remove(struct stepper_load *load, struct cpu *cpu)
{
    if (!--load->counts[load->level])
        set_present(load, cpu, load->present & ~(1u << load->level));
}

void
stepper_load_clear(struct stepper_load *load, struct cpu *cpu)
{
    memset(load->counts, 0, sizeof(load->counts));
    set_present(load, cpu, 0);
}
