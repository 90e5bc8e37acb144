// A file with what happens in a simulation, line by line
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef RECORDER_H
#define RECORDER_H

#include <stddef.h> // size_t
#include <stdint.h> // int64_t

#pragma GCC visibility push(hidden)

struct recorder;

// NULL if the file cannot be written
struct recorder *recorder_open(const char *path);
// Close it whole, if it is open
void recorder_close(struct recorder *recorder);

// A line has the time, a kind, whose it is, what it is, and values
void recorder_begin(struct recorder *recorder, int64_t time_ns,
                    const char *kind, const char *name, const char *what);
void recorder_put(struct recorder *recorder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void recorder_put_bytes(struct recorder *recorder, const uint8_t *bytes,
                        size_t size);
void recorder_end(struct recorder *recorder);

#pragma GCC visibility pop

#endif // recorder.h
