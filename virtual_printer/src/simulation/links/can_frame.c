// Length of CAN frames on the wire, and which of two goes first (ISO 11898-1)
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memcmp
#include "can_frame.h" // struct can_length

#define EXTENDED_ID_MASK 0x1fffffffu
#define STANDARD_ID_MASK 0x7ffu
#define CRC_15_POLYNOMIAL 0x4599u

enum {
    BITS_MAX = 1024,
    STUFF_RUN = 5,
    CRC_15_BITS = 15,
    // Delimiter of the checksum, acknowledgement, its delimiter, end of frame
    CLASSIC_END_BITS = 1 + 1 + 1 + 7,
    FD_END_BITS = 1 + 1 + 7,
    // Four bits count the stuff bits, then comes a checksum of 17 or (behind
    // more than 16 bytes) 21 bits.  A stuff bit stands before the first and
    // behind every fourth of all these.  Then comes the delimiter.
    FD_SHORT_MAX = 16,
    FD_SHORT_CRC_BITS = 4 + 17 + 6 + 1,
    FD_LONG_CRC_BITS = 4 + 21 + 7 + 1,
};

// A frame before stuffing, one bit in each byte
struct bit_string {
    uint8_t bits[BITS_MAX];
    int count;
};


/****************************************************************
 * Bits
 ****************************************************************/

static void
put_bits(struct bit_string *string, uint32_t value, int count)
{
    while (count--)
        string->bits[string->count++] = (value >> count) & 1;
}

// Start of frame up to the bit which tells the two identifiers' kinds apart
static void
put_identifier(struct bit_string *string, uint32_t id)
{
    put_bits(string, 0, 1);
    if (id & CAN_ID_EXTENDED) {
        put_bits(string, (id & EXTENDED_ID_MASK) >> 18, 11);
        put_bits(string, 3, 2);
        put_bits(string, id & 0x3ffff, 18);
        put_bits(string, !!(id & CAN_ID_REMOTE), 1);
    } else {
        put_bits(string, id & STANDARD_ID_MASK, 11);
        put_bits(string, !!(id & CAN_ID_REMOTE), 1);
        put_bits(string, 0, 1);
    }
}

static void
put_data(struct bit_string *string, const struct can_message *message,
         uint8_t size)
{
    for (uint8_t i = 0; i < size; i++)
        put_bits(string, i < message->size ? message->data[i] : 0, 8);
}

static void
put_checksum(struct bit_string *string)
{
    uint32_t sum = 0;
    for (int i = 0; i < string->count; i++) {
        uint32_t is_odd = string->bits[i] ^ (sum >> (CRC_15_BITS - 1));
        sum = (sum << 1) & ((1u << CRC_15_BITS) - 1);
        if (is_odd)
            sum ^= CRC_15_POLYNOMIAL;
    }
    put_bits(string, sum, CRC_15_BITS);
}

// Stuff bits that follow one of the first bits.  One follows each run of
// five equal bits, is their opposite, and begins the next run.
static int
count_stuff_bits(const struct bit_string *string, int count)
{
    int stuffed = 0, run = 0, last = -1;
    for (int i = 0; i < count; i++) {
        run = string->bits[i] == last ? run + 1 : 1;
        last = string->bits[i];
        if (run == STUFF_RUN) {
            stuffed++;
            run = 1;
            last = !last;
        }
    }
    return stuffed;
}


/****************************************************************
 * Frames
 ****************************************************************/

// Sizes of data that the sixteen size codes of FD frames stand for
static const uint8_t fd_sizes[] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64,
};

static uint8_t
fd_size_code(uint8_t size)
{
    uint8_t code = 0;
    while (fd_sizes[code] < size)
        code++;
    return code;
}

uint8_t
can_frame_padded_size(uint8_t size)
{
    return fd_sizes[fd_size_code(size)];
}

static struct can_length
classic_length(const struct can_message *message)
{
    struct bit_string string = { .count = 0 };
    int is_remote = !!(message->id & CAN_ID_REMOTE);
    put_identifier(&string, message->id);
    // Reserved bits (in extended frames two), then the size
    put_bits(&string, 0, message->id & CAN_ID_EXTENDED ? 2 : 1);
    put_bits(&string, message->size, 4);
    put_data(&string, message, is_remote ? 0 : message->size);
    put_checksum(&string);
    int stuffed = count_stuff_bits(&string, string.count);
    int bits = string.count + stuffed + CLASSIC_END_BITS;
    return (struct can_length){ bits, 0, 0 };
}

static struct can_length
fd_length(const struct can_message *message)
{
    struct bit_string string = { .count = 0 };
    uint8_t size = can_frame_padded_size(message->size);
    put_identifier(&string, message->id);
    // FD format, reserved, switch of the bit rate.  The rate changes within
    // this bit, and back within the checksum's delimiter, so that the two
    // together take one bit of each rate.
    put_bits(&string, 5, 3);
    int switched = string.count;
    // Error state, then the size
    put_bits(&string, 0, 1);
    put_bits(&string, fd_size_code(size), 4);
    put_data(&string, message, size);
    // The checksum has stuff bits of its own, so none is due before it
    int stuffed = count_stuff_bits(&string, string.count - 1);
    int early = count_stuff_bits(&string, switched - 1);
    struct can_length length = { switched + early, 0, FD_END_BITS };
    length.data_bits = string.count - switched + stuffed - early
        + (size > FD_SHORT_MAX ? FD_LONG_CRC_BITS : FD_SHORT_CRC_BITS);
    return length;
}

struct can_length
can_frame_length(const struct can_message *message, int is_fd_format)
{
    // There are no remote frames in FD format
    if (is_fd_format && !(message->id & CAN_ID_REMOTE))
        return fd_length(message);
    return classic_length(message);
}

int
can_frame_wins(const struct can_message *message,
               const struct can_message *other)
{
    struct bit_string ours = { .count = 0 }, theirs = { .count = 0 };
    put_identifier(&ours, message->id);
    put_identifier(&theirs, other->id);
    // A standard frame is over where an extended one of the same start has
    // lost already
    int count = ours.count < theirs.count ? ours.count : theirs.count;
    int order = memcmp(ours.bits, theirs.bits, (size_t)count);
    if (!order)
        order = memcmp(message->data, other->data, sizeof(message->data));
    return order < 0;
}
