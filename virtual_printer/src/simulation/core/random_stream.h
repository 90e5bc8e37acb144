// Seeded pseudo random numbers (splitmix64, published by Sebastiano Vigna)
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef RANDOM_STREAM_H
#define RANDOM_STREAM_H

#include <stdint.h> // uint64_t

struct random_stream {
    uint64_t state;
};

// Return the next 64 random bits
static inline uint64_t
random_bits(struct random_stream *random)
{
    uint64_t bits = random->state += 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
}

// Start a stream of its own for each purpose, so that one user drawing
// more numbers does not change what another user gets
static inline void
random_init(struct random_stream *random, uint64_t seed, uint64_t purpose)
{
    struct random_stream mixer = { seed };
    random->state = random_bits(&mixer) ^ (purpose * 0xd1342543de82ef95u);
    random->state = random_bits(random);
}

// Return a number from 0 to limit-1 (0 if there is no such number)
static inline int64_t
random_below(struct random_stream *random, int64_t limit)
{
    if (limit <= 0)
        return 0;
    __extension__ typedef unsigned __int128 wide_t;
    return (int64_t)(((wide_t)random_bits(random) * (uint64_t)limit) >> 64);
}

// Return a roughly normal number of mean 0 and deviation 1, at most 6;
// a sum of twelve needs no libm and so is the same on all machines
static inline double
random_normal(struct random_stream *random)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++)
        sum += (double)(random_bits(random) >> 11) / 9007199254740992.0;
    return sum;
}

#endif // random_stream.h
