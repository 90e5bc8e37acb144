// Magnetic angle sensors at the shaft of a motor
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef ANGLE_SENSOR_H
#define ANGLE_SENSOR_H

#include "../core/pin.h" // struct spi_device

#pragma GCC visibility push(hidden)

struct motor;

struct angle_sensor {
    struct spi_device spi;
    struct motor *motor; // NULL if it looks at none
    double turn_mm; // how far the motor goes in one turn
    double offset; // of the magnet, as a share of a turn
    uint16_t previous_command; // of chips that answer one transfer later
};

// Create a sensor by the name of its chip, NULL if there is none such
struct angle_sensor *angle_sensor_create(const char *kind);
void angle_sensor_free(struct angle_sensor *sensor);

#pragma GCC visibility pop

#endif // angle_sensor.h
