// How much memory the library has in use, apart from that of its process
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <malloc.h> // malloc_usable_size
#include "memory.h" // struct memory_use

// The linker has the library's own calls come here (--wrap), so that no part
// of it can forget to count
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);

static struct memory_use in_use;

struct memory_use
memory_in_use(void)
{
    return in_use;
}

static void *
note_taken(void *memory)
{
    if (memory) {
        in_use.blocks++;
        in_use.bytes += malloc_usable_size(memory);
    }
    return memory;
}

static void
note_given_back(void *memory)
{
    if (memory) {
        in_use.blocks--;
        in_use.bytes -= malloc_usable_size(memory);
    }
}

void *
__wrap_malloc(size_t size)
{
    return note_taken(__real_malloc(size));
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return note_taken(__real_calloc(count, size));
}

void *
__wrap_realloc(void *old, size_t size)
{
    // Whoever cannot have more ends the process
    note_given_back(old);
    return note_taken(__real_realloc(old, size));
}

void
__wrap_free(void *memory)
{
    note_given_back(memory);
    __real_free(memory);
}
