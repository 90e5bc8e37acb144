// The FIFO of an acceleration sensor that is read byte by byte
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "byte_fifo.h" // struct byte_fifo

size_t
byte_fifo_size(struct byte_fifo *fifo, struct accelerometer *sensor)
{
    return accelerometer_count(sensor) * SAMPLE_BYTES + fifo->left;
}

uint8_t
byte_fifo_read(struct byte_fifo *fifo, struct accelerometer *sensor,
               int is_big_endian)
{
    int16_t sample[3];
    if (!fifo->left) {
        if (accelerometer_take(sensor, sample))
            return 0xff;
        for (int i = 0; i < 3; i++) {
            fifo->bytes[2 * i + is_big_endian] = (uint8_t)sample[i];
            fifo->bytes[2 * i + !is_big_endian] = (uint8_t)(sample[i] >> 8);
        }
        fifo->left = SAMPLE_BYTES;
    }
    return fifo->bytes[SAMPLE_BYTES - fifo->left--];
}
