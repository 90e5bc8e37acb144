// Chips that measure the temperature around them and are asked over I2C
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include "thermal.h" // struct temperature_sensor

#pragma GCC visibility push(hidden)

// Connect the chip to its sensor
void lm75_attach(struct temperature_sensor *sensor);
void sht3x_attach(struct temperature_sensor *sensor);
// Chips of this family differ in their number
void htu21d_attach(struct temperature_sensor *sensor, uint8_t number);
void aht10_attach(struct temperature_sensor *sensor);
void bme280_attach(struct temperature_sensor *sensor);

#pragma GCC visibility pop

#endif // environment.h
