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
struct timeline;

struct angle_sensor {
    struct spi_device spi;
    const struct timeline *timeline;
    struct motor *motor; // NULL if it looks at none
    double turn_mm; // how far the motor goes in one turn
    double offset; // of the magnet, as a share of a turn
    uint16_t previous_command; // of chips that answer one transfer later
    // Of a chip with a clock and registers of its own
    double clock_factor; // how fast it really is
    uint64_t reported_frame; // the last one whose angle was read
    uint16_t registers[64];
};

// Create a sensor by the name of its chip, NULL if there is none such
struct angle_sensor *angle_sensor_create(const char *kind);
void angle_sensor_free(struct angle_sensor *sensor);

#pragma GCC visibility pop

#endif // angle_sensor.h
