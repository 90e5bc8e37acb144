// Firmware of a Beacon: a coil on a micro-controller of its own
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef BEACON_H
#define BEACON_H

#include "../devices/coil.h" // struct coil
#include "../mechanics/vibration.h" // struct vibration
#include "contact.h" // struct contact
#include "mcu.h" // struct mcu_timer

#pragma GCC visibility push(hidden)

struct trsync;

enum { BEACON_DATA_BYTES = 44, BEACON_NVM_BYTES = 20, BEACON_CHIP_BYTES = 8 };

// A fault on purpose: the coil does not swing
enum beacon_state { BEACON_WORKS, BEACON_BROKEN };

// A stop of the steppers that is waited for
struct beacon_homing {
    struct trsync *trsync; // NULL if none is
    uint8_t reason;
};

struct beacon {
    struct mcu *mcu;
    struct coil coil;
    uint8_t nvm[BEACON_NVM_BYTES]; // how the coil was calibrated
    uint8_t chip_data[BEACON_CHIP_BYTES]; // how its thermometer was

    struct mcu_timer sample_timer, status_timer;
    enum beacon_state state;
    int is_near;
    uint32_t near_count, far_count; // thresholds
    struct beacon_homing proximity_homing, contact_homing;
    uint8_t proximity_invert;
    struct contact contact;

    // Samples that are about to be reported
    int is_streaming;
    uint8_t bytes[BEACON_DATA_BYTES];
    size_t byte_count, sample_count;
    uint64_t first_clock, last_clock;
    uint32_t last_value;

    // Acceleration sensor
    struct mcu_timer accel_timer;
    struct vibration vibration;
    uint8_t accel_scale;
    uint64_t accel_first_clock;
    uint8_t accel_bytes[BEACON_DATA_BYTES];
    size_t accel_byte_count;
};

struct beacon *beacon_create(struct mcu *mcu);
void beacon_free(struct beacon *beacon);

// beacon_accel.c
void beacon_accel_init(struct beacon *beacon);
void beacon_accel_stop(struct beacon *beacon);

#pragma GCC visibility pop

#endif // beacon.h
