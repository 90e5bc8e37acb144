// An LDC1612 as firmware reads it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef COIL_CHIP_H
#define COIL_CHIP_H

#include "bulk_sensor.h" // struct bulk_sensor

#pragma GCC visibility push(hidden)

enum { COIL_VALUE_BYTES = 4 };
#define COIL_DATA_MAX 0x0fffffffu

uint16_t coil_chip_status(struct bulk_sensor *sensor);
int coil_chip_has_unread(uint16_t status);
// The value, with error bits above it; its bytes go to the report
uint32_t coil_chip_read(struct bulk_sensor *sensor, uint8_t *bytes);
// How many bytes have not been read, from the pin where there is one
uint32_t coil_chip_pending(struct bulk_sensor *sensor);

#pragma GCC visibility pop

#endif // coil_chip.h
