// What travels on CAN buses, as the host's sockets see it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CAN_MESSAGE_H
#define CAN_MESSAGE_H

#include <stdint.h> // int64_t

// Identifier flags, as in Linux's struct can_frame
#define CAN_ID_EXTENDED 0x80000000u
#define CAN_ID_REMOTE 0x40000000u
// Of a filter's identifier: everything but what matches
#define CAN_ID_INVERTED 0x20000000u

enum { CAN_DATA_MAX = 64, CAN_CLASSIC_DATA_MAX = 8 };
enum can_origin { CAN_FROM_BUS, CAN_FROM_HOST, CAN_FROM_SELF };

// A CAN frame without what only the wire needs.  Data behind size is zero.
struct can_message {
    int64_t time_ns; // when the host got it
    uint32_t id; // identifier and flags
    uint8_t size, is_fd;
    uint8_t origin; // enum can_origin, as the socket sees it
    uint8_t data[CAN_DATA_MAX];
};

// What a socket lets through: identifiers that equal id in the mask's bits
struct can_rule {
    uint32_t id, mask;
};

enum can_socket_option {
    CAN_SOCKET_LOOPBACK,
    CAN_SOCKET_OWN_MESSAGES,
    CAN_SOCKET_FD,
};

#endif // can_message.h
