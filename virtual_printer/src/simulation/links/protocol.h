// Message blocks: framing, checksum, integers and sequence numbers
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include "../core/byte_queue.h" // struct byte_queue

#pragma GCC visibility push(hidden)

enum {
    BLOCK_SIZE_MIN = 5,
    BLOCK_SIZE_MAX = 64,
    BLOCK_HEADER_SIZE = 2,
    BLOCK_TRAILER_SIZE = 3,
    BLOCK_SYNC = 0x7e,
    BLOCK_SEQUENCE_MASK = 0x0f,
    BLOCK_DESTINATION = 0x10,
};

enum block_verdict {
    BLOCK_INCOMPLETE, // wait for more bytes
    BLOCK_ACCEPTED,
    BLOCK_DISCARDED, // skip silently
    BLOCK_REFUSED // skip, and let the host know which block is expected
};

struct receiver {
    struct byte_queue bytes;
    uint8_t next_sequence;
    int is_hunting; // for the next sync byte
    int has_complained; // since the last good block
    uint64_t block_count, checksum_error_count, refused_count;
};

void receiver_reset(struct receiver *receiver);

// Judge the oldest bytes; stores how many of them the verdict covers
enum block_verdict receiver_take(struct receiver *receiver, size_t *size);

// A block under construction
struct block {
    uint8_t bytes[BLOCK_SIZE_MAX];
    size_t size;
};

void block_begin(struct block *block);
void block_put_integer(struct block *block, uint32_t value);
void block_put_bytes(struct block *block, const uint8_t *data, size_t size);
void block_finish(struct block *block, uint8_t sequence);

// Read an integer and move on; returns -1 if it runs past the end
int parse_integer(const uint8_t **position, const uint8_t *end,
                  uint32_t *value);

#pragma GCC visibility pop

#endif // protocol.h
