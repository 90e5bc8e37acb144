// Chips that convert a temperature and are asked over SPI
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CHIPS_H
#define CHIPS_H

#include "thermal.h" // struct temperature_sensor

#pragma GCC visibility push(hidden)

// Connect the chip to its sensor
void max6675_attach(struct temperature_sensor *sensor);
void max31855_attach(struct temperature_sensor *sensor);
void max31856_attach(struct temperature_sensor *sensor);
// With what the platinum has at 0 C, and what it is compared with
void max31865_attach(struct temperature_sensor *sensor, double nominal_ohm,
                     double reference_ohm);

#pragma GCC visibility pop

#endif // chips.h
