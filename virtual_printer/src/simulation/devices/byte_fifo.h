// The FIFO of an acceleration sensor that is read byte by byte
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef BYTE_FIFO_H
#define BYTE_FIFO_H

#include "accelerometer.h" // struct accelerometer

#pragma GCC visibility push(hidden)

enum { SAMPLE_BYTES = 6 };

// The sample that is being read
struct byte_fifo {
    uint8_t bytes[SAMPLE_BYTES];
    size_t left; // of it
};

size_t byte_fifo_size(struct byte_fifo *fifo, struct accelerometer *sensor);
// The next byte; an empty FIFO has ones only
uint8_t byte_fifo_read(struct byte_fifo *fifo, struct accelerometer *sensor,
                       int is_big_endian);

#pragma GCC visibility pop

#endif // byte_fifo.h
