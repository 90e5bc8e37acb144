// Message blocks: framing, checksum, integers and sequence numbers
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "protocol.h" // struct receiver


/****************************************************************
 * Checksum (CCITT, least significant bit first)
 ****************************************************************/

static uint16_t
block_checksum(const uint8_t *data, size_t size)
{
    unsigned int sum = 0xffff;
    for (size_t i = 0; i < size; i++) {
        // What leaves the sum comes back at the polynomial's bits 15, 10
        // and 3; its low half does so twice, four bits apart
        unsigned int out = (sum ^ data[i]) & 0xff;
        out ^= (out << 4) & 0xff;
        sum = (sum >> 8) ^ (out << 8) ^ (out << 3) ^ (out >> 4);
    }
    return (uint16_t)sum;
}


/****************************************************************
 * Integers of one to five bytes, most significant seven bits first
 ****************************************************************/

void
block_put_integer(struct block *block, uint32_t value)
{
    int32_t number = (int32_t)value;
    for (int shift = 28; shift; shift -= 7) {
        // The range of a first byte is lopsided: -32 to 95
        int32_t limit = (int32_t)1 << (shift - 2);
        if (number < -limit || number >= 3 * limit)
            block->bytes[block->size++] = (uint8_t)((value >> shift) | 0x80);
    }
    block->bytes[block->size++] = (uint8_t)(value & 0x7f);
}

int
parse_integer(const uint8_t **position, const uint8_t *end, uint32_t *value)
{
    const uint8_t *next = *position;
    if (next >= end)
        return -1;
    uint32_t number = *next & 0x7f;
    if (number >= 0x60)
        number -= 0x80;
    while (*next++ & 0x80) {
        if (next >= end)
            return -1;
        number = (number << 7) | (*next & 0x7f);
    }
    *position = next;
    *value = number;
    return 0;
}


/****************************************************************
 * Building blocks
 ****************************************************************/

void
block_begin(struct block *block)
{
    block->size = BLOCK_HEADER_SIZE;
}

void
block_put_bytes(struct block *block, const uint8_t *data, size_t size)
{
    block->bytes[block->size++] = (uint8_t)size;
    memcpy(block->bytes + block->size, data, size);
    block->size += size;
}

void
block_finish(struct block *block, uint8_t sequence)
{
    size_t size = block->size;
    block->bytes[0] = (uint8_t)(size + BLOCK_TRAILER_SIZE);
    block->bytes[1] = sequence;
    uint16_t checksum = block_checksum(block->bytes, size);
    block->bytes[size] = (uint8_t)(checksum >> 8);
    block->bytes[size + 1] = (uint8_t)checksum;
    block->bytes[size + 2] = BLOCK_SYNC;
    block->size = size + BLOCK_TRAILER_SIZE;
}


/****************************************************************
 * Taking blocks apart
 ****************************************************************/

void
receiver_reset(struct receiver *receiver)
{
    byte_queue_clear(&receiver->bytes);
    receiver->next_sequence = BLOCK_DESTINATION;
    receiver->is_hunting = receiver->has_complained = 0;
}

// Skip to behind the next sync byte; the host hears of it once
static enum block_verdict
hunt_for_sync(struct receiver *receiver, size_t *size)
{
    const uint8_t *bytes = byte_queue_front(&receiver->bytes);
    const uint8_t *sync = memchr(bytes, BLOCK_SYNC, receiver->bytes.size);
    receiver->is_hunting = !sync;
    *size = sync ? (size_t)(sync - bytes) + 1 : receiver->bytes.size;
    if (receiver->has_complained)
        return BLOCK_DISCARDED;
    receiver->has_complained = 1;
    receiver->checksum_error_count++;
    receiver->refused_count++;
    return BLOCK_REFUSED;
}

static int
is_header_valid(const uint8_t *bytes)
{
    return bytes[0] >= BLOCK_SIZE_MIN && bytes[0] <= BLOCK_SIZE_MAX
        && (bytes[1] & ~BLOCK_SEQUENCE_MASK) == BLOCK_DESTINATION;
}

static int
is_trailer_valid(const uint8_t *bytes)
{
    size_t end = bytes[0] - BLOCK_TRAILER_SIZE;
    uint16_t checksum = block_checksum(bytes, end);
    return bytes[end] == checksum >> 8 && bytes[end + 1] == (checksum & 0xff)
        && bytes[end + 2] == BLOCK_SYNC;
}

enum block_verdict
receiver_take(struct receiver *receiver, size_t *size)
{
    *size = 0;
    if (!receiver->bytes.size)
        return BLOCK_INCOMPLETE;
    if (receiver->is_hunting)
        return hunt_for_sync(receiver, size);
    const uint8_t *bytes = byte_queue_front(&receiver->bytes);
    if (receiver->bytes.size < BLOCK_SIZE_MIN)
        return BLOCK_INCOMPLETE;
    if (bytes[0] == BLOCK_SYNC) {
        *size = 1;
        return BLOCK_DISCARDED;
    }
    if (!is_header_valid(bytes))
        return hunt_for_sync(receiver, size);
    if (receiver->bytes.size < bytes[0])
        return BLOCK_INCOMPLETE;
    if (!is_trailer_valid(bytes))
        return hunt_for_sync(receiver, size);
    receiver->has_complained = 0;
    *size = bytes[0];
    if (bytes[1] != receiver->next_sequence) {
        receiver->refused_count++;
        return BLOCK_REFUSED;
    }
    receiver->next_sequence =
        BLOCK_DESTINATION | ((bytes[1] + 1) & BLOCK_SEQUENCE_MASK);
    receiver->block_count++;
    return BLOCK_ACCEPTED;
}
