// Wheels that filament turns as it moves
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef FILAMENT_SENSOR_H
#define FILAMENT_SENSOR_H

#include "../core/pin.h" // struct pin_source

#pragma GCC visibility push(hidden)

struct motor;

struct filament_sensor {
    struct filament_sensor *next; // of the same machine
    struct pin_source source;
    struct motor *motor; // that moves the filament
    double edge_mm; // of filament for each edge of the signal
};

// Connect a sensor whose fields above are set
void filament_sensor_connect(struct filament_sensor *sensor, struct pin *pin);

#pragma GCC visibility pop

#endif // filament_sensor.h
