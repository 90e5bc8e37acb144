// Memory that is there, or the process ends
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // calloc
#include <string.h> // memcpy
#include "memory.h" // allocate

void *
allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        abort();
    return memory;
}

void *
array_grow(void *array_pointer, size_t *count, size_t size)
{
    void *old;
    memcpy(&old, array_pointer, sizeof(old));
    char *array = realloc(old, (*count + 1) * size);
    if (!array)
        abort();
    memcpy(array_pointer, &array, sizeof(array));
    char *element = array + *count * size;
    memset(element, 0, size);
    (*count)++;
    return element;
}

char *
copy_string(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(allocate(size, 1), text, size);
}
