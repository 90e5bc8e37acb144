// A file with what happens in a simulation, line by line
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "recorder.h" // struct recorder
#include <inttypes.h> // PRId64
#include <stdarg.h> // va_list
#include <stdio.h> // fopen
#include <stdlib.h> // free
#include "memory.h" // allocate

#define NS_PER_S INT64_C(1000000000)

struct recorder {
    FILE *file;
    int64_t time_ns; // of the last line
};

struct recorder *
recorder_open(const char *path)
{
    // Behind what says of which run it is
    FILE *file = fopen(path, "a");
    if (!file)
        return NULL;
    struct recorder *recorder = allocate(1, sizeof(*recorder));
    recorder->file = file;
    return recorder;
}

void
recorder_close(struct recorder *recorder)
{
    if (!recorder)
        return;
    // Without this line it was cut
    recorder_begin(recorder, recorder->time_ns, "end", "", "");
    recorder_end(recorder);
    fclose(recorder->file);
    free(recorder);
}

void
recorder_begin(struct recorder *recorder, int64_t time_ns, const char *kind,
               const char *name, const char *what)
{
    recorder->time_ns = time_ns;
    fprintf(recorder->file, "%" PRId64 ".%09" PRId64 ",%s,%s,%s,",
            time_ns / NS_PER_S, time_ns % NS_PER_S, kind, name, what);
}

void
recorder_put(struct recorder *recorder, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(recorder->file, format, arguments);
    va_end(arguments);
}

void
recorder_put_bytes(struct recorder *recorder, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        fprintf(recorder->file, "%02x", bytes[i]);
}

void
recorder_end(struct recorder *recorder)
{
    fputc('\n', recorder->file);
}
