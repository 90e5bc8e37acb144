// Length of CAN frames on the wire, and which of two goes first
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CAN_FRAME_H
#define CAN_FRAME_H

#include "can_message.h" // struct can_message

#pragma GCC visibility push(hidden)

// Recessive bits that part one frame from the next
enum { CAN_INTERMISSION_BITS = 3 };

// Bits of a frame in the order in which they are sent, stuff bits
// included; only the middle ones take the bus's data rate
struct can_length {
    int arbitration_bits, data_bits, end_bits;
};

// Measure a frame, in FD format with a switch of the bit rate or in the
// classic one
struct can_length can_frame_length(const struct can_message *message,
                                   int is_fd_format);

// Does a frame win the arbitration against another one?
int can_frame_wins(const struct can_message *message,
                   const struct can_message *other);

// Sizes of FD frames have gaps; data is padded with zeros up to the next
uint8_t can_frame_padded_size(uint8_t size);

#pragma GCC visibility pop

#endif // can_frame.h
