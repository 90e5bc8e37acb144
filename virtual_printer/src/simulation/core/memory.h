// Memory that is there, or the process ends
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h> // size_t

#pragma GCC visibility push(hidden)

// Allocate zeroed memory; never returns NULL
void *allocate(size_t count, size_t size);

// Add an element of the given size to an array and return its address
void *array_grow(void *array_pointer, size_t *count, size_t size);

char *copy_string(const char *text);

// Blocks of memory that are in use, of all simulations of the process
struct memory_use {
    size_t blocks, bytes;
};

struct memory_use memory_in_use(void);

#pragma GCC visibility pop

#endif // memory.h
