// Chips that measure the temperature around them and are asked over I2C
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include "thermal.h" // struct temperature_sensor

#pragma GCC visibility push(hidden)

// The air of the room
#define AIR_HUMIDITY_PERCENT 45.0
#define AIR_PRESSURE_PA 101325.0

// Connect the chip to its sensor
void lm75_attach(struct temperature_sensor *sensor);
void sht3x_attach(struct temperature_sensor *sensor);
// Chips of this family differ in their number
void htu21d_attach(struct temperature_sensor *sensor, uint8_t number);
void aht10_attach(struct temperature_sensor *sensor);
// Bosch's
void bme280_attach(struct temperature_sensor *sensor);
void bmp280_attach(struct temperature_sensor *sensor);
void bmp180_attach(struct temperature_sensor *sensor);
void bmp388_attach(struct temperature_sensor *sensor);
void bme680_attach(struct temperature_sensor *sensor);

#pragma GCC visibility pop

#endif // environment.h
