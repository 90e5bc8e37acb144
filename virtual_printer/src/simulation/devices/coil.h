// A coil beside the nozzle, whose frequency rises where the bed is near
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef COIL_H
#define COIL_H

#include "../core/random_stream.h" // struct random_stream
#include "../mechanics/mechanics.h" // struct sensor
#include "sensing.h" // struct sensing

#pragma GCC visibility push(hidden)

struct body;

struct coil {
    struct mechanics *mechanics;
    struct body *body; // that it is, NULL if it is never warm
    struct random_stream random;
    struct sensor place; // of the coil beside the nozzle
    struct sensing sensing;
    double height_mm; // over the nozzle
    double far_hz; // far from any metal, at COIL_REFERENCE_C
    double noise_hz;
    // Of its body, which is not asked more often than that can change
    double temperature_c;
    int64_t temperature_until_ns;
};

#define COIL_REFERENCE_C 25.0

// Now
double coil_frequency_hz(struct coil *coil);
double coil_temperature_c(struct coil *coil);
// Distance to the bed; a nozzle that rests on it holds the coil up
double coil_distance_mm(struct coil *coil);

#pragma GCC visibility pop

#endif // coil.h
