// When the host's kernel gets a thread running after an event
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <stdio.h>
#include <stdlib.h>

#define MICROSECOND_NS 1000

// Most wake-ups take shortest to longest, one in spike_every takes a spike
static int64_t shortest_ns = 100 * MICROSECOND_NS;
static int64_t longest_ns = 500 * MICROSECOND_NS;
static int64_t spike_ns = 2000 * MICROSECOND_NS;
static uint64_t spike_every = 200;
static uint64_t generator;
static int64_t stall_end_ns;

// Next value of the splitmix64 generator
static uint64_t
next_random(void)
{
    generator += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = generator;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

// Take seed and model ("shortest:longest:spike:spike_every" in us) as text
void
host_latency_setup(const char *seed, const char *latency_us)
{
    if (seed != NULL)
        generator = strtoull(seed, NULL, 0);
    if (latency_us == NULL)
        return;
    double shortest, longest, spike, every;
    int count = sscanf(latency_us, "%lf:%lf:%lf:%lf", &shortest, &longest,
                       &spike, &every);
    if (count != 4 || shortest < 0. || longest < shortest || spike < 0.
        || every < 0.)
        report_bad_setup("host latency \"%s\" is not shortest:longest:spike"
                         ":spike_every",
                         latency_us);
    shortest_ns = shortest * MICROSECOND_NS;
    longest_ns = longest * MICROSECOND_NS;
    spike_ns = spike * MICROSECOND_NS;
    spike_every = every;
}

// Delay of the next wake-up
int64_t
host_latency_draw_ns(void)
{
    if (spike_every != 0 && next_random() % spike_every == 0)
        return spike_ns;
    uint64_t range_ns = longest_ns - shortest_ns;
    if (range_ns == 0)
        return shortest_ns;
    return shortest_ns + (int64_t)(next_random() % (range_ns + 1));
}

// Let no thread run for a while, as when the host's kernel is stuck
void
host_stall(int64_t duration_ns)
{
    stall_end_ns = clock_now_ns() + duration_ns;
}

// Until when no thread runs
int64_t
host_stall_end_ns(void)
{
    return stall_end_ns;
}
