// Growing first-in first-out buffer of bytes
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef BYTE_QUEUE_H
#define BYTE_QUEUE_H

#include <stddef.h> // size_t
#include <stdint.h> // uint8_t
#include <stdlib.h> // realloc
#include <string.h> // memcpy

struct byte_queue {
    uint8_t *storage;
    size_t start, size, capacity;
};

// Return the oldest bytes; they lie in one piece
static inline uint8_t *
byte_queue_front(const struct byte_queue *queue)
{
    return queue->storage + queue->start;
}

// Make room for some more bytes behind the newest ones
static inline void
byte_queue_reserve(struct byte_queue *queue, size_t more)
{
    if (queue->start + queue->size + more <= queue->capacity)
        return;
    if (queue->start)
        memmove(queue->storage, byte_queue_front(queue), queue->size);
    queue->start = 0;
    if (queue->size + more <= queue->capacity / 2)
        return;
    size_t capacity = (queue->size + more) * 2 + 64;
    uint8_t *storage = realloc(queue->storage, capacity);
    if (!storage)
        abort();
    queue->storage = storage;
    queue->capacity = capacity;
}

static inline void
byte_queue_append(struct byte_queue *queue, const void *data, size_t size)
{
    if (!size)
        return;
    byte_queue_reserve(queue, size);
    memcpy(byte_queue_front(queue) + queue->size, data, size);
    queue->size += size;
}

static inline void
byte_queue_consume(struct byte_queue *queue, size_t size)
{
    queue->size -= size;
    queue->start = queue->size ? queue->start + size : 0;
}

static inline void
byte_queue_clear(struct byte_queue *queue)
{
    queue->start = queue->size = 0;
}

#endif // byte_queue.h
